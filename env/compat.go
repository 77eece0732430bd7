package env

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"devenv/cache"
	"devenv/env/lock"
	"devenv/env/sandbox"
	"devenv/layers"
)

// maxCures is how often old libraries may need older libraries in turn.
const maxCures = 8

// librarian makes sure that every program of an environment finds its libraries:
// it cures before set-up, whose commands need theirs, too, and checks after it.
type librarian struct {
	p     *Project
	b     *Built
	store *layers.Store
	tree  *layers.Tree
	lock  *lock.Lock

	pkgs, compat []lock.Package
	added        []lock.Package  // of compat: what the lock does not know yet
	census       *census         // of pkgs and compat, if it was taken
	tried        map[string]bool // misses that nothing cures
}

func (p *Project) librarian(b *Built, store *layers.Store, tree *layers.Tree, l *lock.Lock) *librarian {
	return &librarian{p: p, b: b, store: store, tree: tree, lock: l, pkgs: l.Whole(p.Host), compat: l.Compat(p.Host), tried: map[string]bool{}}
}

// cure gives what a package that was rolled back misses, from the package that it
// was built with. Where nothing was rolled back there is nothing to do. What was
// found out is kept: the next build only reads it.
func (w *librarian) cure(ctx context.Context) error {
	if !rolledBack(w.pkgs) && len(w.compat) == 0 {
		return nil
	}
	for range maxCures {
		slices.SortFunc(w.compat, func(a, b lock.Package) int { return strings.Compare(a.SHA256, b.SHA256) })
		id := librariesID(w.tree, w.pkgs, w.compat)
		if err := w.b.keep(w.p.Cache, cache.Setups, id); err != nil {
			return err
		}
		if err := w.p.bring(ctx, w.store, w.compat); err != nil {
			return err
		}
		if _, known := readMisses(w.p.Cache, id); !known {
			more, err := w.findCures(ctx)
			if err != nil {
				return err
			}
			if len(more) > 0 {
				w.compat, w.added, w.census = append(w.compat, more...), append(w.added, more...), nil
				continue
			}
			if err := w.p.writeLibraries(w.store, w.tree, id, w.compat); err != nil {
				return err
			}
		}
		w.layOver(id)
		return w.mayRemember()
	}
	return fmt.Errorf("old libraries need ever older ones: %d rounds were not enough\nhint: pin the packages that belong together, or choose a snapshot", maxCures)
}

// layOver puts old libraries over the tree.
func (w *librarian) layOver(id string) {
	b, c := w.b, w.p.Cache
	b.uses.Setups = append(b.uses.Setups, id)
	if len(w.compat) == 0 {
		return
	}
	b.over = []string{id}
	b.lower = append([]string{path.Join(string(cache.Setups), id, "fs")}, b.lower...)
	b.checks = append(b.checks, sandbox.Stat(c.Setup(id)))
	for _, pkg := range w.compat {
		b.uses.Layers = append(b.uses.Layers, layers.ID(pkg.SHA256))
		b.uses.Packages = append(b.uses.Packages, path.Base(c.Package(pkg.SHA256, pkg.File)))
	}
}

// findCures finds packages with the libraries that are missed.
func (w *librarian) findCures(ctx context.Context) (more []lock.Package, err error) {
	if w.census, err = takeCensus(w.store, w.tree, w.pkgs, w.compat); err != nil {
		return nil, err
	}
	if err := w.census.check(w.p.Arch, w.tree.FS); err != nil {
		return nil, err
	}
	v := w.census.judge()
	for _, m := range append(v.grave, v.doubt...) {
		key := m.Layer + "\n" + m.Want
		if w.tried[key] || cured(w.store, more, m) {
			continue
		}
		pkg, err := w.p.oldPartner(ctx, w.store, w.census, m)
		if err != nil {
			return nil, err
		}
		if pkg == nil {
			w.tried[key] = true
			continue
		}
		more = append(more, *pkg)
	}
	return more, nil
}

// check looks every need up in the finished environment: packages, old libraries,
// configured files, and what scriptlets and hooks have made. What keeps a
// rolled-back package from running is an error that names all of it.
func (w *librarian) check(ctx context.Context) error {
	id := digestOf(append([]string{"devenv misses 1", librariesID(w.tree, w.pkgs, w.compat)}, w.b.over...))
	if err := w.b.keep(w.p.Cache, cache.Setups, id); err != nil {
		return err
	}
	w.b.uses.Setups = append(w.b.uses.Setups, id)
	misses, known := readMisses(w.p.Cache, id)
	if !known {
		v, err := w.examine()
		if err != nil {
			return err
		}
		if err := w.p.incurable(ctx, w.census, v.grave); err != nil {
			return err
		}
		misses = v.shown
		if err := writeMisses(w.p.Cache, id, misses); err != nil {
			return err
		}
	}
	w.b.Misses = misses
	return w.remember()
}

func (w *librarian) examine() (v verdict, err error) {
	if w.census == nil {
		if w.census, err = takeCensus(w.store, w.tree, w.pkgs, w.compat); err != nil {
			return v, err
		}
	}
	if err := w.census.addSetUp(w.b.setup); err != nil {
		return v, err
	}
	var dirs []string
	for _, rel := range w.b.lower {
		dirs = append(dirs, filepath.Join(w.p.Cache.Dir(), rel))
	}
	if err := w.census.check(w.p.Arch, dirs...); err != nil {
		return v, err
	}
	return w.census.judge(), nil
}

// mayRemember refuses to go on with old libraries that the lock cannot get.
func (w *librarian) mayRemember() error {
	if len(w.added) == 0 || !w.p.frozen {
		return nil
	}
	pkg := w.added[0]
	return &StaleLockError{Path: w.p.LockPath(), Why: fmt.Sprintf("it lacks the old libraries of %s %s, which %s needs", pkg.Name, pkg.Version, pkg.Compat)}
}

// remember writes into the lock what was added to it.
func (w *librarian) remember() error {
	if len(w.added) == 0 {
		return nil
	}
	p := w.p
	for _, pkg := range w.added {
		p.note("%s gets the libraries of %s %s, which it was built with, beside today's", pkg.Compat, pkg.Name, pkg.Version)
	}
	w.lock.Packages = append(w.lock.Packages, w.added...)
	if p.loose {
		return nil
	}
	if err := lock.Write(p.LockPath(), w.lock); err != nil {
		return err
	}
	for i := range w.b.checks {
		if w.b.checks[i].Path == p.LockPath() {
			w.b.checks[i] = sandbox.Stat(p.LockPath())
		}
	}
	return nil
}

// keepCompat takes the old libraries over into a new lock, for packages that are
// as they were.
func keepCompat(next, old *lock.Lock) {
	if old == nil {
		return
	}
	for range maxCures { // old libraries may be there for old libraries
		kept := false
		for _, pkg := range old.Packages {
			same := func(other lock.Package) bool { return other.Name == pkg.Name && other.Version == pkg.Version }
			if pkg.Compat != "" && !slices.ContainsFunc(next.Packages, same) && slices.ContainsFunc(next.Packages, func(n lock.Package) bool {
				return n.Name == pkg.Compat && slices.ContainsFunc(old.Packages, func(o lock.Package) bool { return o.SHA256 == n.SHA256 })
			}) {
				next.Packages, kept = append(next.Packages, pkg), true
			}
		}
		if !kept {
			return
		}
	}
}

// bring downloads, verifies and unpacks the packages that old libraries come from.
func (p *Project) bring(ctx context.Context, store *layers.Store, compat []lock.Package) error {
	if len(compat) == 0 {
		return nil
	}
	t := p.truster()
	missing, err := p.missing(ctx, t, store, compat)
	if err != nil {
		return err
	}
	for _, pkg := range missing {
		src, err := p.fetch(ctx, t, pkg)
		if err != nil {
			return err
		}
		if _, err := store.Add(ctx, src); err != nil {
			return err
		}
	}
	return nil
}
