package env

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"devenv/cache"
	"devenv/cache/mirror"
	"devenv/env/lock"
	"devenv/env/manifest"
	"devenv/env/sandbox"
	"devenv/layers"
	"devenv/layers/alpm"
	libs "devenv/layers/elf"
)

// maxCures is how often old libraries may need older libraries in turn.
const maxCures = 8

// findLibraries makes sure that every program of a tree finds its libraries. What
// a package that was rolled back misses, it gets from the package that it was
// built with, and the lock remembers that. What was found out is kept: the next
// build only reads it.
func (p *Project) findLibraries(ctx context.Context, b *Built, store *layers.Store, tree *layers.Tree, l *lock.Lock) error {
	pkgs, compat := l.Whole(p.Host), l.Compat(p.Host)
	var added []lock.Package
	for range maxCures {
		slices.SortFunc(compat, func(a, b lock.Package) int { return strings.Compare(a.SHA256, b.SHA256) })
		id := librariesID(tree, pkgs, compat)
		if err := b.keep(p.Cache, cache.Setups, id); err != nil {
			return err
		}
		if err := p.bring(ctx, store, compat); err != nil {
			return err
		}
		misses, known := readMisses(p.Cache, id)
		if !known {
			c, err := takeCensus(store, tree, pkgs, compat, p.Arch)
			if err != nil {
				return err
			}
			var grave []libs.Miss
			grave, misses = c.judge()
			if len(grave) > 0 {
				more, err := p.cure(ctx, store, c, grave)
				if err != nil {
					return err
				}
				compat, added = append(compat, more...), append(added, more...)
				continue
			}
			if err := p.writeLibraries(store, tree, id, compat, misses); err != nil {
				return err
			}
		}
		b.Misses = misses
		p.layOver(b, id, compat)
		return p.rememberCompat(b, l, added)
	}
	return fmt.Errorf("old libraries need ever older ones: %d rounds were not enough\nhint: pin the packages that belong together, or choose a snapshot", maxCures)
}

// layOver puts old libraries over the tree.
func (p *Project) layOver(b *Built, id string, compat []lock.Package) {
	b.uses.Setups = append(b.uses.Setups, id)
	if len(compat) == 0 {
		return
	}
	b.over = []string{id}
	b.lower = append([]string{path.Join(string(cache.Setups), id, "fs")}, b.lower...)
	b.checks = append(b.checks, sandbox.Stat(p.Cache.Setup(id)))
	for _, pkg := range compat {
		b.uses.Layers = append(b.uses.Layers, layers.ID(pkg.SHA256))
		b.uses.Packages = append(b.uses.Packages, path.Base(p.Cache.Package(pkg.SHA256, pkg.File)))
	}
}

// rememberCompat writes into the lock what was added to it.
func (p *Project) rememberCompat(b *Built, l *lock.Lock, added []lock.Package) error {
	if len(added) == 0 {
		return nil
	}
	if p.frozen {
		return &StaleLockError{Path: p.LockPath(), Why: fmt.Sprintf("it lacks the old libraries of %s %s, which %s needs", added[0].Name, added[0].Version, added[0].Compat)}
	}
	for _, pkg := range added {
		p.note("%s gets the libraries of %s %s, which it was built with, beside today's", pkg.Compat, pkg.Name, pkg.Version)
	}
	l.Packages = append(l.Packages, added...)
	if err := lock.Write(p.LockPath(), l); err != nil {
		return err
	}
	for i := range b.checks {
		if b.checks[i].Path == p.LockPath() {
			b.checks[i] = sandbox.Stat(p.LockPath())
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

// cure finds packages with the libraries that are missed. What it cannot cure is
// an error that names all of it.
func (p *Project) cure(ctx context.Context, store *layers.Store, c *census, grave []libs.Miss) (more []lock.Package, err error) {
	var faults []error
	for _, m := range grave {
		if cured(store, more, m) {
			continue
		}
		pkg, err := p.oldPartner(ctx, store, c, m)
		if err != nil {
			return nil, err
		}
		if pkg == nil {
			faults = append(faults, p.incurable(c, m))
			continue
		}
		more = append(more, *pkg)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return more, nil
}

// cured reports whether what was found for another miss serves this one.
func cured(store *layers.Store, found []lock.Package, m libs.Miss) bool {
	return slices.ContainsFunc(found, func(pkg lock.Package) bool {
		layer, err := store.Layer(layers.ID(pkg.SHA256))
		return err == nil && hasLibrary(layer, m)
	})
}

func hasLibrary(layer *layers.Layer, m libs.Miss) bool {
	rec, err := layer.ELF()
	return err == nil && slices.ContainsFunc(rec.Objects, func(o libs.Object) bool {
		return (o.Soname == m.Want || path.Base(o.Path) == m.Want) && o.Class == m.Object.Class && o.Machine == m.Object.Machine
	})
}

// oldPartner is the package that has what a rolled-back one misses, in the
// version that one was built with; nil if there is none.
func (p *Project) oldPartner(ctx context.Context, store *layers.Store, c *census, m libs.Miss) (*lock.Package, error) {
	if m.Kind != libs.NoLibrary && m.Kind != libs.WrongClass || !c.rolledBack(m.Layer) {
		return nil, nil
	}
	for _, name := range c.partners(m) {
		versions, err := p.builtWith(ctx, c, m, name)
		if err != nil {
			return nil, err
		}
		for _, version := range versions {
			pkg, err := p.oldPackage(ctx, c, m, name, version)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if err := p.bring(ctx, store, []lock.Package{*pkg}); err != nil {
				return nil, err
			}
			layer, err := store.Layer(layers.ID(pkg.SHA256))
			if err != nil {
				return nil, err
			}
			if hasLibrary(layer, m) {
				return pkg, nil
			}
		}
	}
	return nil, nil
}

// builtWith are the versions of a partner to try: that of the .BUILDINFO, or
// where there is none, those that say that they provide the library.
func (p *Project) builtWith(ctx context.Context, c *census, m libs.Miss, name string) ([]string, error) {
	details, err := c.record[m.Layer].Details()
	if err != nil {
		return nil, err
	}
	if details.Build != nil {
		if in, ok := details.Build.Find(name); ok {
			return []string{in.Version}, nil
		}
		return nil, nil
	}
	kept, err := p.mirror.Archive().Versions(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, version := range kept[:min(len(kept), maxTried)] {
		pkg, err := p.mirror.Archive().Package(ctx, name, version)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if provides(pkg, m.Want) {
			return []string{version}, nil
		}
	}
	return nil, nil
}

// maxTried is how many versions of the archive are looked at for one library.
const maxTried = 60

// provides reports whether a package says that it has a library: "libicuuc.so"
// in the version "76-64" is libicuuc.so.76.
func provides(pkg *alpm.Package, soname string) bool {
	return slices.ContainsFunc(pkg.Provides, func(d alpm.Dep) bool {
		number, _, _ := strings.Cut(d.Version, "-")
		return d.Name+"."+number == soname
	})
}

// oldPackage is one version of a package as the lock will have it.
func (p *Project) oldPackage(ctx context.Context, c *census, m libs.Miss, name, version string) (*lock.Package, error) {
	if now, ok := c.whole[name]; ok && now.Version == version {
		return nil, fs.ErrNotExist // it is there, and does not have it
	}
	head, err := p.mirror.Archive().Package(ctx, name, version)
	if err != nil {
		return nil, err
	}
	for_, hosts := c.needer(m.Layer)
	pkg := &lock.Package{
		Name: name, Version: version, Arch: head.Arch, Size: head.Size, SHA256: head.SHA256, File: head.Filename,
		By: []string{for_}, Hosts: hosts, From: lock.Archive, Compat: for_,
	}
	got, err := p.mirror.Package(ctx, mirror.File{Filename: pkg.File, SHA256: pkg.SHA256, Size: pkg.Size})
	if err != nil {
		return nil, err
	}
	pkg.SHA256, pkg.Size = got.SHA256, got.Size
	return pkg, nil
}

// needer is the locked package for whose sake a layer is there, and its hosts.
func (c *census) needer(layer string) (name string, hosts []string) {
	if pkg, ok := c.whole[layer]; ok {
		return pkg.Name, pkg.Hosts
	}
	return c.record[layer].Name(), nil
}

// incurable says what is missed, by whom, what there is instead, and what would
// help.
func (p *Project) incurable(c *census, m libs.Miss) error {
	text := fmt.Sprintf("%s: %s", c.titled(m.Layer), m)
	pinned := m.Layer
	owners := c.owners[stem(m.Want)]
	if len(owners) > 0 {
		o := owners[0]
		text += fmt.Sprintf("; %s has %s", c.titled(o.name), o.object.Path)
		if !c.rolledBack(pinned) {
			pinned = o.name
		}
	}
	by := p.pinOf(c, pinned)
	if by != nil {
		text = fmt.Sprintf("%s: %s", by.Pos, text)
	}
	return fmt.Errorf("%s\nhint: %s", text, p.remedy(c, m, pinned))
}

// remedy is the nearest change that works.
func (p *Project) remedy(c *census, m libs.Miss, pinned string) string {
	if m.Kind == libs.NoInterpreter {
		return "add the package that brings it (glibc, or lib32-glibc) to [packages]"
	}
	if pinned != m.Layer {
		return fmt.Sprintf("take the pin off %s, pin %s to a version of the same time, or set snapshot to a day that has both", pinned, m.Layer)
	}
	details, err := c.record[m.Layer].Details()
	if err == nil && details.Build != nil {
		for _, name := range c.partners(m) {
			if in, ok := details.Build.Find(name); ok {
				return fmt.Sprintf("it was built with %s %s: pin that, too (%s = %q in [packages]), or choose another version (`devenv versions %s`)", name, in.Version, name, in.Version, m.Layer)
			}
		}
	}
	return fmt.Sprintf("choose another version (`devenv versions %s`), or set snapshot to the day that it is of", m.Layer)
}

// titled is a package with its version.
func (c *census) titled(name string) string {
	if pkg, ok := c.whole[name]; ok {
		return pkg.Name + " " + pkg.Version
	}
	return name
}

// pinOf is the key of devenv.toml that a package is there for.
func (p *Project) pinOf(c *census, name string) *manifest.Package {
	for _, asked := range append([]string{name}, c.whole[name].By...) {
		for i := range p.Packages {
			if p.Packages[i].Name == asked {
				return &p.Packages[i]
			}
		}
	}
	return nil
}
