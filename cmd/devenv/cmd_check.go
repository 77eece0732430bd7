package main

import (
	"context"
	"fmt"
	"io"
	"slices"
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
			"devenv check                 mostly libraries of optional dependencies, with the package to add"),
		Flags: buildFlags(),
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return misuse("check takes no arguments")
			}
			p, built, err := u.ready(c)
			if err != nil {
				return err
			}
			defer built.Release()
			out := []miss{}
			for _, m := range built.Misses {
				cure, err := providers(c.Context, p, m.Want)
				if err != nil {
					return err
				}
				out = append(out, miss{m, cure})
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

// providers are the packages that say they have a library: "libfoo.so.3" is
// provided as "libfoo.so" in version 3.
func providers(ctx context.Context, p *env.Project, want string) ([]string, error) {
	name, number, isLibrary := strings.Cut(want, ".so")
	if !isLibrary {
		return []string{}, nil
	}
	repos, err := p.Repos(ctx)
	if err != nil {
		return nil, err
	}
	version := strings.TrimPrefix(number, ".")
	out := []string{}
	for _, r := range repos {
		for _, pkg := range r.Index.Providers(name + ".so") {
			for _, d := range pkg.Provides {
				soname, _, _ := strings.Cut(d.Version, "-")
				if d.Name == name+".so" && (soname == version || d.Version == "") && !slices.Contains(out, pkg.Name) {
					out = append(out, pkg.Name)
				}
			}
		}
	}
	return out, nil
}
