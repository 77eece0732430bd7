package layers

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"devenv/cache"
)

// Reweave is Weave for a spec that differs little from that of a tree that
// nobody needs any more: that tree becomes the new one, and only what differs
// is touched. The caller must know that no other project uses it. Where it cannot
// be taken, because it is not there, in use, or too different, a new tree is woven.
func (s *Store) Reweave(ctx context.Context, old string, spec TreeSpec, layers iter.Seq2[*Layer, error]) (*Tree, error) {
	ready, err := gather(spec, layers)
	if err != nil {
		return nil, err
	}
	s.transform(ctx, old, spec, ready) // or leave it to Weave
	return s.Weave(ctx, spec, func(yield func(*Layer, error) bool) {
		for _, layer := range ready {
			if !yield(layer, nil) {
				return
			}
		}
	})
}

// gather waits for all layers of a spec.
func gather(spec TreeSpec, layers iter.Seq2[*Layer, error]) (map[string]*Layer, error) {
	ready := make(map[string]*Layer, len(spec.Layers))
	for layer, err := range layers {
		if err != nil {
			return nil, err
		}
		ready[layer.ID] = layer
	}
	return ready, nil
}

// errTooDifferent says that making a tree anew is less work than changing one.
var errTooDifferent = errors.New("too different")

// transform makes one tree of another, or fails and leaves neither.
func (s *Store) transform(ctx context.Context, old string, spec TreeSpec, ready map[string]*Layer) error {
	release, err := s.Hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	unlock, err := s.lockOne(ctx, "tree-"+spec.ID())
	if err != nil {
		return err
	}
	defer unlock()
	if _, ok := s.FindTree(spec); ok {
		return nil
	}
	before, err := s.TreeSpec(old)
	if err != nil {
		return err
	}
	from, err := s.mergeAll(before, ready)
	if err != nil {
		return err
	}
	to, err := s.mergeAll(spec, ready)
	if err != nil {
		return err
	}
	change := difference(from, to)
	if change.size() > len(to.nodes)/3 {
		return errTooDifferent
	}
	dir, discard, err := s.cache.Temp("tree")
	if err != nil {
		return err
	}
	defer discard()
	if err := s.take(cache.Trees, old, dir); err != nil {
		return err
	}
	if err := change.apply(ctx, filepath.Join(dir, "fs")); err != nil {
		return err
	}
	if err := writeSpec(dir, spec); err != nil {
		return err
	}
	_, err = s.PublishLater(cache.Trees, dir, spec.ID())
	return err
}

// mergeAll merges the layers of a spec, those of ready and others that are there.
func (s *Store) mergeAll(spec TreeSpec, ready map[string]*Layer) (*merge, error) {
	m := newMerge(spec)
	for number, id := range spec.Layers {
		layer, ok := ready[id]
		if !ok {
			var err error
			if layer, err = s.Layer(id); err != nil {
				return nil, err
			}
		}
		m.add(number, layer)
	}
	_, err := m.settle()
	return m, err
}

// Conflicts are the paths that keep the layers of a spec, which must be there,
// from making a tree.
func (s *Store) Conflicts(spec TreeSpec) ([]Conflict, error) {
	_, err := s.mergeAll(spec, nil)
	var refused *ConflictError
	if errors.As(err, &refused) {
		return refused.Conflicts, nil
	}
	return nil, err
}

// take moves a thing to dir, an empty one, as gc does: only if no environment
// holds it.
func (s *Store) take(kind cache.Kind, id, dir string) error {
	now, cancel := context.WithCancel(context.Background())
	cancel() // try once, wait never
	lock, err := cache.Acquire(now, s.cache.HoldPath(kind, id), cache.Exclusive, nil)
	if err != nil {
		return err
	}
	defer lock.Close()
	path := s.cache.Path(kind, id)
	if err := unix.Rename(path, dir); err != nil { // onto a directory, which os.Rename refuses
		return &os.LinkError{Op: "rename", Old: path, New: dir, Err: err}
	}
	return os.Remove(lock.Name())
}

// change is what has to be done to make one tree of another.
type change struct {
	from, to *merge
	unlink   []string // files
	rmdir    []string // innermost first
	mkdir    []string // outermost first
	link     []string
	settle   map[string]bool // directories whose attributes must be set
}

func difference(from, to *merge) *change {
	c := &change{from: from, to: to, settle: make(map[string]bool)}
	for path, was := range from.nodes {
		if is := to.nodes[path]; was.made && !(is.made && from.same(was, to, is)) {
			c.gone(path, was)
		}
	}
	for path, is := range to.nodes {
		was := from.nodes[path]
		switch {
		case !is.made:
		case !was.made || !from.same(was, to, is):
			c.comes(path, is)
		case is.dir && from.looks(was) != to.looks(is):
			c.settle[path] = true
		}
	}
	for dir := path.Dir(dbVersion); dir != "."; dir = path.Dir(dir) {
		c.settle[dir] = true
	}
	slices.Sort(c.mkdir)
	slices.Sort(c.rmdir)
	slices.Reverse(c.rmdir)
	return c
}

func (c *change) gone(p string, n node) {
	if n.dir {
		c.rmdir = append(c.rmdir, p)
	} else {
		c.unlink = append(c.unlink, p)
	}
	c.settle[path.Dir(p)] = true
}

func (c *change) comes(p string, n node) {
	if n.dir {
		c.mkdir = append(c.mkdir, p)
		c.settle[p] = true
	} else {
		c.link = append(c.link, p)
	}
	c.settle[path.Dir(p)] = true
}

func (c *change) size() int {
	return len(c.unlink) + len(c.rmdir) + len(c.mkdir) + len(c.link)
}

// same reports whether a node of m and one of other are the same file, or are
// both directories.
func (m *merge) same(n node, other *merge, is node) bool {
	return n.dir && is.dir || !n.dir && !is.dir && m.ids[n.number] == other.ids[is.number]
}

type looks struct {
	mode  uint32
	mtime int64
}

func (m *merge) looks(n node) looks {
	mode, mtime := m.attributes(n.file)
	return looks{mode, mtime}
}

// apply changes the tree at root.
func (c *change) apply(ctx context.Context, root string) error {
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(fd)
	if err := c.open(fd); err != nil {
		return err
	}
	for _, p := range c.unlink {
		if err := unix.Unlinkat(fd, p, 0); err != nil {
			return &fs.PathError{Op: "remove", Path: "/" + p, Err: err}
		}
	}
	if err := removeDB(fd); err != nil {
		return err
	}
	for _, p := range c.rmdir {
		if err := unix.Unlinkat(fd, p, unix.AT_REMOVEDIR); err != nil {
			return &fs.PathError{Op: "remove", Path: "/" + p, Err: err}
		}
	}
	w := &weaver{ctx: ctx, merge: c.to, fs: fd}
	if err := w.mkdirs(c.mkdir); err != nil {
		return err
	}
	if err := c.linkAll(w); err != nil {
		return err
	}
	if err := w.finishDB(); err != nil {
		return err
	}
	return w.settleDirs(slices.Collect(maps.Keys(c.settle)), noMode)
}

// open lets us into the directories that change, and those above them.
func (c *change) open(fd int) error {
	var closed []string
	for dir := range c.settle {
		for ; dir != "."; dir = path.Dir(dir) {
			if n := c.from.nodes[dir]; n.made && c.from.looks(n).mode&0o700 != 0o700 {
				closed = append(closed, dir)
			}
		}
	}
	slices.Sort(closed)
	for _, dir := range slices.Compact(closed) {
		if err := unix.Fchmodat(fd, dir, 0o700, 0); err != nil {
			return &fs.PathError{Op: "chmod", Path: "/" + dir, Err: err}
		}
		c.settle[dir] = true
	}
	return nil
}

// removeDB removes the mark of the local database, which is made anew.
func removeDB(fd int) error {
	if err := unix.Unlinkat(fd, dbVersion, 0); err != nil && err != unix.ENOENT {
		return &fs.PathError{Op: "remove", Path: "/" + dbVersion, Err: err}
	}
	return nil
}

// linkAll links what comes, layer by layer.
func (c *change) linkAll(w *weaver) error {
	byLayer := make(map[int][]*File)
	for _, p := range c.link {
		n := c.to.nodes[p]
		byLayer[n.number] = append(byLayer[n.number], n.file)
	}
	for number, files := range byLayer {
		from, err := openSource(c.to.layers[number])
		if err != nil {
			return err
		}
		for _, f := range files {
			if err = w.linkOne(from, f); err != nil {
				break
			}
		}
		from.release()
		if err := errors.Join(err, context.Cause(w.ctx)); err != nil {
			return err
		}
	}
	return nil
}
