package main

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"devenv/env/manifest"
	"devenv/env/sandbox"
	"devenv/env/sandbox/entry"
	"devenv/layers/setup"
)

// newApp is the command line. Each command stands in a file of its own.
func newApp(u *ui) *cli.App {
	cli.VersionPrinter = func(c *cli.Context) { c.App.Writer.Write([]byte("devenv " + version + "\n")) }
	app := &cli.App{
		Name:  "devenv",
		Usage: "a project's tools, from Arch Linux packages, without a trace on the host",
		Description: `   devenv init                make a devenv.toml
   devenv add gcc@14.2.1 make name packages, with a pinned version
   devenv enter               a shell that has them
   devenv run -- make         one command that has them
   devenv shell gdb strace    the host as it is, plus these tools`,
		UsageText:            "devenv [--quiet] [--verbose] [--json] COMMAND …",
		Version:              version,
		HideHelpCommand:      true,
		EnableBashCompletion: true,
		Writer:               u.out,
		ErrWriter:            u.err,
		ExitErrHandler:       func(*cli.Context, error) {},
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print errors alone", DisableDefaultText: true, Destination: &u.quiet},
			&cli.BoolFlag{Name: "verbose", Usage: "say more of what is done", DisableDefaultText: true, Destination: &u.verbose},
			&cli.BoolFlag{Name: "json", Usage: "answer in JSON", DisableDefaultText: true, Destination: &u.json},
			&cli.StringFlag{Name: "directory", Aliases: []string{"C"}, Usage: "as if started in `DIR`"},
			cli.HelpFlag, // cli leaves it out where there is a command of that name
		},
		Before: func(c *cli.Context) error {
			if dir := c.String("directory"); dir != "" {
				if err := os.Chdir(dir); err != nil {
					return misuse("--directory: %w", err)
				}
			}
			return nil
		},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				f := misuse("%q is no command", c.Args().First())
				var names []string
				for _, cmd := range c.App.VisibleCommands() {
					names = append(names, cmd.Names()...)
				}
				if s := manifest.Suggest(c.Args().First(), names); s != "" {
					f.hint("did you mean `devenv %s`?", s)
				}
				return f.hint("`devenv --help` lists the commands")
			}
			return cli.ShowAppHelp(c)
		},
	}
	app.Commands = []*cli.Command{
		u.enterCommand(), u.runCommand(), u.buildCommand(), u.lockCommand(),
		{Name: sandbox.ProbeCommand, Hidden: true, SkipFlagParsing: true, Action: func(c *cli.Context) error { return sandbox.ProbeHere(c.Args().First()) }},
		{Name: entry.Prepared, Hidden: true, SkipFlagParsing: true, Action: func(*cli.Context) error {
			return (&failure{err: errors.New("the environment was removed from the cache just now"), code: 1}).hint("run the same command again")
		}},
		{Name: setup.Command, Hidden: true, SkipFlagParsing: true, Action: func(c *cli.Context) error { return setup.Inside(c.Args().Slice()) }},
		{Name: entry.Failed, Hidden: true, SkipFlagParsing: true, Action: func(c *cli.Context) error { return failedElsewhere(c.Args().Slice()) }},
	}
	app.Commands = append(app.Commands, u.moreCommands()...)
	finish(app.Commands)
	app.CustomAppHelpTemplate = appHelp(app.Commands)
	return app
}

func usageError(c *cli.Context, err error, _ bool) error {
	name := "devenv"
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != "devenv" {
		name = c.Command.HelpName // with the command that it belongs to
	}
	option, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return misuse("%w", err).hint("`%s --help` lists the options", name)
	}
	dashes := "--"
	if len(option) == 1 {
		dashes = "-"
	}
	f := misuse("unknown option %s%s", dashes, option)
	for _, flag := range c.App.Flags {
		if name != "devenv" && slices.Contains(flag.Names(), option) {
			if _, text := flag.(*cli.StringFlag); text {
				option += " DIR"
			}
			return f.hint("it stands before the command: devenv %s%s %s", dashes, option, strings.TrimPrefix(name, "devenv "))
		}
	}
	return f.hint("`%s --help` lists the options", name)
}

// examples indents lines for Description.
func examples(lines ...string) string {
	out := slices.Clone(lines)
	for i := range out {
		out[i] = "   " + out[i]
	}
	return strings.Join(out, "\n")
}
