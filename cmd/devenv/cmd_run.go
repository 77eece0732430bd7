package main

import (
	"errors"
	"os"

	"github.com/urfave/cli/v2"

	"devenv/env"
	"devenv/env/sandbox"
)

func (u *ui) runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "run one command, or a task, in the project's environment",
		UsageText: "devenv run [OPTIONS] [--] COMMAND [ARGUMENT…]\n   devenv run [OPTIONS] TASK [ARGUMENT…]",
		Description: examples(
			"devenv run -- make -j8          what make prints and returns is what you get",
			"devenv run build                the task `build` of devenv.toml's [tasks]",
			"devenv run --no-network -- make check",
			"devenv run --native -- gdb -p 42  the host as it is, with the project's tools on PATH",
			"devenv run --explain -- true    print the system calls of the entry"),
		Flags: append(entryFlags(), &cli.BoolFlag{Name: "explain", Usage: "print the entry's system calls, and run nothing"}),
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			if len(args) == 0 && !c.Bool("explain") {
				return misuse("run what?").hint("devenv run -- COMMAND; a shell is `devenv enter`")
			}
			return u.enter(c, args)
		},
	}
}

func (u *ui) enterCommand() *cli.Command {
	return &cli.Command{
		Name:      "enter",
		Usage:     "start a shell in the project's environment",
		UsageText: "devenv enter [OPTIONS]",
		Description: examples(
			"devenv enter                 your own shell, with the tools of devenv.toml",
			"devenv enter --pure          without the variables of the host",
			"devenv enter --ephemeral     nothing written outside the project stays",
			"devenv enter --native        a shell of the host's, with the project's tools on PATH"),
		Flags: entryFlags(),
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return misuse("enter takes no arguments").hint("one command in the environment is `devenv run -- %s`", c.Args().First())
			}
			return u.enter(c, nil)
		},
	}
}

func entryFlags() []cli.Flag {
	return append(buildFlags(),
		&cli.BoolFlag{Name: "native", Usage: "on the host as it is, the project's tools on PATH; works without any namespace"},
		&cli.BoolFlag{Name: "pure", Usage: "pass only a short list of the host's variables"},
		&cli.BoolFlag{Name: "no-network", Usage: "without any network"},
		&cli.BoolFlag{Name: "read-only-project", Usage: "the project can be read and not written"},
		&cli.BoolFlag{Name: "ephemeral", Usage: "what is written to home and /tmp vanishes, too; the project stays"},
		&cli.StringSliceFlag{Name: "without", Hidden: true, Usage: "do without an `ABILITY` of the host: userns, overlay, xattr, pidns"},
		&cli.BoolFlag{Name: "keep-processes", Usage: "let what runs in the background go on afterwards"},
	)
}

func buildFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "frozen", Usage: "never write devenv.lock: fail if it does not fit devenv.toml"},
	}
}

// enter makes the environment ready and becomes the command in it; no command
// is the shell. It returns only if it could not.
func (u *ui) enter(c *cli.Context, args []string) error {
	how := env.Entry{
		Pure: c.Bool("pure"), NoNetwork: c.Bool("no-network"), ReadOnlyProject: c.Bool("read-only-project"),
		KeepProcesses: c.Bool("keep-processes"), Ephemeral: c.Bool("ephemeral"), Without: c.StringSlice("without"),
	}
	if os.Getenv("HOME") == "" {
		// The user's own file, and with it the mirrors, would be another.
		return (&failure{err: errors.New("HOME is not set"), code: 1}).hint("set it to your home directory; in a service or cron job, to any directory of your own")
	}
	if c.Bool("native") {
		return u.enterNative(c, args)
	}
	if os.Getenv("DEVENV_PROJECT") != "" && !c.Bool("explain") {
		if inside, err := u.enterNested(c, args, how); inside {
			return err
		}
	}
	p, built, err := u.ready(c)
	if err != nil {
		return err
	}
	defer built.Release()
	args = commandOf(c, p, args)
	plan, err := p.Plan(c.Context, built, how)
	if err != nil {
		return entryError(err)
	}
	if c.Bool("explain") {
		if plan.Clean != nil {
			defer plan.Clean()
		}
		return plan.Explain(u.out)
	}
	if !plan.PidNS && !how.KeepProcesses {
		u.detail("this host refuses a /proc of one's own: background processes will outlive the command")
	}
	u.settle()
	if plan.File != "" {
		return sandbox.Enter(plan.File, args)
	}
	return sandbox.EnterOnce(plan.Plan, args)
}

// enterNested is enter from inside another environment; it reports whether one
// is there.
func (u *ui) enterNested(c *cli.Context, args []string, how env.Entry) (inside bool, err error) {
	p, err := u.open()
	if err != nil {
		return true, err
	}
	file, err := p.Nested(how)
	if file == "" || err != nil {
		return err != nil, err
	}
	u.settle()
	return true, sandbox.Enter(file, commandOf(c, p, args))
}

// commandOf is the command that the arguments of run stand for.
func commandOf(c *cli.Context, p *env.Project, args []string) []string {
	if len(args) > 0 && !afterDashes(c) {
		if task, ok := p.Task(args[0], args[1:]); ok {
			return task
		}
	}
	return args
}

// entryError says which setting of the host refuses an entry.
func entryError(err error) error {
	var refused *sandbox.RefusedError
	if errors.As(err, &refused) {
		return refusedNamespace(refused.Errno)
	}
	return err
}

// afterDashes reports whether the command stands after "--", where no name is
// a task's.
func afterDashes(c *cli.Context) bool {
	at := len(os.Args) - c.NArg()
	return at > 0 && os.Args[at-1] == "--"
}
