package env

import (
	"context"
	"path"
	"slices"
	"strings"

	"devenv/env/resolve"
)

// Cures are the packages that would cure misses, for each by name: those that say
// that they provide the library, those that are called as the program is, and,
// with fileLists, all that have such a file. Lists of files are long: they are
// only asked for then.
func (p *Project) Cures(ctx context.Context, misses []Miss, fileLists bool) ([][]string, error) {
	cures := make([][]string, len(misses))
	if len(misses) == 0 {
		return cures, nil
	}
	repos, err := p.Repos(ctx)
	if err != nil {
		return nil, err
	}
	for i, m := range misses {
		cures[i] = curedBy(repos, m.Want)
	}
	if !fileLists {
		return cures, nil
	}
	wanted := map[string][]int{}
	for i, m := range misses {
		name := path.Base(m.Want)
		wanted[name] = append(wanted[name], i)
	}
	err = p.FileLists(ctx, func(_, name, _ string, files []string) error {
		for _, f := range files {
			for _, i := range wanted[path.Base(f)] {
				if serves(f, misses[i].Want) {
					cures[i] = appendNew(cures[i], name)
				}
			}
		}
		return nil
	})
	return cures, err
}

// serves reports whether a file of a package is what is wanted: a library where
// all look for libraries, or a program where all look for programs. Packages
// have no files in /bin or /lib, which are links.
func serves(file, want string) bool {
	if strings.HasPrefix(want, "/") {
		want = strings.TrimPrefix(want, "/")
		return file == want || file == path.Join("usr", want)
	}
	dir := path.Dir(file)
	return dir == "usr/lib" || dir == "usr/bin"
}

// curedBy is what the databases alone say: "libfoo.so.3" is provided as
// "libfoo.so" in version 3, and /usr/bin/perl is most likely of perl.
func curedBy(repos []*resolve.Repo, want string) []string {
	out := []string{}
	library, number, isLibrary := strings.Cut(want, ".so")
	version := strings.TrimPrefix(number, ".")
	for _, r := range repos {
		if !isLibrary {
			name := path.Base(want)
			if r.Index.Lookup(name) != nil {
				out = appendNew(out, name)
			}
			for _, pkg := range r.Index.Providers(name) {
				out = appendNew(out, pkg.Name)
			}
			continue
		}
		for _, pkg := range r.Index.Providers(library + ".so") {
			for _, d := range pkg.Provides {
				soname, _, _ := strings.Cut(d.Version, "-")
				if d.Name == library+".so" && (soname == version || d.Version == "") {
					out = appendNew(out, pkg.Name)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}
