package main

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"devenv/env"
	"devenv/env/resolve"
	"devenv/layers/alpm"
)

// one gives a command's only argument.
func one(c *cli.Context, what string) (string, error) {
	if c.NArg() != 1 {
		return "", misuse("%s takes one %s", c.Command.Name, what).hint("`devenv %s --help` has examples", c.Command.Name)
	}
	return c.Args().First(), nil
}

// none keeps a command that takes no arguments from overlooking some.
func none(c *cli.Context) error {
	if c.Args().Present() {
		return misuse("%s takes no arguments", c.Command.Name).hint("`devenv help` lists the commands")
	}
	return nil
}

// inView gives the repositories that are resolved against, in a project or
// outside of any.
func (u *ui) inView(ctx context.Context) (*env.Project, []*resolve.Repo, error) {
	p, err := u.anywhere()
	if err != nil {
		return nil, nil, err
	}
	repos, err := p.Repos(ctx)
	return p, repos, err
}

func table(w io.Writer, rows func(w io.Writer)) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	rows(t)
	t.Flush()
}

func (u *ui) searchCommand() *cli.Command {
	type found struct {
		Repo    string   `json:"repo"`
		Name    string   `json:"name"`
		Version string   `json:"version"`
		Desc    string   `json:"description"`
		Groups  []string `json:"groups,omitempty"`
	}
	return &cli.Command{
		Name:        "search",
		Usage:       "find packages by words in their name and description",
		UsageText:   "devenv search WORD…",
		Description: examples("devenv search json command-line", "devenv --json search clang"),
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return misuse("search for what?").hint("devenv search WORD…")
			}
			_, repos, err := u.inView(c.Context)
			if err != nil {
				return err
			}
			words := c.Args().Slice()
			for i := range words {
				words[i] = strings.ToLower(words[i])
			}
			out := []found{}
			for _, r := range repos {
				for _, pkg := range r.Index.Search(func(name, desc string) bool {
					text := strings.ToLower(name + " " + desc)
					return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
				}) {
					out = append(out, found{r.Name, pkg.Name, pkg.Version, pkg.Desc, pkg.Groups})
				}
			}
			u.settle()
			if len(out) == 0 && !u.json {
				return &failure{err: fmt.Errorf("nothing has %s in its name or description", strings.Join(words, " and ")), code: 1}
			}
			return u.value(out, func(w io.Writer) {
				for _, f := range out {
					fmt.Fprintf(w, "%s %s\n    %s\n", u.bold(f.Repo+"/"+f.Name), f.Version, f.Desc)
				}
			})
		},
	}
}

func (u *ui) infoCommand() *cli.Command {
	return &cli.Command{
		Name:        "info",
		Usage:       "show what the repositories say of a package",
		UsageText:   "devenv info PACKAGE",
		Description: examples("devenv info gcc", "devenv --json info extra/clang"),
		Action: func(c *cli.Context) error {
			name, err := one(c, "package")
			if err != nil {
				return err
			}
			_, repos, err := u.inView(c.Context)
			if err != nil {
				return err
			}
			found := env.Candidates(repos, name)
			if len(found) == 0 {
				return env.Unknown(repos, name)
			}
			u.settle()
			pkg := found[0]
			v := map[string]any{
				"repo": pkg.Repo, "name": pkg.Name, "version": pkg.Version, "description": pkg.Desc, "url": pkg.URL, "arch": pkg.Arch,
				"licenses": list(pkg.Licenses), "groups": list(pkg.Groups), "depends": deps(pkg.Depends), "optdepends": list(pkg.OptDepends),
				"provides": deps(pkg.Provides), "conflicts": deps(pkg.Conflicts), "replaces": deps(pkg.Replaces),
				"size": pkg.Size, "installed_size": pkg.InstalledSize, "build_date": time.Unix(pkg.BuildDate, 0).UTC().Format(time.RFC3339),
				"packager": pkg.Packager, "sha256": pkg.SHA256, "file": pkg.Filename,
			}
			return u.value(v, func(w io.Writer) {
				table(w, func(w io.Writer) {
					for _, key := range []string{"repo", "name", "version", "description", "url", "arch", "licenses", "groups", "depends", "optdepends",
						"provides", "conflicts", "replaces", "size", "installed_size", "build_date", "packager", "sha256", "file"} {
						value := fmt.Sprint(v[key])
						if words, ok := v[key].([]string); ok {
							value = strings.Join(words, "  ")
						}
						fmt.Fprintf(w, "%s\t%s\n", key, value)
					}
				})
			})
		},
	}
}

func list(s []string) []string { return append([]string{}, s...) }

func deps(d []alpm.Dep) []string {
	out := []string{}
	for _, x := range d {
		out = append(out, x.String())
	}
	return out
}

func (u *ui) versionsCommand() *cli.Command {
	type version struct {
		Version string `json:"version"`
		Arch    string `json:"arch"`
		Day     string `json:"day,omitempty"` // when the archive got it
		Where   string `json:"where,omitempty"`
	}
	return &cli.Command{
		Name:        "versions",
		Usage:       "list the versions of a package that can be had",
		UsageText:   "devenv versions PACKAGE",
		Description: examples("devenv versions gcc            newest first; with the day each came into the archive"),
		Action: func(c *cli.Context) error {
			name, err := one(c, "package")
			if err != nil {
				return err
			}
			p, repos, err := u.inView(c.Context)
			if err != nil {
				return err
			}
			var out []version
			now := map[string]string{}
			for _, v := range env.Candidates(repos, name) {
				now[v.Version] = v.Repo
			}
			kept, err := p.Mirror().Archive().Kept(c.Context, path.Base(name))
			if err != nil && len(now) == 0 {
				return err
			}
			if err != nil {
				u.say("the archive cannot be asked: %v", err)
			}
			for _, k := range kept {
				v := version{Version: k.Version, Arch: k.Arch, Where: now[k.Version]}
				delete(now, k.Version)
				if !k.Modified.IsZero() {
					v.Day = k.Modified.UTC().Format(time.DateOnly)
				}
				out = append(out, v)
			}
			for v, repo := range now {
				out = append(out, version{Version: v, Where: repo})
			}
			if len(out) == 0 {
				return env.Unknown(repos, name)
			}
			slices.SortStableFunc(out, func(a, b version) int { return alpm.Compare(b.Version, a.Version) })
			u.settle()
			return u.value(out, func(w io.Writer) {
				table(w, func(w io.Writer) {
					for _, v := range out {
						fmt.Fprintf(w, "%s\t%s\t%s\n", v.Version, v.Day, v.Where)
					}
				})
			})
		},
	}
}

func (u *ui) filesCommand() *cli.Command {
	return &cli.Command{
		Name:        "files",
		Usage:       "list the files of a package",
		UsageText:   "devenv files PACKAGE",
		Description: examples("devenv files gcc"),
		Action: func(c *cli.Context) error {
			name, err := one(c, "package")
			if err != nil {
				return err
			}
			p, err := u.anywhere()
			if err != nil {
				return err
			}
			out := []string{}
			found := false
			err = p.FileLists(c.Context, func(repo, n, _ string, files []string) error {
				if !found && (n == name || repo+"/"+n == name) {
					found = true
					for _, f := range files {
						out = append(out, "/"+f)
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			if !found {
				repos, err := p.Repos(c.Context)
				if err != nil {
					return err
				}
				return env.Unknown(repos, name)
			}
			u.settle()
			return u.value(out, func(w io.Writer) { fmt.Fprintln(w, strings.Join(out, "\n")) })
		},
	}
}

func (u *ui) ownsCommand() *cli.Command {
	return &cli.Command{
		Name:        "owns",
		Usage:       "find the packages that have a file or a command",
		UsageText:   "devenv owns PATH|COMMAND",
		Description: examples("devenv owns /usr/include/zlib.h", "devenv owns gdb"),
		Action: func(c *cli.Context) error {
			what, err := one(c, "path")
			if err != nil {
				return err
			}
			p, err := u.anywhere()
			if err != nil {
				return err
			}
			out, err := p.Owners(c.Context, what)
			if err != nil {
				return err
			}
			u.settle()
			if len(out) == 0 && !u.json {
				return &failure{err: fmt.Errorf("no package has %s", what), code: 1}
			}
			return u.value(append([]env.Owner{}, out...), func(w io.Writer) {
				for _, o := range out {
					fmt.Fprintf(w, "%s/%s %s: %s\n", o.Repo, o.Name, o.Version, o.Path)
				}
			})
		},
	}
}
