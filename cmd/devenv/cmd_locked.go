package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"devenv/env"
	"devenv/env/lock"
	"devenv/env/resolve"
	"devenv/layers/alpm"
)

// locked opens the project and its lock, without bringing it up to date.
func (u *ui) locked() (*env.Project, *lock.Lock, error) {
	p, err := u.open()
	if err != nil {
		return nil, nil, err
	}
	l, err := p.ReadLock()
	if err == nil && l == nil {
		err = (&failure{err: fmt.Errorf("there is no %s", p.LockPath()), code: 1}).hint("`devenv lock` writes it")
	}
	return p, l, err
}

func (u *ui) whyCommand() *cli.Command {
	return &cli.Command{
		Name:        "why",
		Usage:       "say why a package is in the environment",
		UsageText:   "devenv why PACKAGE",
		Description: examples("devenv why zlib"),
		Action: func(c *cli.Context) error {
			name, err := one(c, "package")
			if err != nil {
				return err
			}
			p, l, err := u.locked()
			if err != nil {
				return err
			}
			pkgs := l.ForHost(p.Host)
			g := resolve.NewGraph(env.Links(pkgs))
			if !g.Has(name) {
				return misuse("%s is not in %s", name, p.LockPath())
			}
			chains := g.Why(name)
			return u.value(chains, func(w io.Writer) {
				for _, chain := range chains {
					fmt.Fprintln(w, strings.Join(append([]string{asked(p, pkgs, chain[0])}, chain...), " → "))
				}
			})
		},
	}
}

// asked is where a package was asked for.
func asked(p *env.Project, pkgs []lock.Package, name string) string {
	if m := p.Package(name); m != nil {
		return m.Pos.String()
	}
	for _, pkg := range pkgs {
		if pkg.Name != name {
			continue
		}
		for _, by := range pkg.By {
			if m := p.Package(by); m != nil { // a group or a virtual name
				return fmt.Sprintf("%s (%s)", m.Pos, by)
			}
		}
	}
	return "the base set"
}

func (u *ui) treeCommand() *cli.Command {
	type node struct {
		Name    string   `json:"name"`
		Version string   `json:"version"`
		Needs   []string `json:"needs"`
		Asked   bool     `json:"asked"`
	}
	return &cli.Command{
		Name:        "tree",
		Usage:       "show the packages of the environment, each with what it needs",
		UsageText:   "devenv tree",
		Description: examples("devenv tree"),
		Action: func(c *cli.Context) error {
			if err := none(c); err != nil {
				return err
			}
			p, l, err := u.locked()
			if err != nil {
				return err
			}
			pkgs := l.ForHost(p.Host)
			g := resolve.NewGraph(env.Links(pkgs))
			version := map[string]string{}
			var nodes []node
			for _, pkg := range pkgs {
				version[pkg.Name] = pkg.Version
				nodes = append(nodes, node{pkg.Name, pkg.Version, list(g.Needs(pkg.Name)), slices.Contains(g.Roots(), pkg.Name)})
			}
			return u.value(nodes, func(w io.Writer) {
				seen := map[string]bool{}
				var draw func(name, lead string)
				draw = func(name, lead string) {
					needs := g.Needs(name)
					for i, n := range needs {
						branch, next := "├── ", "│   "
						if i == len(needs)-1 {
							branch, next = "└── ", "    "
						}
						again := ""
						if seen[n] && len(g.Needs(n)) > 0 {
							again = u.faint(" (above)")
						}
						fmt.Fprintf(w, "%s%s%s %s%s\n", lead, branch, n, version[n], again)
						if !seen[n] {
							seen[n] = true
							draw(n, lead+next)
						}
					}
				}
				for _, root := range g.Roots() {
					fmt.Fprintf(w, "%s %s\n", u.bold(root), version[root])
					if !seen[root] {
						seen[root] = true
						draw(root, "")
					}
				}
			})
		},
	}
}

func (u *ui) showCommand() *cli.Command {
	return &cli.Command{
		Name:        "show",
		Usage:       "show the project: what it asks for, and what that came to",
		UsageText:   "devenv show [--resolved]",
		Description: examples("devenv show", "devenv show --resolved        every package of the lock"),
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "resolved", Usage: "list every package of devenv.lock"}},
		Action: func(c *cli.Context) error {
			if err := none(c); err != nil {
				return err
			}
			p, err := u.open()
			if err != nil {
				return err
			}
			l, err := p.ReadLock()
			if err != nil {
				return err
			}
			var pkgs []lock.Package
			if l != nil {
				pkgs = l.ForHost(p.Host)
			}
			at := func(name string) string {
				i := slices.IndexFunc(pkgs, func(pkg lock.Package) bool { return pkg.Name == name })
				if i < 0 {
					return "" // a group or a virtual name
				}
				return pkgs[i].Version
			}
			type asked struct {
				Name   string `json:"name"`
				Pin    string `json:"pin"`
				Locked string `json:"locked,omitempty"`
			}
			type resolved struct {
				Name    string   `json:"name"`
				Version string   `json:"version"`
				Repo    string   `json:"repo"`
				From    string   `json:"from,omitempty"`
				By      []string `json:"by"`
				Base    bool     `json:"base"`
			}
			v := struct {
				Project  string     `json:"project"`
				Snapshot string     `json:"snapshot"`
				Arch     string     `json:"arch"`
				Host     string     `json:"host"`
				Packages []asked    `json:"packages"`
				Resolved []resolved `json:"resolved,omitempty"`
			}{Project: p.Dir, Snapshot: p.Snapshot, Arch: p.Arch, Host: p.Host, Packages: []asked{}}
			if v.Snapshot == "" {
				v.Snapshot = "latest"
			}
			for _, pkg := range p.Packages {
				v.Packages = append(v.Packages, asked{pkg.Name, pkg.Pin.String(), at(pkg.Name)})
			}
			if c.Bool("resolved") {
				for _, pkg := range pkgs {
					v.Resolved = append(v.Resolved, resolved{pkg.Name, pkg.Version, pkg.Repo, pkg.From, list(pkg.By), pkg.Base})
				}
			}
			return u.value(v, func(w io.Writer) {
				fmt.Fprintf(w, "%s, packages of %s for %s\n", v.Project, v.Snapshot, v.Arch)
				table(w, func(w io.Writer) {
					for _, a := range v.Packages {
						fmt.Fprintf(w, "  %s\t%s\t%s\n", a.Name, a.Pin, a.Locked)
					}
					if len(v.Resolved) > 0 {
						fmt.Fprintln(w)
					}
					for _, r := range v.Resolved {
						fmt.Fprintf(w, "  %s\t%s\t%s\n", r.Name, r.Version, strings.TrimSuffix(r.Repo+" "+r.From, " "))
					}
				})
			})
		},
	}
}

func (u *ui) diffCommand() *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "say what changed between two locks",
		UsageText: "devenv diff [OLD-LOCK [NEW-LOCK]]",
		Description: examples(
			"devenv diff                  devenv.lock against what devenv.toml asks for now",
			"devenv diff old.lock         an older lock against devenv.lock",
			"git show HEAD~9:devenv.lock >/tmp/old && devenv diff /tmp/old"),
		Action: func(c *cli.Context) error {
			if c.NArg() > 2 {
				return misuse("diff takes at most two locks")
			}
			p, err := u.open()
			if err != nil {
				return err
			}
			var changes []lock.Change
			if c.NArg() == 0 {
				if _, changes, err = p.Lock(c.Context, env.LockMode{DryRun: true}); err != nil {
					return err
				}
			} else {
				locks := append(c.Args().Slice(), p.LockPath())
				old, err := readLock(locks[0])
				if err != nil {
					return err
				}
				next, err := readLock(locks[1])
				if err != nil {
					return err
				}
				changes = lock.Diff(old, next)
			}
			u.settle()
			return u.value(changeList(changes), func(w io.Writer) { printChanges(w, changes) })
		},
	}
}

func readLock(path string) (*lock.Lock, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, misuse("%w", err)
	}
	return lock.Parse(path, b)
}

func (u *ui) outdatedCommand() *cli.Command {
	type row struct {
		Name   string `json:"name"`
		Locked string `json:"locked"`
		Newest string `json:"newest"`
		Pin    string `json:"pin,omitempty"`
	}
	return &cli.Command{
		Name:        "outdated",
		Usage:       "list locked packages of which the repositories have a newer version",
		UsageText:   "devenv outdated",
		Description: examples("devenv outdated              `devenv update` moves those that no pin holds"),
		Action: func(c *cli.Context) error {
			if err := none(c); err != nil {
				return err
			}
			p, l, err := u.locked()
			if err != nil {
				return err
			}
			repos, err := p.Repos(c.Context)
			if err != nil {
				return err
			}
			out := []row{}
			for _, pkg := range l.ForHost(p.Host) {
				found := env.Candidates(repos, pkg.Name)
				if len(found) == 0 || alpm.Compare(found[0].Version, pkg.Version) <= 0 {
					continue
				}
				r := row{Name: pkg.Name, Locked: pkg.Version, Newest: found[0].Version}
				if m := p.Package(pkg.Name); m != nil && !m.Pin.Matches(r.Newest) {
					r.Pin = m.Pin.String()
				}
				out = append(out, r)
			}
			u.settle()
			return u.value(out, func(w io.Writer) {
				table(w, func(w io.Writer) {
					for _, r := range out {
						held := ""
						if r.Pin != "" {
							held = "held by " + r.Pin
						}
						fmt.Fprintf(w, "%s\t%s → %s\t%s\n", r.Name, r.Locked, r.Newest, held)
					}
				})
			})
		},
	}
}
