package native

import (
	debugelf "debug/elf"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"devenv/layers"
	"devenv/layers/elf"
)

// binDirs are where commands lie, the first one wins.
var binDirs = []string{"usr/local/bin", "usr/bin", "usr/sbin", "bin", "sbin", "usr/bin/site_perl", "usr/bin/vendor_perl", "usr/bin/core_perl", "usr/games"}

// view is a tree, with what lies over it, as launchers need it.
type view struct {
	Spec
	dirs []string // Over and Tree
	tree *elf.Overlay

	objects map[string]*elf.Object // by path in the tree
	sonames map[string][]*elf.Object
	modes   map[string]uint16
	loaders map[string]*loader // by interpreter
	places  map[string]string  // of directories, with the links followed
	path    string             // --library-path
	certs   string             // a bundle of certificates; "" where there is none
	fonts   string             // settings of fontconfig; "" where there are no fonts
}

func (s Spec) view() (*view, error) {
	dirs := append(slices.Clone(s.Over), s.Tree)
	v := &view{Spec: s, dirs: dirs, tree: elf.NewOverlay(dirs...), objects: map[string]*elf.Object{}, sonames: map[string][]*elf.Object{}, modes: map[string]uint16{}, loaders: map[string]*loader{}, places: map[string]string{}}
	for _, p := range s.Packages {
		rec, err := p.ELF()
		if err != nil {
			return nil, err
		}
		for i := range rec.Objects {
			rec.Objects[i].Path = v.place(rec.Objects[i].Path)
			if !p.Old || v.isOver(rec.Objects[i].Path) {
				v.add(&rec.Objects[i])
			}
		}
		if p.Old {
			continue
		}
		for i := range p.Files {
			if f := &p.Files[i]; f.Kind == layers.Regular {
				v.modes[v.place(f.Path)] = f.Mode
			}
		}
	}
	var err error
	v.path, err = v.libraryPath()
	return v, err
}

// isOver reports whether a path without links comes from what lies over the tree.
func (v *view) isOver(p string) bool {
	real, ok := v.real(p)
	return ok && real == p && !strings.HasPrefix(v.file(p), v.Tree+"/")
}

// file is where a path without links lies on disk.
func (v *view) file(p string) string {
	for _, dir := range v.dirs {
		at := filepath.Join(dir, p)
		if _, err := os.Lstat(at); err == nil {
			return at
		}
	}
	return filepath.Join(v.Tree, p)
}

func (v *view) add(o *elf.Object) {
	v.objects[o.Path] = o
	if o.Type != debugelf.ET_DYN {
		return
	}
	v.sonames[path.Base(o.Path)] = append(v.sonames[path.Base(o.Path)], o)
	if o.Soname != "" && o.Soname != path.Base(o.Path) {
		v.sonames[o.Soname] = append(v.sonames[o.Soname], o)
	}
}

// place is where a package's file lies in the tree: its directory may be a link
// there (usr/sbin, usr/lib64).
func (v *view) place(p string) string {
	dir, base := path.Split(p)
	dir = strings.TrimSuffix(dir, "/")
	if dir == "" {
		return base
	}
	real, known := v.places[dir]
	if !known {
		var ok bool
		if real, ok = v.real(dir); !ok {
			real = dir
		}
		v.places[dir] = real
	}
	return path.Join(real, base)
}

// real is the path that a path of the tree leads to.
func (v *view) real(p string) (string, bool) {
	return v.tree.Lookup(p)
}

// object is what a path of the tree leads to, if that is a program, a library
// or a script.
func (v *view) object(p string) *elf.Object {
	if real, ok := v.real(p); ok {
		return v.objects[real]
	}
	return nil
}

// standardDirs are those in which dynamic linkers look by themselves.
var standardDirs = []string{"usr/lib", "usr/lib64", "lib", "lib64", "usr/lib32", "usr/lib/*-linux-gnu*"}

// libraryPath lists every directory in which a program of the tree may have to
// look: those of ld.so.conf and of dynamic linkers, those that programs name by
// their paths in the tree, and those of libraries that are needed and are in
// none of these.
func (v *view) libraryPath() (string, error) {
	dirs, err := elf.ReadConf(v.tree)
	if err != nil {
		return "", err
	}
	for _, pattern := range standardDirs {
		dirs = append(dirs, v.glob("/"+pattern)...)
	}
	objects := make([]*elf.Object, 0, len(v.objects))
	for _, o := range v.objects {
		objects = append(objects, o)
	}
	slices.SortFunc(objects, func(a, b *elf.Object) int { return strings.Compare(a.Path, b.Path) })
	for _, o := range objects {
		for _, d := range slices.Concat(o.RPath, o.RunPath) {
			if strings.HasPrefix(d, "/") && !strings.Contains(d, "$") {
				dirs = append(dirs, d)
			}
		}
	}
	var found []string
	with := func(d string) {
		if real, ok := v.real(d); ok && !slices.Contains(found, real) {
			found = append(found, real)
		}
	}
	for _, d := range dirs {
		with(d)
	}
	for _, o := range objects {
		for _, name := range o.Needed {
			if d, ok := v.elsewhere(o, name, found); ok {
				with(d)
			}
		}
	}
	var all []string
	for _, d := range found {
		if !v.hasLibraries(d) {
			continue
		}
		for _, dir := range v.dirs {
			if at := filepath.Join(dir, d); dir == v.Tree || hasShared(at) {
				all = append(all, at)
			}
		}
	}
	return strings.Join(all, ":"), nil
}

// hasShared reports whether a directory on disk has shared libraries.
func hasShared(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.Contains(e.Name(), ".so") })
}

func (v *view) hasLibraries(dir string) bool {
	for _, list := range v.sonames {
		for _, o := range list {
			if path.Dir(o.Path) == dir {
				return true
			}
		}
	}
	return false
}

// elsewhere is the directory of a needed library that lies in none of dirs and
// is not found beside what needs it.
func (v *view) elsewhere(o *elf.Object, name string, dirs []string) (dir string, ok bool) {
	for _, lib := range v.sonames[name] {
		if lib.Class != o.Class || lib.Machine != o.Machine {
			continue
		}
		dir = path.Dir(lib.Path)
		if slices.Contains(dirs, dir) {
			return "", false
		}
		for _, run := range slices.Concat(o.RPath, o.RunPath) {
			if path.Clean(strings.NewReplacer("${ORIGIN}", path.Dir(o.Path), "$ORIGIN", path.Dir(o.Path)).Replace(run)) == dir {
				return "", false
			}
		}
		ok = true
	}
	return dir, ok
}

// libraries are the sonames that a program is linked with, its libraries' own
// among them.
func (v *view) libraries(o *elf.Object) map[string]bool {
	all := map[string]bool{}
	next := []*elf.Object{o}
	for len(next) > 0 {
		o, next = next[0], next[1:]
		for _, name := range o.Needed {
			if all[name] {
				continue
			}
			all[name] = true
			if libs := v.sonames[name]; len(libs) > 0 {
				next = append(next, libs[0])
			}
		}
	}
	return all
}

// glob gives the paths of the tree that a pattern with a slash before it
// matches, in the same form.
func (v *view) glob(pattern string) []string {
	matches, _ := fs.Glob(v.tree, strings.TrimPrefix(pattern, "/")) // the patterns are constants
	for i, m := range matches {
		matches[i] = "/" + m
	}
	return matches
}

// loader is the tree's dynamic linker of that name; nil if it has none.
func (v *view) loader(interpreter string) (*loader, error) {
	if l, ok := v.loaders[interpreter]; ok {
		return l, nil
	}
	real, ok := v.real(interpreter)
	if !ok {
		v.loaders[interpreter] = nil
		return nil, nil
	}
	l, err := openLoader(v.file(real))
	if err != nil {
		return nil, err
	}
	v.loaders[interpreter] = l
	return l, nil
}
