package resolve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"devenv/layers/alpm"
)

// archive remembers what the Archive said, so that it is asked once, however
// often a request and its variants are solved. After a failure it has nothing
// more to say; whoever solves looks at err.
type archive struct {
	ctx    context.Context
	source Archive
	listed map[string][]string
	opened map[[2]string]*alpm.Package
	err    error
}

func newArchive(ctx context.Context, source Archive) *archive {
	return &archive{
		ctx: ctx, source: source,
		listed: make(map[string][]string),
		opened: make(map[[2]string]*alpm.Package),
	}
}

// versions lists what there is of name, newest first.
func (a *archive) versions(name string) []string {
	if a.source == nil || a.err != nil {
		return nil
	}
	versions, ok := a.listed[name]
	if !ok {
		var err error
		if versions, err = a.source.Versions(a.ctx, name); err != nil {
			a.err = fmt.Errorf("finding the versions of %s in the archive: %w", name, err)
			return nil
		}
		a.listed[name] = versions
	}
	return versions
}

// fetch reads one version; nil where there is none, although it may be listed.
func (a *archive) fetch(name, version string) *alpm.Package {
	if a.source == nil || a.err != nil {
		return nil
	}
	key := [2]string{name, version}
	pkg, ok := a.opened[key]
	if ok {
		return pkg
	}
	pkg, err := a.source.Package(a.ctx, name, version)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.err = fmt.Errorf("reading %s %s from the archive: %w", name, version, err)
	}
	if err != nil {
		pkg = nil
	}
	a.opened[key] = pkg
	return pkg
}

// atOnce is how many packages are read at the same time.
const atOnce = 8

// prefetch reads packages that will be asked for, several at the same time. It
// keeps no failure: whoever needs the package will meet it.
func (a *archive) prefetch(keys [][2]string) {
	if a.source == nil || a.err != nil {
		return
	}
	var (
		mu    sync.Mutex
		work  sync.WaitGroup
		slots = make(chan struct{}, atOnce)
	)
	keys = slices.DeleteFunc(keys, func(key [2]string) bool { _, known := a.opened[key]; return known })
	for _, key := range keys {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			pkg, err := a.source.Package(a.ctx, key[0], key[1])
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				pkg = nil
			}
			a.opened[key] = pkg
		})
	}
	work.Wait()
}

// Unasked says that a request cannot be answered from the repositories, and that
// the archive, which might have helped, failed.
type Unasked struct {
	Archive error // what became of asking it
	Without error // a *Conflict or a *NotFound: the answer without it
}

func (e *Unasked) Error() string {
	return fmt.Sprintf("%v\nthe archive might have what is missing, but cannot be asked: %v", e.Without, e.Archive)
}

// Unwrap gives the failure alone: what another try can mend is nobody's misuse.
func (e *Unasked) Unwrap() error { return e.Archive }
