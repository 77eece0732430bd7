package elf

import (
	"debug/elf"
	"path"
	"slices"
	"strings"
)

// Lookup says to which file a path of the tree leads, links within the tree
// followed: as a path relative to its root, without a slash before it. ok is
// false where there is none.
type Lookup func(path string) (file string, ok bool)

// linker finds libraries as ld.so does.
type linker struct {
	lookup  Lookup
	dirs    []string // where every program looks: ld.so.conf's, then the built-in
	byPath  map[string]*Object
	byName  map[libraryName]*Object // what ldconfig would make links for
	soname  map[string][]*Object    // wherever they lie
	real    map[string]string       // directories, with the links followed
	files   map[string]found        // answers of file
	system  map[systemName]*Object  // answers of dirs
	defines map[*Object]map[string]bool
}

type libraryName struct{ dir, soname string }

// found is what lies at a path; object is nil where that is not recorded.
type found struct {
	object *Object
	exists bool
}

// systemName is a library's name and what can load it.
type systemName struct {
	name    string
	class   elf.Class
	machine elf.Machine
}

// builtin is where the loaders of Arch, its multilib and other distributions
// look by themselves. Directories that are not there cost nothing, and of the
// others only libraries of the right kind count.
var builtin = []string{
	"usr/lib", "lib", "usr/lib64", "lib64", "usr/lib32", "lib32",
	"usr/lib/x86_64-linux-gnu", "usr/lib/i386-linux-gnu",
	"usr/lib/aarch64-linux-gnu", "usr/lib/arm-linux-gnueabihf", "usr/lib/riscv64-linux-gnu",
}

func newLinker(layers []Layer, confDirs []string, lookup Lookup) *linker {
	count := 0
	for _, l := range layers {
		count += len(l.Record.Objects)
	}
	ln := &linker{
		lookup:  lookup,
		byPath:  make(map[string]*Object, count),
		byName:  make(map[libraryName]*Object, count),
		soname:  make(map[string][]*Object, count),
		real:    make(map[string]string),
		files:   make(map[string]found),
		system:  make(map[systemName]*Object),
		defines: make(map[*Object]map[string]bool),
	}
	for _, l := range layers {
		for i := range l.Record.Objects {
			ln.add(&l.Record.Objects[i])
		}
	}
	for _, dir := range append(append([]string{}, confDirs...), builtin...) {
		if dir, ok := ln.realDir(dir); ok && !slices.Contains(ln.dirs, dir) {
			ln.dirs = append(ln.dirs, dir)
		}
	}
	return ln
}

func (ln *linker) add(o *Object) {
	ln.byPath[o.Path] = o
	if o.Type != elf.ET_DYN {
		return
	}
	dir, base := path.Split(o.Path)
	ln.soname[base] = append(ln.soname[base], o)
	if o.Soname != "" {
		ln.byName[libraryName{strings.TrimSuffix(dir, "/"), o.Soname}] = o
		if o.Soname != base {
			ln.soname[o.Soname] = append(ln.soname[o.Soname], o)
		}
	}
}

func (ln *linker) realDir(dir string) (string, bool) {
	dir = relative(dir)
	real, known := ln.real[dir]
	if !known {
		real, _ = ln.lookup(dir)
		ln.real[dir] = real
	}
	return real, real != ""
}

// relative is a path without the root's slash, its "." and "..".
func relative(p string) string {
	return strings.TrimPrefix(path.Clean("/"+p), "/")
}

// file is the recorded object that a path leads to, and whether anything is
// there.
func (ln *linker) file(p string) (o *Object, exists bool) {
	p = relative(p)
	if o := ln.byPath[p]; o != nil {
		return o, true
	}
	f, known := ln.files[p]
	if !known {
		real, exists := ln.lookup(p)
		f = found{ln.byPath[real], exists}
		ln.files[p] = f
	}
	return f.object, f.exists
}

// find is the library that ld.so takes for name when o needs it; wrong is one
// of that name of another class or machine, where that is all there is.
func (ln *linker) find(o *Object, name string) (lib, wrong *Object) {
	if strings.Contains(name, "/") {
		lib, _ = ln.file(o.expand(name))
		return lib, nil
	}
	own := o.RunPath
	if len(own) == 0 {
		own = o.RPath
	}
	for _, dir := range own {
		if lib := ln.inDir(o.expand(dir), name); lib.loadableBy(o) {
			return lib, nil
		} else if lib != nil {
			wrong = lib
		}
	}
	key := systemName{name, o.Class, o.Machine}
	lib, known := ln.system[key]
	if !known {
		lib = ln.inSystem(o, name)
		ln.system[key] = lib
	}
	if lib.loadableBy(o) {
		return lib, nil
	}
	if lib != nil {
		wrong = lib
	}
	return nil, wrong
}

// inSystem looks where every program looks: first, as in ld.so's cache, for
// what calls itself so, then for what is called so. A library of another kind
// is given only where there is none of the right.
func (ln *linker) inSystem(o *Object, name string) (lib *Object) {
	for _, dir := range ln.dirs {
		if found := ln.byName[libraryName{dir, name}]; found.loadableBy(o) {
			return found
		} else if found != nil {
			lib = found
		}
	}
	for _, dir := range ln.dirs {
		if found := ln.inDir(dir, name); found.loadableBy(o) {
			return found
		} else if found != nil {
			lib = found
		}
	}
	return lib
}

func (ln *linker) inDir(dir, name string) *Object {
	real, ok := ln.realDir(dir)
	if !ok {
		return nil
	}
	lib, _ := ln.file(path.Join(real, name))
	return lib
}

// elsewhere is a library of that name in a directory where o does not look, the
// nearest to o. Programs find such by LD_LIBRARY_PATH, by what loaded them, or
// by dlopen(3).
func (ln *linker) elsewhere(o *Object, name string) (nearest *Object) {
	best := -1
	for _, lib := range ln.soname[path.Base(name)] {
		if common := commonPrefix(lib.Path, o.Path); lib.loadableBy(o) && common > best {
			nearest, best = lib, common
		}
	}
	return nearest
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// loadableBy says whether one process can hold both; nil is no library.
func (o *Object) loadableBy(by *Object) bool {
	return o != nil && o.Class == by.Class && o.Machine == by.Machine
}

// expand replaces the tokens of ld.so(8).
func (o *Object) expand(s string) string {
	if !strings.Contains(s, "$") {
		return s
	}
	lib, platform := "lib", "x86_64"
	switch o.Machine {
	case elf.EM_386:
		lib, platform = "lib32", "i686"
	case elf.EM_AARCH64:
		platform = "aarch64"
	case elf.EM_ARM:
		platform = "v7l"
	}
	return strings.NewReplacer(
		"${ORIGIN}", "/"+path.Dir(o.Path), "$ORIGIN", "/"+path.Dir(o.Path),
		"${LIB}", lib, "$LIB", lib,
		"${PLATFORM}", platform, "$PLATFORM", platform,
	).Replace(s)
}

// lacks are the versions that lib does not define. One without any is let pass,
// with a warning, by ld.so.
func (ln *linker) lacks(lib *Object, versions []string) (missing []string) {
	if len(lib.Defines) == 0 {
		return nil
	}
	defined := ln.defines[lib]
	if defined == nil {
		defined = make(map[string]bool, len(lib.Defines))
		for _, v := range lib.Defines {
			defined[v] = true
		}
		ln.defines[lib] = defined
	}
	for _, v := range versions {
		if !defined[v] {
			missing = append(missing, v)
		}
	}
	return missing
}
