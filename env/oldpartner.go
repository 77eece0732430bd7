package env

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"devenv/cache/mirror"
	"devenv/env/lock"
	"devenv/layers"
	"devenv/layers/alpm"
	libs "devenv/layers/elf"
)

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
	candidates, err := p.candidates(ctx, c, m)
	if err != nil {
		return nil, err
	}
	for _, old := range candidates {
		pkg, err := p.oldPackage(ctx, c, m, old)
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
	return nil, nil
}

// maxCandidates is how many packages are opened for one library beyond those that
// have a version of it today.
const maxCandidates = 8

// candidates are the old packages that may have a library: those of its
// partners, then others that who needs it depends on and that have moved on
// since; first those that are called as it is.
func (p *Project) candidates(ctx context.Context, c *census, m libs.Miss) (list []alpm.Installed, err error) {
	for _, name := range c.partners(m) {
		versions, err := p.builtWith(ctx, c, m, name)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			list = append(list, alpm.Installed{Name: name, Version: v})
		}
	}
	details, err := c.record[m.Layer].Details()
	if err != nil || details.Build == nil {
		return list, err
	}
	var others []alpm.Installed
	for _, name := range c.dependencies(m.Layer) {
		in, ok := details.Build.Find(name)
		known := slices.ContainsFunc(list, func(other alpm.Installed) bool { return other.Name == name })
		if ok && !known && in.Version != c.whole[name].Version {
			others = append(others, alpm.Installed{Name: name, Version: in.Version})
		}
	}
	core := strings.ToLower(strings.TrimPrefix(family(m.Want), "lib"))
	slices.SortStableFunc(others, func(a, b alpm.Installed) int { return cmp.Compare(likeness(b.Name, core), likeness(a.Name, core)) })
	return append(list, others[:min(len(others), maxCandidates)]...), nil
}

// likeness is how much of a library's name a package's has, or the other way
// round.
func likeness(pkg, library string) int {
	pkg = strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(pkg), "lib"), "-libs")
	if strings.Contains(pkg, library) || strings.Contains(library, pkg) {
		return min(len(pkg), len(library))
	}
	return 0
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
func (p *Project) oldPackage(ctx context.Context, c *census, m libs.Miss, old alpm.Installed) (*lock.Package, error) {
	if now, ok := c.whole[old.Name]; ok && now.Version == old.Version {
		return nil, fs.ErrNotExist // it is there, and does not have it
	}
	head, err := p.mirror.Archive().Package(ctx, old.Name, old.Version)
	if err != nil {
		return nil, err
	}
	needer, hosts := c.needer(m.Layer)
	pkg := &lock.Package{
		Name: old.Name, Version: old.Version, Arch: head.Arch, Size: head.Size, SHA256: head.SHA256, File: head.Filename,
		By: []string{needer}, Hosts: hosts, From: lock.Archive, Compat: needer,
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
