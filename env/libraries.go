package env

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"devenv/cache"
	"devenv/env/lock"
	"devenv/layers"
	libs "devenv/layers/elf"
)

// Miss is something that a file of the environment needs and that is not there,
// but that only an optional dependency would bring, or that the package's own
// repository lacks. It stops nothing.
type Miss struct {
	Package string `json:"package"`
	Problem string `json:"problem"`
	Want    string `json:"want"` // a soname, or the path of an interpreter
}

// census is who has and who needs which library in an environment.
type census struct {
	whole  map[string]lock.Package  // by name
	record map[string]*layers.Layer // of whole packages by name, of others by compatName
	owners map[string][]owner       // of libraries by what they are called without a number
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

// takeCensus looks up every need of every object in a tree and the old
// libraries that lie over it. Nothing but records is read.
func takeCensus(store *layers.Store, tree *layers.Tree, pkgs, compat []lock.Package, arch string) (*census, error) {
	c := &census{whole: map[string]lock.Package{}, record: map[string]*layers.Layer{}, owners: map[string][]owner{}}
	var list []libs.Layer
	add := func(name string, layer *layers.Layer, pick func(string) bool) error {
		rec, err := layer.ELF()
		if err != nil {
			return err
		}
		rec.Objects = slices.DeleteFunc(rec.Objects, func(o libs.Object) bool { return !pick(o.Path) })
		c.record[name] = layer
		list = append(list, libs.Layer{Name: name, Record: rec})
		return nil
	}
	all := func(string) bool { return true }
	for _, pkg := range pkgs {
		layer, err := store.Layer(layers.ID(pkg.SHA256))
		if err != nil {
			return nil, err
		}
		c.whole[pkg.Name] = pkg
		if err := add(pkg.Name, layer, all); err != nil {
			return nil, err
		}
	}
	for i := range list {
		for j := range list[i].Record.Objects {
			if o := &list[i].Record.Objects[j]; o.Soname != "" {
				c.owners[stem(o.Soname)] = append(c.owners[stem(o.Soname)], owner{list[i].Name, o})
			}
		}
	}
	for _, pkg := range compat {
		layer, err := store.Layer(layers.ID(pkg.SHA256))
		if err != nil {
			return nil, err
		}
		old := map[string]bool{}
		for _, f := range oldLibraries(layer, tree.FS) {
			old[f.Path] = true
		}
		if err := add(compatName(pkg), layer, func(path string) bool { return old[path] }); err != nil {
			return nil, err
		}
	}
	return c, c.check(list, tree.FS, arch)
}

func (c *census) check(list []libs.Layer, root, arch string) error {
	tree, err := libs.OpenTree(root)
	if err != nil {
		return err
	}
	defer tree.Close()
	dirs, err := libs.ReadConf(os.DirFS(root))
	if err != nil {
		return err
	}
	c.misses = libs.Check(list, libs.Config{Machine: machines[arch], LibraryDirs: dirs}, tree.Lookup)
	return nil
}

// machines are what ELF calls Arch's architectures.
var machines = map[string]elf.Machine{
	"x86_64": elf.EM_X86_64, "i686": elf.EM_386, "pentium4": elf.EM_386, "i486": elf.EM_386,
	"aarch64": elf.EM_AARCH64, "armv7h": elf.EM_ARM, "armv6h": elf.EM_ARM, "riscv64": elf.EM_RISCV, "loong64": elf.EM_LOONGARCH,
}

// oldLibraries are the files of a layer that a compatibility layer takes: what is
// called lib*.so.N, and of that only what the tree has nothing in the place of.
func oldLibraries(layer *layers.Layer, root string) (files []layers.File) {
	for _, f := range layer.Owned() {
		base := path.Base(f.Path)
		_, number, ok := strings.Cut(base, ".so.")
		if f.Kind == layers.Directory || !ok || number == "" || !strings.HasPrefix(base, "lib") {
			continue
		}
		if _, err := os.Lstat(filepath.Join(root, f.Path)); os.IsNotExist(err) {
			files = append(files, f)
		}
	}
	return files
}

// rolledBack reports whether a layer is not of the day that the others are of.
func (c *census) rolledBack(name string) bool {
	pkg, whole := c.whole[name]
	return !whole || pkg.From != ""
}

// judge sorts misses into those that keep a package which was rolled back, or
// one that uses such, from running, and the others.
func (c *census) judge() (grave []libs.Miss, shown []Miss) {
	for _, m := range c.misses {
		if m.Kind == libs.Elsewhere {
			continue // programs find it by means of their own
		}
		rolled := c.rolledBack(m.Layer)
		if !m.Object.IsScript() {
			for _, o := range c.owners[stem(m.Want)] {
				rolled = rolled || c.rolledBack(o.name)
			}
		}
		if rolled && !m.Object.IsScript() && (m.Kind != libs.NoLibrary || len(c.partners(m)) > 0) {
			grave = append(grave, m)
			continue
		}
		shown = append(shown, Miss{Package: m.Layer, Problem: m.String(), Want: m.Want})
	}
	return grave, shown
}

// partners are the packages that may have had a library when the one that needs it was
// built: who has another version of it now, else who that package depends on.
func (c *census) partners(m libs.Miss) (names []string) {
	for _, o := range c.owners[stem(m.Want)] {
		if o.name != m.Layer && !slices.Contains(names, o.name) {
			names = append(names, o.name)
		}
	}
	layer := c.record[m.Layer]
	if len(names) > 0 || layer == nil {
		return names
	}
	for _, dep := range layer.Info.Depends {
		if soname, _, ok := strings.Cut(dep.Name, ".so"); ok && soname == stem(m.Want) {
			for name, l := range c.record {
				if l.Info.Satisfies(dep) || stem(dep.Name) == name {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

// librariesID names what was found out about a tree, with the old libraries
// that lie over it.
func librariesID(tree *layers.Tree, pkgs, compat []lock.Package) string {
	key := []string{"devenv libraries 1", tree.ID}
	for _, pkg := range pkgs {
		if pkg.From != "" {
			key = append(key, "rolled back "+pkg.Name)
		}
	}
	for _, pkg := range compat {
		key = append(key, pkg.SHA256)
	}
	sum := sha256.Sum256([]byte(strings.Join(key, "\n")))
	return hex.EncodeToString(sum[:])
}

// missesFile is beside fs/ in a directory of old libraries.
const missesFile = "misses.json"

// readMisses reads what was found out before.
func readMisses(c *cache.Cache, id string) (misses []Miss, ok bool) {
	text, err := os.ReadFile(filepath.Join(c.Setup(id), missesFile))
	return misses, err == nil && json.Unmarshal(text, &misses) == nil
}

// writeLibraries puts the old libraries and the misses where the next build
// finds them. The libraries are links into their layers. Misses alone are not
// worth waiting for the disk: if they are lost they are found out again.
func (p *Project) writeLibraries(store *layers.Store, tree *layers.Tree, id string, compat []lock.Package, misses []Miss) error {
	text, err := json.Marshal(misses)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if len(compat) == 0 {
		if err := os.MkdirAll(p.Cache.Setup(id), 0o755); err != nil {
			return err
		}
		return p.Cache.WriteChecked(filepath.Join(p.Cache.Setup(id), missesFile), 0o644, func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		})
	}
	dir, release, err := p.Cache.Temp("libraries")
	if err != nil {
		return err
	}
	defer release()
	made := filepath.Join(dir, "layer")
	if err := os.MkdirAll(filepath.Join(made, "fs"), 0o755); err != nil {
		return err
	}
	for _, pkg := range compat {
		layer, err := store.Layer(layers.ID(pkg.SHA256))
		if err != nil {
			return err
		}
		for _, f := range oldLibraries(layer, tree.FS) {
			if err := placeLibrary(layer.Dir, filepath.Join(made, "fs"), f); err != nil {
				return err
			}
		}
	}
	if err := os.WriteFile(filepath.Join(made, missesFile), text, 0o644); err != nil {
		return err
	}
	_, err = p.Cache.Publish(made, p.Cache.Setup(id))
	return err
}

// placeLibrary links a file of a layer to where it goes; where two old
// packages have the same, the first one's counts.
func placeLibrary(from, to string, f layers.File) error {
	at := filepath.Join(to, f.Path)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	var err error
	if f.Kind == layers.Symlink {
		err = os.Symlink(f.Link, at)
	} else if err = os.Link(filepath.Join(from, f.Path), at); err != nil && !os.IsExist(err) {
		var text []byte
		if text, err = os.ReadFile(filepath.Join(from, f.Path)); err == nil { // this file system does not link
			err = os.WriteFile(at, text, 0o755)
		}
	}
	if os.IsExist(err) {
		return nil
	}
	return err
}
