package env

import (
	"debug/elf"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"devenv/env/lock"
	"devenv/layers"
	libs "devenv/layers/elf"
)

// Miss is something that a file of the environment needs and that is not there,
// but that only an optional dependency would bring, or that the package's own
// repository lacks. It stops nothing.
type Miss struct {
	Package string `json:"package"` // or setUpName
	Problem string `json:"problem"`
	Want    string `json:"want"` // a soname, or the path of an interpreter
}

// setUpName stands for a package where a file was configured, or made by a
// scriptlet or hook.
const setUpName = "set-up"

// census is who has and who needs which library in an environment.
type census struct {
	whole  map[string]lock.Package  // by name
	record map[string]*layers.Layer // of whole packages by name, of others by compatName
	owners map[string][]owner       // of libraries of whole packages, by family
	list   []libs.Layer
	misses []libs.Miss
}

// owner is a package with a library.
type owner struct {
	name   string // of the package
	object *libs.Object
}

// compatName is what a layer of old libraries is called in a census.
func compatName(pkg lock.Package) string { return pkg.Name + " " + pkg.Version + " (old libraries)" }

// stem is a library's name without its number: "libicuuc" of "libicuuc.so.76".
func stem(soname string) string {
	name, _, _ := strings.Cut(path.Base(soname), ".so")
	return name
}

// family is what all versions of a library have in common, those too that have
// the number before the ".so": "libLLVM" of "libLLVM-16.so.1".
func family(soname string) string { return strings.TrimRight(stem(soname), "0123456789.-_") }

// takeCensus collects what the objects of a tree, and the old libraries that lie
// over it, need and give. Nothing but records is read.
func takeCensus(store *layers.Store, tree *layers.Tree, pkgs, compat []lock.Package) (*census, error) {
	c := &census{whole: map[string]lock.Package{}, record: map[string]*layers.Layer{}, owners: map[string][]owner{}}
	for _, pkg := range pkgs {
		rec, err := c.add(store, pkg, pkg.Name)
		if err != nil {
			return nil, err
		}
		c.whole[pkg.Name] = pkg
		for i := range rec.Objects {
			if o := &rec.Objects[i]; o.Soname != "" {
				c.owners[family(o.Soname)] = append(c.owners[family(o.Soname)], owner{pkg.Name, o})
			}
		}
	}
	for _, pkg := range compat {
		rec, err := c.add(store, pkg, compatName(pkg))
		if err != nil {
			return nil, err
		}
		old := map[string]bool{}
		for _, f := range oldLibraries(c.record[compatName(pkg)], tree.FS) {
			old[f.Path] = true
		}
		rec.Objects = slices.DeleteFunc(rec.Objects, func(o libs.Object) bool { return !old[o.Path] })
	}
	return c, nil
}

func (c *census) add(store *layers.Store, pkg lock.Package, name string) (*libs.Record, error) {
	layer, err := store.Layer(layers.ID(pkg.SHA256))
	if err != nil {
		return nil, err
	}
	rec, err := layer.ELF()
	if err != nil {
		return nil, err
	}
	c.record[name] = layer
	c.list = append(c.list, libs.Layer{Name: name, Record: rec})
	return rec, nil
}

// addSetUp adds what set-up has made, in directories, topmost first. What it has
// put in the place of a package's files, or removed, is the package's no more.
func (c *census) addSetUp(dirs []string) error {
	var made libs.Recorder
	seen := map[string]bool{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(dir, at)
			if err != nil || seen[name] {
				return err
			}
			seen[name] = true
			return inspect(&made, name, at, d)
		})
		if err != nil {
			return err
		}
	}
	for _, l := range c.list {
		l.Record.Objects = slices.DeleteFunc(l.Record.Objects, func(o libs.Object) bool { return seen[o.Path] })
	}
	c.list = append(c.list, libs.Layer{Name: setUpName, Record: made.Record()})
	return nil
}

// inspect looks at a file that may be run or loaded; of the others, which are
// many, not even the first bytes are read.
func inspect(made *libs.Recorder, name, at string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 && !strings.Contains(path.Base(name), ".so") {
		return err
	}
	f, err := os.Open(at)
	if err != nil {
		if os.IsPermission(err) {
			return nil // its owner cannot read it, nor run it
		}
		return err
	}
	defer f.Close()
	made.Add(name, uint32(info.Mode().Perm()), f)
	return nil
}

// check looks every need up in directories that lie over one another, topmost
// first.
func (c *census) check(arch string, dirs ...string) error {
	root := libs.NewOverlay(dirs...)
	conf, err := libs.ReadConf(root)
	if err != nil {
		return err
	}
	c.misses = libs.Check(c.list, libs.Config{Machine: machines[arch], LibraryDirs: conf}, root.Lookup)
	return nil
}

// machines are what ELF calls Arch's architectures.
var machines = map[string]elf.Machine{
	"x86_64": elf.EM_X86_64, "i686": elf.EM_386, "pentium4": elf.EM_386, "i486": elf.EM_386,
	"aarch64": elf.EM_AARCH64, "armv7h": elf.EM_ARM, "armv6h": elf.EM_ARM, "riscv64": elf.EM_RISCV, "loong64": elf.EM_LOONGARCH,
}

// rolledBack reports whether a layer is not of the day that the others are of.
func (c *census) rolledBack(name string) bool {
	pkg, whole := c.whole[name]
	return !whole && name != setUpName || pkg.From != ""
}

// verdict is what misses mean.
type verdict struct {
	grave []libs.Miss // they keep a package that was rolled back, or one that uses such, from running
	doubt []libs.Miss // a rolled-back package may miss them for that reason; or do without, as today's do
	shown []Miss      // all that stops nothing, doubt too
}

func (c *census) judge() (v verdict) {
	for _, m := range c.misses {
		if m.Kind == libs.Elsewhere {
			continue // programs find it by means of their own
		}
		rolled := c.rolledBack(m.Layer)
		if !m.Object.IsScript() {
			for _, name := range c.partners(m) {
				rolled = rolled || c.rolledBack(name)
			}
		}
		if rolled && !m.Object.IsScript() {
			if m.Kind != libs.NoLibrary || len(c.partners(m)) > 0 {
				v.grave = append(v.grave, m)
				continue
			}
			v.doubt = append(v.doubt, m)
		}
		v.shown = append(v.shown, Miss{Package: m.Layer, Problem: m.String(), Want: m.Want})
	}
	return v
}

// partners are the packages that may have had a library when the one that needs it
// was built: who has another version of it now, else who that package says it
// needs it of.
func (c *census) partners(m libs.Miss) (names []string) {
	var relatives []string
	for _, o := range c.owners[family(m.Want)] {
		switch {
		case o.name == m.Layer:
		case stem(o.object.Soname) == stem(m.Want):
			names = appendNew(names, o.name)
		default:
			relatives = appendNew(relatives, o.name)
		}
	}
	layer := c.record[m.Layer]
	if len(names) > 0 || layer == nil {
		return names
	}
	if len(relatives) > 0 { // libgtk-4 is no version of libgtk-3, unless who needs it depends on that one
		needed := c.closure(m.Layer)
		if names = slices.DeleteFunc(relatives, func(name string) bool { return !needed[name] }); len(names) > 0 {
			return names
		}
	}
	for _, dep := range layer.Info.Depends {
		if soname, _, ok := strings.Cut(dep.Name, ".so"); ok && soname == stem(m.Want) {
			names = append(names, c.meeting(dep.Name, func(l *layers.Layer) bool { return l.Info.Satisfies(dep) })...)
		}
	}
	slices.Sort(names)
	return names
}

// meeting are the packages that meet a dependency, or are called as it is.
func (c *census) meeting(dep string, satisfies func(*layers.Layer) bool) (names []string) {
	for name, l := range c.record {
		if stem(dep) == name || satisfies(l) {
			names = append(names, name)
		}
	}
	return names
}

// dependencies are the whole packages that meet what a package says it depends on.
func (c *census) dependencies(name string) (names []string) {
	layer := c.record[name]
	if layer == nil {
		return nil
	}
	for _, dep := range layer.Info.Depends {
		if _, named := c.whole[dep.Name]; named {
			names = appendNew(names, dep.Name)
			continue
		}
		for other := range c.whole {
			if c.record[other].Info.Satisfies(dep) {
				names = appendNew(names, other)
			}
		}
	}
	slices.Sort(names)
	return names
}

// closure is all that a package depends on.
func (c *census) closure(name string) map[string]bool {
	seen := map[string]bool{}
	for todo := []string{name}; len(todo) > 0; todo = todo[1:] {
		for _, dep := range c.dependencies(todo[0]) {
			if !seen[dep] {
				seen[dep] = true
				todo = append(todo, dep)
			}
		}
	}
	return seen
}

func appendNew(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}
