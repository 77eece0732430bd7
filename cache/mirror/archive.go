package mirror

import (
	"context"
	"errors"
	"slices"
	"sync"

	"devenv/cache/fetch"
	"devenv/layers/alpm"
)

// Archive answers what the repositories in view do not: every version that is
// kept of a package, what one of them says of itself, and when it was current.
// It is safe for concurrent use. What it was told it keeps on disk; that
// something is not there it remembers until the process ends.
type Archive struct {
	m *Mirror

	mu    sync.Mutex
	index *names
	asked map[string]*answer
}

// answer is one question's, asked once however many want to know.
type answer struct {
	once sync.Mutex
	done bool
	pkgs []Kept
	head *head
	err  error
}

func newArchive(m *Mirror) *Archive {
	return &Archive{m: m, asked: make(map[string]*answer)}
}

func (a *Archive) answer(key string) *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked[key] == nil {
		a.asked[key] = &answer{}
	}
	return a.asked[key]
}

// Versions lists every full version kept of a package for Config.Arch, newest
// first; none, and no error, where the archive does not know the name.
func (a *Archive) Versions(ctx context.Context, name string) ([]string, error) {
	kept, err := a.Kept(ctx, name)
	if err != nil {
		return nil, err
	}
	versions := make([]string, 0, len(kept))
	for _, k := range kept {
		if len(versions) == 0 || versions[len(versions)-1] != k.Version {
			versions = append(versions, k.Version)
		}
	}
	return versions, nil
}

// Package reads one version from the package's own head. Its SHA256 is empty:
// no head can hold the hash of its file; Mirror.Package finds it out. A version
// that is not kept is an error that errors.Is finds fs.ErrNotExist in.
func (a *Archive) Package(ctx context.Context, name, version string) (*alpm.Package, error) {
	h, err := a.headOf(ctx, name, version)
	if err != nil {
		return nil, err
	}
	return h.Package, nil
}

// BuildInfo is the .BUILDINFO of one version; nil where it was packaged without.
func (a *Archive) BuildInfo(ctx context.Context, name, version string) (*alpm.BuildInfo, error) {
	h, err := a.headOf(ctx, name, version)
	if err != nil {
		return nil, err
	}
	return h.Build, nil
}

// newestFirst sorts by version, then files of Config.Arch before those of any.
func newestFirst(kept []Kept) {
	slices.SortStableFunc(kept, func(a, b Kept) int {
		if c := alpm.Compare(b.Version, a.Version); c != 0 {
			return c
		}
		if a.Version != b.Version { // "1.0" and "1.00" are one version, spelt apart
			if a.Version > b.Version {
				return -1
			}
			return 1
		}
		return anyLast(a) - anyLast(b)
	})
}

func anyLast(k Kept) int {
	if k.Arch == "any" {
		return 1
	}
	return 0
}

func isMissing(err error) bool { return errors.As(err, new(*fetch.NotFoundError)) }
