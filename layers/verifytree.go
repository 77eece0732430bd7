package layers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"devenv/layers/alpm"
)

// VerifyTree compares a tree with what its spec makes of its layers: modes and
// times of directories, that files are the layers' own, and that there is
// nothing else. A damaged tree is removed and made again. One whose layers are
// not all there counts as damaged.
func (s *Store) VerifyTree(ctx context.Context, tree string) ([]*DamageError, error) {
	spec, err := s.TreeSpec(tree)
	if err != nil {
		return []*DamageError{{Tree: tree, Path: specFile, Problem: "cannot be read: " + err.Error()}}, nil
	}
	m := newMerge(spec)
	for number, id := range spec.Layers {
		layer, err := s.Layer(id)
		if errors.Is(err, ErrNoLayer) {
			return []*DamageError{{Tree: tree, Layer: id, Path: "fs", Problem: "cannot be compared: " + err.Error()}}, nil
		}
		if err != nil {
			return nil, err
		}
		m.add(number, layer)
	}
	if _, err := m.settle(); err != nil {
		return nil, err
	}
	root := s.tree(tree).FS
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return []*DamageError{{Tree: tree, Path: "fs", Problem: failure(err)}}, nil
	}
	defer unix.Close(fd)
	v := &treeVerifier{ctx: ctx, id: tree, root: root, fd: fd, merge: m}
	if err := v.run(); err != nil {
		return nil, err
	}
	slices.SortFunc(v.damage, func(a, b *DamageError) int { return strings.Compare(a.Path, b.Path) })
	return v.damage, nil
}

type treeVerifier struct {
	ctx    context.Context
	id     string
	root   string
	fd     int
	merge  *merge
	damage []*DamageError
}

func (v *treeVerifier) damaged(path, problem string) {
	v.damage = append(v.damage, &DamageError{Tree: v.id, Path: path, Problem: problem})
}

func (v *treeVerifier) run() error {
	known := map[string]bool{dbVersion: true}
	files := make(map[int][]*File)
	for path, n := range v.merge.nodes {
		switch {
		case !n.made:
			continue
		case n.dir:
			if problem := v.checkDir(path, n.file); problem != "" {
				v.damaged(path, problem)
			}
		default:
			files[n.number] = append(files[n.number], n.file)
		}
		known[path] = true
	}
	for number, files := range files {
		if err := v.checkFiles(v.merge.layers[number], files); err != nil {
			return err
		}
	}
	v.checkDB()
	for _, path := range unknownBelow(v.root, known) {
		v.damaged(path, "is in none of its layers")
	}
	return nil
}

func (v *treeVerifier) checkDir(path string, f *File) (problem string) {
	var st unix.Stat_t
	if err := unix.Fstatat(v.fd, path, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return failure(err)
	}
	mode, mtime := v.merge.attributes(f)
	switch {
	case kindOf(&st) != Directory:
		return "is no directory"
	case st.Mode&0o7777 != mode:
		return fmt.Sprintf("has mode %04o instead of %04o", st.Mode&0o7777, mode)
	case unix.TimespecToNsec(st.Mtim) != mtime:
		return "has been changed: it has another time"
	}
	return ""
}

// checkFiles compares the files that are from one layer.
func (v *treeVerifier) checkFiles(layer *Layer, files []*File) error {
	from, err := unix.Open(layer.Dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: layer.Dir, Err: err}
	}
	defer unix.Close(from)
	for _, f := range files {
		if err := context.Cause(v.ctx); err != nil {
			return err
		}
		if problem := v.checkFile(from, f); problem != "" {
			v.damaged(f.Path, problem)
		}
	}
	return nil
}

// checkFile sees that a file is its layer's, or where files had to be copied, equals it.
func (v *treeVerifier) checkFile(from int, f *File) (problem string) {
	var have, want unix.Stat_t
	if err := unix.Fstatat(v.fd, f.Path, &have, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return failure(err)
	}
	if err := unix.Fstatat(from, f.Path, &want, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return "in its layer " + failure(err)
	}
	switch {
	case have.Ino == want.Ino && have.Dev == want.Dev:
		return ""
	case have.Mode != want.Mode || have.Size != want.Size || have.Mtim != want.Mtim:
		return "is another file than its layer's"
	case f.Kind == Symlink:
		return (&verifier{fd: v.fd}).checkLink(f)
	}
	a, errA := sumFile(v.fd, f.Path)
	b, errB := sumFile(from, f.Path)
	if errA != nil || errB != nil || a != b {
		return "has other content than its layer's"
	}
	return ""
}

func (v *treeVerifier) checkDB() {
	if !v.merge.nodes[path.Dir(dbVersion)].made {
		return
	}
	text, err := os.ReadFile(filepath.Join(v.root, dbVersion))
	if err != nil || string(text) != alpm.LocalVersion {
		v.damaged(dbVersion, "has other content")
	}
}
