package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"devenv/env"
	"devenv/env/lock"
)

func (u *ui) lockCommand() *cli.Command {
	return &cli.Command{
		Name:      "lock",
		Usage:     "write devenv.lock: the exact packages that devenv.toml asks for",
		UsageText: "devenv lock [--check]",
		Description: examples(
			"devenv lock                  resolve what changed in devenv.toml; move nothing else",
			"devenv lock --check          exit 1 if devenv.lock does not fit devenv.toml"),
		Flags: []cli.Flag{&cli.BoolFlag{Name: "check", Usage: "write nothing; fail if the lock does not fit"}},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return misuse("lock takes no arguments").hint("`devenv update PACKAGE` moves a locked version")
			}
			p, err := u.open()
			if err != nil {
				return err
			}
			l, changes, err := p.Lock(c.Context, env.LockMode{Frozen: c.Bool("check"), Mend: true})
			if err != nil {
				return err
			}
			u.settle()
			return u.value(changeList(changes), func(w io.Writer) {
				if len(changes) == 0 {
					u.say("%s is up to date: %d packages", p.LockName(), len(l.Packages))
					return
				}
				printChanges(w, changes)
			})
		},
	}
}

func (u *ui) updateCommand() *cli.Command {
	return &cli.Command{
		Name:      "update",
		Usage:     "move locked packages to the newest versions that devenv.toml allows",
		UsageText: "devenv update [--dry-run] [PACKAGE…]",
		Description: examples(
			"devenv update                everything",
			"devenv update gcc            gcc, and what must move with it",
			"devenv update --dry-run      only say what would change"),
		Flags: []cli.Flag{&cli.BoolFlag{Name: "dry-run", Aliases: []string{"n"}, Usage: "write nothing"}},
		Action: func(c *cli.Context) error {
			p, err := env.Open(".", env.Options{Report: u.progress(), Refresh: true})
			if err != nil {
				return err
			}
			names := c.Args().Slice()
			_, changes, err := p.Lock(c.Context, env.LockMode{Update: names, All: len(names) == 0, DryRun: c.Bool("dry-run")})
			if err != nil {
				return err
			}
			u.settle()
			return u.value(changeList(changes), func(w io.Writer) {
				if len(changes) == 0 {
					u.say("nothing to update")
					return
				}
				printChanges(w, changes)
			})
		},
	}
}

// change is one difference of two locks, for --json.
type change struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

func changeList(changes []lock.Change) []change {
	out := []change{}
	for _, c := range changes {
		v := change{Kind: string(c.Kind), Name: c.Name}
		if c.Old != nil {
			v.Old = c.Old.Version
		}
		if c.New != nil {
			v.New = c.New.Version
		}
		out = append(out, v)
	}
	return out
}

func printChanges(w io.Writer, changes []lock.Change) {
	for _, c := range changeList(changes) {
		switch {
		case c.Old == "":
			fmt.Fprintf(w, "+ %s %s\n", c.Name, c.New)
		case c.New == "":
			fmt.Fprintf(w, "- %s %s\n", c.Name, c.Old)
		default:
			fmt.Fprintf(w, "  %s %s → %s\n", c.Name, c.Old, c.New)
		}
	}
}

// summary counts changes in one line.
func summary(changes []lock.Change) string {
	var parts []string
	for _, k := range []lock.Kind{lock.Added, lock.Removed, lock.Upgraded, lock.Downgraded, lock.Rebuilt} {
		n := 0
		for _, c := range changes {
			if c.Kind == k {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, k))
		}
	}
	return strings.Join(parts, ", ")
}
