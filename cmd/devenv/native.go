package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"devenv/env"
	"devenv/env/lock"
	"devenv/env/native"
	"devenv/env/sandbox"
	"devenv/shellhooks"
)

// namespaced are the options of `run` and `enter` that ask for what only a
// namespace gives.
var namespaced = []string{"no-network", "read-only-project", "ephemeral", "without", "explain"}

// enterNative is enter with --native: the project's tools on the host as it is.
// No command is a shell.
func (u *ui) enterNative(c *cli.Context, args []string) error {
	for _, name := range namespaced {
		if c.IsSet(name) {
			return misuse("--%s needs a namespace, and with --native there is none", name).hint("leave out one of the two")
		}
	}
	p, l, err := u.lockedNow(c.Context, ".", env.LockMode{Frozen: c.Bool("frozen")})
	if err != nil {
		return err
	}
	tools, err := p.Outside(c.Context, l, nil)
	if err != nil {
		return err
	}
	defer tools.Release()
	vars := inactive(variables(os.Environ()))
	if c.Bool("pure") {
		maps.DeleteFunc(vars, func(name, _ string) bool {
			return name != "PATH" && name != "SHELL" && !slices.Contains(sandbox.Kept, name)
		})
	}
	activate(vars, tools.Vars)
	return u.natively(tools, vars, commandOf(c, p, args))
}

// lockedNow opens the project that dir lies in, with its lock brought up to date.
func (u *ui) lockedNow(ctx context.Context, dir string, mode env.LockMode) (*env.Project, *lock.Lock, error) {
	p, err := env.Open(dir, env.Options{Report: u.progress()})
	if err != nil {
		return nil, nil, err
	}
	if _, err := p.Nested(env.Entry{Once: true}); err != nil {
		return nil, nil, err
	}
	l, changes, err := p.Lock(ctx, mode)
	if err != nil {
		return nil, nil, err
	}
	if len(changes) > 0 {
		u.say("%s: %s", p.LockName(), summary(changes))
	}
	return p, l, nil
}

// inactive are the variables without what a shell's hook has activated.
func inactive(vars map[string]string) map[string]string {
	d, _ := shellhooks.Switch(vars, nil) // of what is not known nothing is taken back
	return changed(vars, d)
}

// activate sets variables, and in PATH puts their directories before those that
// are there.
func activate(vars, set map[string]string) {
	path := vars["PATH"]
	maps.Copy(vars, set)
	if path != "" { // an empty one would stand for the working directory
		vars["PATH"] += ":" + path
	}
}

func changed(vars map[string]string, d shellhooks.Diff) map[string]string {
	out := maps.Clone(vars)
	for name := range d.Before {
		delete(out, name)
	}
	maps.Copy(out, d.After)
	return out
}

// natively becomes a command with these variables, or a shell. It returns only
// if that cannot be done.
func (u *ui) natively(tools *env.Outside, vars map[string]string, command []string) error {
	if why := native.Untraceable(filepath.Join(tools.Dir, native.Bin), command); why != "" {
		u.say("%s", why)
	}
	os.Clearenv()
	for name, value := range vars {
		os.Setenv(name, value)
	}
	file := ""
	if len(command) > 0 {
		file = command[0]
	} else {
		start, err := tools.Shell(os.Getenv)
		if errors.Is(err, env.ErrNoShell) {
			return (&failure{err: err, code: 127}).hint("run one command in place of a shell")
		}
		if err != nil {
			return err
		}
		for _, v := range start.Env {
			os.Setenv(v.Key, v.Value)
		}
		file, command = start.Argv[0], start.Argv
	}
	u.settle()
	if err := tools.PassOn(); err != nil {
		return err
	}
	return become(file, command)
}

// become executes a command in this process's place. It returns only if that
// cannot be done.
func become(name string, argv []string) error {
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrDot) {
		err = nil // PATH has "." in it, as the user wants
	}
	if err == nil {
		sandbox.AsCalled()
		err = unix.Exec(path, argv, os.Environ())
	}
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return (&failure{err: fmt.Errorf("%s: no such command", name), code: 127}).hint("`devenv owns %s` says which package has it", filepath.Base(name))
	default:
		return &failure{err: fmt.Errorf("%s: cannot be executed: %w", name, err), code: 126}
	}
}
