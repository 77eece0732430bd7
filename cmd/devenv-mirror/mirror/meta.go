package mirror

import (
	"slices"
	"strings"

	"devenv/cmd/devenv-mirror/archpkg"
	"devenv/cmd/devenv-mirror/convert"
	"devenv/cmd/devenv-mirror/table"
)

// meta says of a package what the table, its .debs and its files say, in this
// order.
func (b *builder) meta(build *table.Build, tree convert.Tree) *archpkg.Meta {
	e := build.Entry
	m := &archpkg.Meta{
		Name: build.Name, Base: build.Name, Version: build.Version, Arch: build.Arch,
		Desc: e.Desc, URL: e.URL, Packager: packagerName, Licenses: e.License, Replaces: e.Replaces, Groups: e.Groups,
		Conflicts: e.Conflicts, OptDepends: append(slices.Clone(e.OptDepends), build.Optional...),
		Backup: b.backup(build, tree), Installed: build.Installed, Source: b.key(build),
	}
	if len(build.Debs) > 0 {
		first := build.Debs[0]
		m.Base = first.Source
		if m.Desc == "" {
			m.Desc = first.Description
		}
		if m.URL == "" {
			m.URL = first.Homepage
		}
	}
	if len(m.Licenses) == 0 {
		m.Licenses = convert.Licenses(tree, build.Name)
	}
	known := b.sonames(build)
	s := archpkg.Scan(tree, func(name string) bool { return slices.Contains(known, name) })
	m.Depends = append(slices.Clone(build.Depends), s.Needs...)
	m.Provides = provides(build)
	if givesSonames(e) {
		m.Provides = append(m.Provides, s.Provides...)
	}
	return m
}

// givesSonames tells whether a package's libraries are provides of it.
func givesSonames(e *table.Entry) bool { return e.Sonames == nil || *e.Sonames }

// provides completes "name=" by the package's pkgver.
func provides(build *table.Build) []string {
	list := slices.Clone(build.Entry.Provides)
	pkgver := build.Version[:strings.LastIndexByte(build.Version, '-')]
	for i, p := range list {
		if strings.HasSuffix(p, "=") {
			list[i] = p + pkgver
		}
	}
	return list
}

// backup lists the table's files and Debian's conffiles that are in the tree.
func (b *builder) backup(build *table.Build, tree convert.Tree) []string {
	list := slices.Clone(build.Entry.Backup)
	for _, d := range build.Debs {
		for _, conffile := range b.state.Controls[d.SHA256].Conffiles {
			if n := tree[conffile]; n != nil && n.Kind == convert.File {
				list = append(list, conffile)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
