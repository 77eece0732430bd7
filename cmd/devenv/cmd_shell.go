package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"devenv/env"
	"devenv/env/manifest"
	"devenv/env/native"
	"devenv/env/sandbox"
)

func (u *ui) shellCommand() *cli.Command {
	return &cli.Command{
		Name:      "shell",
		Usage:     "the host as it is, plus some tools on PATH; no file is needed, nothing is left but cache",
		UsageText: "devenv shell [OPTIONS] PACKAGE[@VERSION]… [-- COMMAND [ARGUMENT…]]",
		Description: examples(
			"devenv shell gdb strace htop         your own shell, with these tools",
			"devenv shell gdb@13.1 -- gdb -p 42   one command",
			"devenv shell --snapshot 2026-11-20 jq -- jq . file.json",
			"devenv shell --namespace gcc make    for what needs its own /usr"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "snapshot", Usage: "packages of a `DAY` in the Arch Linux Archive, YYYY-MM-DD"},
			&cli.BoolFlag{Name: "namespace", Usage: "in an environment of their own, as `enter` has it, with the host's root at /run/host"},
			&cli.BoolFlag{Name: "refresh", Usage: "ask the mirrors even if they were asked today"},
		},
		Action: func(c *cli.Context) error {
			packages, command, err := shellArguments(c.Args().Slice(), os.Args)
			if err != nil {
				return err
			}
			day := c.String("snapshot")
			if day != "" {
				if day, err = manifest.ParseDay(day); err != nil {
					return misuse("--snapshot: %w", err)
				}
			}
			dir, err := filepath.EvalSymlinks(".")
			if err == nil {
				dir, err = filepath.Abs(dir)
			}
			if err != nil {
				return fmt.Errorf("finding the working directory: %w", err)
			}
			a, err := env.OpenAdHoc(dir, packages, day, env.Options{Report: u.progress(), Refresh: c.Bool("refresh")})
			if err != nil {
				return err
			}
			if c.Bool("namespace") {
				return u.namespace(c.Context, a, command)
			}
			return u.shellNative(c.Context, a, command)
		},
	}
}

// shellArguments tells packages from the command after "--". cli takes away the
// first "--" if it stands before every argument; the others it leaves.
func shellArguments(args, all []string) (packages, command []string, err error) {
	for i, arg := range args {
		if arg == "--" {
			packages, command = args[:i], args[i+1:]
			if len(command) == 0 {
				return nil, nil, misuse("no command stands after --")
			}
			return packages, command, nil
		}
		if strings.HasPrefix(arg, "-") {
			return nil, nil, misuse("%s stands behind a package: options come first", arg).hint("what belongs to a command stands behind `--`")
		}
	}
	if at := len(all) - len(args); len(args) == 0 || at > 0 && all[at-1] == "--" {
		return nil, nil, misuse("a shell with which packages?").hint("devenv shell PACKAGE… [-- COMMAND]; `devenv search WORD` finds packages")
	}
	return args, nil, nil
}

// namespace enters an environment of the tools' own.
func (u *ui) namespace(ctx context.Context, a *env.AdHoc, command []string) error {
	plan, built, err := a.Namespace(ctx, env.Entry{})
	if err != nil {
		return entryError(err)
	}
	defer built.Release()
	u.settle()
	return sandbox.EnterOnce(plan.Plan, command)
}

// shellNative becomes a command or a shell on the host, with the tools on PATH.
func (u *ui) shellNative(ctx context.Context, a *env.AdHoc, command []string) error {
	tools, err := a.Native(ctx)
	var cannot *native.CannotError
	if errors.As(err, &cannot) {
		return (&failure{err: err, code: 1}).hint("devenv shell --namespace %s: an environment of its own, with your files", a.Name())
	}
	if err != nil {
		return err
	}
	defer tools.Release()
	vars := variables(os.Environ())
	activate(vars, tools.Vars)
	return u.natively(tools, vars, command)
}

// exportEnv makes the tools of the project in dir usable without entering it.
func (u *ui) exportEnv(ctx context.Context, dir string) (map[string]string, error) {
	p, l, err := u.lockedNow(ctx, dir, env.LockMode{})
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding devenv's own path: %w", err)
	}
	tools, err := p.Outside(ctx, l, []string{self, "run", "--"})
	if err != nil {
		return nil, err
	}
	defer tools.Release()
	return tools.Vars, nil
}
