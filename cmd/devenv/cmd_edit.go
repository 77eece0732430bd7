package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/urfave/cli/v2"

	"devenv/env"
	"devenv/env/lock"
	"devenv/env/manifest"
)

func (u *ui) initCommand() *cli.Command {
	return &cli.Command{
		Name:        "init",
		Usage:       "write a devenv.toml into the current directory",
		UsageText:   "devenv init [--snapshot DAY]",
		Description: examples("devenv init                       packages of today's mirrors", "devenv init --snapshot 2026-11-20  those of a day in the Arch Linux Archive"),
		Flags:       []cli.Flag{&cli.StringFlag{Name: "snapshot", Usage: "a `DAY` in the Arch Linux Archive, YYYY-MM-DD"}},
		Action: func(c *cli.Context) error {
			if err := none(c); err != nil {
				return err
			}
			day := c.String("snapshot")
			if day != "" {
				var err error
				if day, err = manifest.ParseDay(day); err != nil {
					return misuse("--snapshot: %w", err)
				}
			}
			f, err := os.OpenFile(manifest.FileName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				return misuse("there is a %s here already", manifest.FileName).hint("`devenv add PACKAGE` adds to it")
			}
			if err != nil {
				return err
			}
			if _, err := f.Write(manifest.Template(day)); err != nil {
				os.Remove(manifest.FileName)
				return errors.Join(err, f.Close())
			}
			u.say("wrote %s; next: devenv add gcc make", manifest.FileName)
			return f.Close()
		},
	}
}

func (u *ui) addCommand() *cli.Command {
	return &cli.Command{
		Name:      "add",
		Usage:     "add packages to devenv.toml, or pin them anew",
		UsageText: "devenv add PACKAGE[@PIN]…",
		Description: examples(
			"devenv add make              any version; devenv.lock holds the exact one",
			"devenv add gcc@14.2.1        this version",
			"devenv add 'cmake@>=3.28, <4'"),
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return misuse("add what?").hint("devenv add PACKAGE[@PIN]…; `devenv search WORD` finds packages")
			}
			return u.edit(c, func(src []byte) ([]byte, error) {
				for _, arg := range c.Args().Slice() {
					name, pin, pinned := strings.Cut(arg, "@")
					if !pinned {
						pin = "*"
					}
					if _, err := manifest.ParsePin(pin); err != nil {
						return nil, misuse("%s: %w", arg, err)
					}
					var err error
					if src, err = manifest.Add(src, name, pin); err != nil {
						return nil, fmt.Errorf("adding %s: %w", arg, err)
					}
				}
				return src, nil
			})
		},
	}
}

func (u *ui) removeCommand() *cli.Command {
	return &cli.Command{
		Name:        "remove",
		Aliases:     []string{"rm"},
		Usage:       "remove packages from devenv.toml, with their configuration",
		UsageText:   "devenv remove PACKAGE…",
		Description: examples("devenv remove cmake"),
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return misuse("remove what?").hint("devenv remove PACKAGE…")
			}
			return u.edit(c, func(src []byte) ([]byte, error) {
				for _, name := range c.Args().Slice() {
					var err error
					if src, err = manifest.Remove(src, name); err != nil {
						return nil, err
					}
				}
				return src, nil
			})
		},
	}
}

// edit changes devenv.toml and brings devenv.lock up to date with it; where
// that cannot be done, devenv.toml is put back.
func (u *ui) edit(c *cli.Context, change func([]byte) ([]byte, error)) error {
	path, err := manifest.Find(".")
	if err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link stays a link
	}
	again := keepAllowed() // what was allowed to activate itself still is: the user's own command changes it
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	src, err := change(old)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(path, src, info.Mode().Perm()); err != nil {
		return err
	}
	changes, err := u.relock(c)
	if err != nil {
		if back := renameio.WriteFile(path, old, info.Mode().Perm()); back != nil {
			return errors.Join(err, back)
		}
		return err
	}
	if err := again(); err != nil {
		return err
	}
	u.settle()
	if u.json {
		return u.value(changeList(changes), nil)
	}
	printChanges(u.out, changes)
	return nil
}

func (u *ui) relock(c *cli.Context) ([]lock.Change, error) {
	p, err := u.open()
	if err != nil {
		return nil, err
	}
	_, changes, err := p.Lock(c.Context, env.LockMode{})
	return changes, err
}
