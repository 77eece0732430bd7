package layers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"devenv/cache"
)

// TreeSpec says what a tree is made of. Equal specs make the same tree.
type TreeSpec struct {
	Layers    []string            `json:"layers"`              // ids; where it matters (the modes of directories), the first one counts
	NoExtract []string            `json:"noExtract,omitempty"` // globs of paths to leave out, as pacman.conf(5) has them
	Overwrite map[string][]string `json:"overwrite,omitempty"` // by package name: globs of files that it may take from other packages
}

// Tree is a flattened tree. Nothing in it may be written to.
type Tree struct {
	ID  string
	Dir string // the files are in fs/ below it
	FS  string // Dir/fs
}

// treeFormat is part of every tree's id, as format is of a layer's.
const treeFormat = "devenv tree v1\n"

// ID is the id of the tree that the spec makes. It can be told before any of its
// layers is there.
func (spec TreeSpec) ID() string {
	var w writer
	w.string(treeFormat)
	w.list(spec.Layers)
	w.list(spec.NoExtract)
	for _, name := range slices.Sorted(maps.Keys(spec.Overwrite)) {
		w.string(name)
		w.list(spec.Overwrite[name])
	}
	sum := sha256.Sum256(w)
	return hex.EncodeToString(sum[:])
}

// specFile keeps a tree's spec beside fs/, for those who verify or list it.
const specFile = "spec.json"

// FindTree is the tree of that spec if it is there.
func (s *Store) FindTree(spec TreeSpec) (*Tree, bool) {
	tree := s.tree(spec.ID())
	_, err := os.Lstat(tree.FS)
	return tree, err == nil
}

func (s *Store) tree(id string) *Tree {
	dir := s.cache.Tree(id)
	return &Tree{ID: id, Dir: dir, FS: filepath.Join(dir, "fs")}
}

// TreeSpec reads back what a tree was made of.
func (s *Store) TreeSpec(id string) (TreeSpec, error) {
	var spec TreeSpec
	text, err := os.ReadFile(filepath.Join(s.cache.Tree(id), specFile))
	if err == nil {
		err = json.Unmarshal(text, &spec)
	}
	if err == nil && spec.ID() != id {
		err = errors.New("its spec is another tree's")
	}
	if err != nil {
		return TreeSpec{}, fmt.Errorf("tree %s: %w", id, err)
	}
	return spec, nil
}

// Tree makes the tree of that spec, or finds it. Its layers must be there.
// Packages that do not fit together are a *ConflictError.
func (s *Store) Tree(ctx context.Context, spec TreeSpec) (*Tree, error) {
	if tree, ok := s.FindTree(spec); ok {
		return tree, nil
	}
	return s.Weave(ctx, spec, func(yield func(*Layer, error) bool) {
		for _, id := range spec.Layers {
			if !yield(s.Layer(id)) {
				return
			}
		}
	})
}

// Weave is Tree while the layers are still being added: it links each as it
// comes out of layers, in any order, for instance from [Store.AddAll]. layers is
// drained even if the tree is there already, unless it yields an error, which
// ends it.
func (s *Store) Weave(ctx context.Context, spec TreeSpec, layers iter.Seq2[*Layer, error]) (*Tree, error) {
	id := spec.ID()
	release, err := s.Hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	unlock, err := s.lockOne(ctx, "tree-"+id)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if tree, ok := s.FindTree(spec); ok {
		return tree, drain(layers)
	}
	dir, discard, err := s.cache.Temp("tree")
	if err != nil {
		return nil, err
	}
	defer discard()
	if err := s.weaveIn(ctx, dir, spec, layers); err != nil {
		return nil, fmt.Errorf("make tree: %w", cache.Explain(err, s.cache.Path(cache.Trees), 0))
	}
	if _, err := s.PublishLater(cache.Trees, dir, id); err != nil {
		return nil, err
	}
	return s.tree(id), nil
}

func drain(layers iter.Seq2[*Layer, error]) error {
	for _, err := range layers {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) weaveIn(ctx context.Context, dir string, spec TreeSpec, layers iter.Seq2[*Layer, error]) error {
	w, err := newWeaver(ctx, filepath.Join(dir, "fs"), spec)
	if err != nil {
		return err
	}
	if err := w.weave(layers); err != nil {
		return err
	}
	return writeSpec(dir, spec)
}

func writeSpec(dir string, spec TreeSpec) error {
	text, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, specFile), append(text, '\n'), 0o644)
}

// lockOne takes a lock whose file goes with it: there are as many names as
// layers and trees, and each is needed once. Whoever waited for it finds the file
// gone and locks a new one, only to see that the work is done.
func (s *Store) lockOne(ctx context.Context, name string) (unlock func(), err error) {
	release, err := s.cache.Lock(ctx, name)
	if err != nil {
		return nil, err
	}
	return func() {
		os.Remove(s.cache.Path(cache.Locks, name))
		release()
	}, nil
}

// Trees are the ids of all trees.
func (s *Store) Trees() ([]string, error) {
	entries, err := os.ReadDir(s.cache.Path(cache.Trees))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the trees: %w", err)
	}
	ids := make([]string, 0, len(entries))
	for _, entry := range entries {
		ids = append(ids, entry.Name())
	}
	return ids, nil
}
