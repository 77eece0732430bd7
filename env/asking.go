package env

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"

	"devenv/cache/mirror"
	"devenv/env/lock"
	"devenv/env/manifest"
	"devenv/env/resolve"
	"devenv/layers/alpm"
)

// Candidates are the packages of a name that the repositories in view have,
// the most preferred first, with the repository of each.
func Candidates(repos []*resolve.Repo, name string) []resolve.Chosen {
	var out []resolve.Chosen
	repo, name, inRepo := cutRepo(name)
	for _, r := range repos {
		if inRepo && r.Name != repo {
			continue
		}
		for _, pkg := range r.Index.Versions(name) {
			out = append(out, resolve.Chosen{Package: pkg, Repo: r.Name, Day: r.Day, From: resolve.FromRepo})
		}
	}
	return out
}

func cutRepo(name string) (repo, rest string, ok bool) {
	if repo, rest, ok = strings.Cut(name, "/"); ok {
		return repo, rest, true
	}
	return "", name, false
}

// Unknown is the error for a name that no repository has, with what may have
// been meant.
func Unknown(repos []*resolve.Repo, name string) error {
	var all []string
	var provided []string
	for _, r := range repos {
		for n := range r.Index.Names() {
			all = append(all, n)
		}
		for _, pkg := range r.Index.Providers(name) {
			provided = append(provided, pkg.Name)
		}
	}
	err := fmt.Errorf("no repository has a package %q", name)
	switch s := manifest.Suggest(name, all); {
	case len(provided) > 0:
		err = fmt.Errorf("%w\nhint: it is provided by %s", err, strings.Join(provided, ", "))
	case s != "":
		err = fmt.Errorf("%w\nhint: did you mean %s?", err, s)
	default:
		err = fmt.Errorf("%w\nhint: `devenv search WORD` looks in names and descriptions", err)
	}
	return &UnknownPackageError{Err: err}
}

// Links are a lock's packages as a graph wants them.
func Links(pkgs []lock.Package) []resolve.Link {
	out := make([]resolve.Link, len(pkgs))
	for i, pkg := range pkgs {
		out[i] = resolve.Link{Name: pkg.Name, By: pkg.By}
	}
	return out
}

// FileLists reads the .files database of each repository in view, which are
// large and fetched only for this. each is told every package's files.
func (p *Project) FileLists(ctx context.Context, each func(repo, name, version string, files []string) error) error {
	for _, r := range p.Mirrors.Repositories(p.Snapshot) {
		file, _, err := p.mirror.SyncFiles(ctx, r.Name, p.Snapshot, mirror.Options{Refresh: p.opt.Refresh})
		if err != nil {
			return err
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		err = alpm.ReadFiles(f, func(name, version string, files []string) error { return each(r.Name, name, version, files) })
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// Owner is a package that has a file.
type Owner struct {
	Repo    string `json:"repo"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Path    string `json:"path"`
}

// Owners are the packages that have a file: a whole path, or the name of a
// command, which is looked for in the directories of PATH.
func (p *Project) Owners(ctx context.Context, what string) ([]Owner, error) {
	var wanted []string
	if strings.Contains(what, "/") {
		wanted = []string{strings.TrimPrefix(path.Clean(what), "/")}
		for _, top := range []string{"bin/", "sbin/", "usr/sbin/"} {
			if rest, ok := strings.CutPrefix(wanted[0], top); ok {
				wanted = append(wanted, "usr/bin/"+rest) // merged /usr
			}
		}
	} else {
		for _, d := range paths {
			wanted = append(wanted, strings.TrimPrefix(path.Join(d, what), "/"))
		}
	}
	var out []Owner
	err := p.FileLists(ctx, func(repo, name, version string, files []string) error {
		for _, f := range files {
			for _, w := range wanted {
				if f == w {
					out = append(out, Owner{repo, name, version, "/" + f})
				}
			}
		}
		return nil
	})
	return out, err
}
