package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"devenv/env"
)

func (u *ui) buildCommand() *cli.Command {
	return &cli.Command{
		Name:      "build",
		Usage:     "make the environment ready, and run nothing",
		UsageText: "devenv build [OPTIONS]",
		Description: examples(
			"devenv build                 what `enter` and `run` would do first",
			"devenv build --frozen        in CI: fail if devenv.lock is not up to date"),
		Flags: buildFlags(),
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return misuse("build takes no arguments")
			}
			p, built, err := u.ready(c)
			if err != nil {
				return err
			}
			defer built.Release()
			plan, err := p.Plan(c.Context, built, env.Entry{})
			if err != nil {
				return entryError(err)
			}
			if plan.Clean != nil {
				plan.Clean()
			}
			u.settle()
			if !u.json {
				u.say("%s is ready: %d packages", p.Dir, built.Packages)
				return nil
			}
			return u.value(map[string]any{"project": p.Dir, "packages": built.Packages, "tree": built.Tree}, func(w io.Writer) { fmt.Fprintln(w) })
		},
	}
}

// ready opens the project and brings its lock and its environment up to date.
func (u *ui) ready(c *cli.Context) (*env.Project, *env.Built, error) {
	p, err := u.open()
	if err != nil {
		return nil, nil, err
	}
	l, changes, err := p.Lock(c.Context, env.LockMode{Frozen: c.Bool("frozen")})
	if err != nil {
		return nil, nil, err
	}
	if len(changes) > 0 {
		u.say("%s: %s", p.LockName(), summary(changes))
	}
	built, err := p.Build(c.Context, l)
	return p, built, err
}

func (u *ui) open() (*env.Project, error) {
	return env.Open(".", env.Options{Report: u.progress()})
}

// anywhere opens the project, or where there is none what the user's own file
// says of mirrors: for questions that need no project.
func (u *ui) anywhere() (*env.Project, error) {
	return env.OpenAnywhere(".", env.Options{Report: u.progress()})
}
