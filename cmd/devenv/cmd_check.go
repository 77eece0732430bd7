package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"devenv/env"
)

func (u *ui) checkCommand() *cli.Command {
	type miss struct {
		env.Miss
		Add []string `json:"add"` // packages that would cure it
	}
	return &cli.Command{
		Name:      "check",
		Usage:     "list what files of the environment need and nothing in it has",
		UsageText: "devenv check",
		Description: examples(
			"devenv check                 mostly libraries of optional dependencies, with the package to add",
			"devenv check --files         looks for those packages in the lists of files, too"),
		Flags: append(buildFlags(), &cli.BoolFlag{Name: "files", Usage: "look for packages to add in the lists of files, too (Arch's have some 50 MB)"}),
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return misuse("check takes no arguments")
			}
			p, built, err := u.ready(c)
			if err != nil {
				return err
			}
			defer built.Release()
			cures, err := p.Cures(c.Context, built.Misses, c.Bool("files"))
			if err != nil {
				return err
			}
			out := []miss{}
			for i, m := range built.Misses {
				out = append(out, miss{m, cures[i]})
			}
			u.settle()
			return u.value(out, func(w io.Writer) {
				for _, m := range out {
					fmt.Fprintf(w, "%s: %s\n", m.Package, m.Problem)
					if len(m.Add) > 0 {
						fmt.Fprintf(w, "    devenv add %s\n", strings.Join(m.Add, "  or  devenv add "))
					}
				}
				u.say("%d packages checked: %d needs that nothing meets", built.Packages, len(out))
			})
		},
	}
}
