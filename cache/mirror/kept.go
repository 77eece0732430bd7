package mirror

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"devenv/layers/alpm"
)

// Kept is one file that the archive keeps of a package.
type Kept struct {
	Version  string
	Arch     string
	Filename string    // empty where only the index of all packages knows it
	Size     int64     // bytes; 0: not known
	Modified time.Time // when the archive got it; zero: not known
}

const (
	pageAge = 24 * time.Hour
	// staleIndex is when the index of all packages is so old that a package's
	// own page is asked as well.
	staleIndex = 36 * time.Hour
)

// Kept lists what the archive keeps of a package for Config.Arch, newest first;
// nothing, and no error, where it does not know the name. It asks the index
// of all packages, and the package's own page only where the index may not know.
func (a *Archive) Kept(ctx context.Context, name string) ([]Kept, error) {
	if a.m.cfg.Archive == "" || !isName(name) {
		return nil, nil
	}
	if isLocal(a.m.cfg.Archive) {
		return a.Listed(ctx, name)
	}
	index, err := a.names(ctx)
	if err != nil {
		return nil, err
	}
	var kept []Kept
	if index != nil {
		kept = a.ours(index.find(name))
	}
	if len(kept) > 0 && time.Since(index.modified) < staleIndex {
		newestFirst(kept)
		return kept, nil
	}
	listed, err := a.Listed(ctx, name)
	if err != nil && len(kept) == 0 {
		return nil, err
	}
	kept = append(listed, kept...) // the page's know their file names
	newestFirst(kept)
	return slices.CompactFunc(kept, func(a, b Kept) bool { return a.Version == b.Version && a.Arch == b.Arch }), nil
}

// Listed is what a package's own page in the archive lists for Config.Arch, with
// file names and, where the page has them, dates and sizes. A name that has no page has nothing.
func (a *Archive) Listed(ctx context.Context, name string) ([]Kept, error) {
	if a.m.cfg.Archive == "" || !isName(name) {
		return nil, nil
	}
	ans := a.answer("page " + name)
	ans.once.Lock()
	defer ans.once.Unlock()
	if ans.done {
		return slices.Clone(ans.pkgs), ans.err
	}
	entries, err := a.m.list(ctx, a.m.packageDir(name), path.Join("packages", name[:1], name), pageAge)
	if err != nil && !isMissing(err) {
		return nil, err
	}
	ans.pkgs, ans.done = a.ours(packagesIn(entries, name)), true
	newestFirst(ans.pkgs)
	return slices.Clone(ans.pkgs), nil
}

// packagesIn are the files of a package in its directory. Of a version in
// several compressions, the one that unpacks fastest comes first.
func packagesIn(entries []entry, name string) []Kept {
	var kept []Kept
	for _, e := range entries {
		if e.dir || checkFilename(e.name) != nil {
			continue
		}
		n, version, arch, _ := alpm.ParseFilename(e.name)
		if n == name {
			kept = append(kept, Kept{Version: version, Arch: arch, Filename: e.name, Size: e.size, Modified: e.modified})
		}
	}
	slices.SortStableFunc(kept, func(a, b Kept) int { return suffixRank(a.Filename) - suffixRank(b.Filename) })
	return kept
}

// suffixes are how package files end, fastest to unpack first.
var suffixes = []string{".pkg.tar.zst", ".pkg.tar.xz", ".pkg.tar.gz", ".pkg.tar"}

func suffixRank(filename string) int {
	rank := slices.IndexFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(filename, suffix) })
	if rank < 0 {
		return len(suffixes)
	}
	return rank
}

// ours are those of Config.Arch and of any.
func (a *Archive) ours(kept []Kept) []Kept {
	return slices.DeleteFunc(kept, func(k Kept) bool { return k.Arch != a.m.cfg.Arch && k.Arch != "any" })
}
