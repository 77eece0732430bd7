package env

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"devenv/cache"
	"devenv/env/lock"
	"devenv/layers"
)

// oldName is what libraries are called whose versions can lie side by side:
// lib*.so.N, and lib*-N.so.
var oldName = regexp.MustCompile(`^lib.*(\.so\..+|-[0-9][0-9.]*\.so)$`)

// oldLibraries are the files of a layer that a compatibility layer takes: of what
// is called so, all that the tree has nothing in the place of.
func oldLibraries(layer *layers.Layer, root string) (files []layers.File) {
	for _, f := range layer.Owned() {
		if f.Kind == layers.Directory || !oldName.MatchString(path.Base(f.Path)) {
			continue
		}
		if _, err := os.Lstat(filepath.Join(root, f.Path)); os.IsNotExist(err) {
			files = append(files, f)
		}
	}
	return files
}

// rolledBack reports whether any package is not of the day that the others are
// of. Only such may need old libraries.
func rolledBack(pkgs []lock.Package) bool {
	return slices.ContainsFunc(pkgs, func(pkg lock.Package) bool { return pkg.From != "" })
}

// librariesID names a tree with the old libraries that lie over it.
func librariesID(tree *layers.Tree, pkgs, compat []lock.Package) string {
	key := []string{"devenv libraries 2", tree.ID}
	for _, pkg := range pkgs {
		if pkg.From != "" {
			key = append(key, "rolled back "+pkg.Name)
		}
	}
	for _, pkg := range compat {
		key = append(key, pkg.SHA256)
	}
	return digestOf(key)
}

func digestOf(key []string) string {
	sum := sha256.Sum256([]byte(strings.Join(key, "\n")))
	return hex.EncodeToString(sum[:])
}

// missesFile is what was found out, in a directory of its own or beside the fs/ of
// old libraries.
const missesFile = "misses.json"

// readMisses reads what was found out before.
func readMisses(c *cache.Cache, id string) (misses []Miss, ok bool) {
	text, err := os.ReadFile(filepath.Join(c.Setup(id), missesFile))
	return misses, err == nil && json.Unmarshal(text, &misses) == nil
}

// writeMisses remembers what was found out. That is not worth waiting for the
// disk: if it is lost it is found out again.
func writeMisses(c *cache.Cache, id string, misses []Miss) error {
	text, err := json.Marshal(misses)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Setup(id), 0o755); err != nil {
		return err
	}
	return c.WriteChecked(filepath.Join(c.Setup(id), missesFile), 0o644, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// writeLibraries puts old libraries where the next build finds them: links into
// their layers. Without any it remembers that none are needed.
func (p *Project) writeLibraries(store *layers.Store, tree *layers.Tree, id string, compat []lock.Package) error {
	if len(compat) == 0 {
		return writeMisses(p.Cache, id, nil)
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
	if err := os.WriteFile(filepath.Join(made, missesFile), []byte("null\n"), 0o644); err != nil {
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
