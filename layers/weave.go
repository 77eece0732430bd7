package layers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"devenv/layers/alpm"
)

// weaver puts a tree on disk, layer by layer. Deciding and making directories
// happen in the goroutine that has the layers; links, most of the work, are
// made by linkers meanwhile, since a directory is there before its files are
// handed over.
type weaver struct {
	ctx   context.Context
	cause context.CancelCauseFunc
	merge *merge
	fs    int // the tree's root, an O_PATH descriptor

	work    chan batch
	linkers sync.WaitGroup
	copying atomic.Bool // the file system does not link
}

// batch is some files of one layer.
type batch struct {
	from  *source
	files []*File
}

// source is an open layer, closed by its last user.
type source struct {
	layer *Layer
	fd    int
	users atomic.Int32
}

func (s *source) release() {
	if s.users.Add(-1) == 0 {
		unix.Close(s.fd)
	}
}

const (
	// linkerCount is how many links are made at once: two halve the time, more
	// wait for the file system's journal.
	linkerCount = 2
	batchSize   = 512
)

func newWeaver(ctx context.Context, root string, spec TreeSpec) (*weaver, error) {
	if err := os.Mkdir(root, 0o755); err != nil {
		return nil, err
	}
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: root, Err: err}
	}
	ctx, cause := context.WithCancelCause(ctx)
	w := &weaver{ctx: ctx, cause: cause, merge: newMerge(spec), fs: fd, work: make(chan batch, 64)}
	for range linkerCount {
		w.linkers.Go(w.link)
	}
	return w, nil
}

// weave makes the whole tree and ends the weaver.
func (w *weaver) weave(layers iter.Seq2[*Layer, error]) error {
	defer unix.Close(w.fs)
	err := w.addAll(layers)
	if err != nil {
		w.cause(err)
	}
	close(w.work)
	w.linkers.Wait()
	if err := context.Cause(w.ctx); err != nil {
		return err
	}
	defer w.cause(nil)
	return w.finish()
}

func (w *weaver) addAll(layers iter.Seq2[*Layer, error]) error {
	numbers := make(map[string]int, len(w.merge.layers))
	for number, id := range w.merge.ids {
		if _, twice := numbers[id]; twice {
			return fmt.Errorf("layer %s is wanted twice", id)
		}
		numbers[id] = number
	}
	for layer, err := range layers {
		if err == nil {
			err = context.Cause(w.ctx)
		}
		if err != nil {
			return err
		}
		number, ok := numbers[layer.ID]
		if !ok {
			continue // one that the spec does not want
		}
		delete(numbers, layer.ID)
		if err := w.add(number, layer); err != nil {
			return err
		}
	}
	for id := range numbers {
		return fmt.Errorf("layer %s: %w", id, ErrNoLayer)
	}
	return nil
}

func (w *weaver) add(number int, layer *Layer) error {
	dirs, files := w.merge.add(number, layer)
	if err := w.mkdirs(dirs); err != nil {
		return err
	}
	if len(files) == 0 {
		return nil
	}
	from, err := openSource(layer)
	if err != nil {
		return err
	}
	defer from.release()
	for files := range slices.Chunk(files, batchSize) {
		from.users.Add(1)
		w.work <- batch{from, files}
	}
	return nil
}

func (w *weaver) mkdirs(dirs []string) error {
	for _, dir := range dirs {
		if err := unix.Mkdirat(w.fs, dir, 0o755); err != nil {
			return &fs.PathError{Op: "mkdir", Path: "/" + dir, Err: err}
		}
	}
	return nil
}

func openSource(layer *Layer) (*source, error) {
	fd, err := unix.Open(layer.Dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &DamageError{Layer: layer.ID, Package: layer.Name(), Path: ".", Problem: err.Error()}
	}
	s := &source{layer: layer, fd: fd}
	s.users.Store(1)
	return s, nil
}

// link is one linker.
func (w *weaver) link() {
	for b := range w.work {
		for _, f := range b.files {
			if w.ctx.Err() != nil {
				break
			}
			if err := w.linkOne(b.from, f); err != nil {
				w.cause(err)
			}
		}
		b.from.release()
	}
}

func (w *weaver) linkOne(from *source, f *File) error {
	if !w.copying.Load() {
		err := unix.Linkat(from.fd, f.Path, w.fs, f.Path, 0)
		if err == nil {
			return nil
		}
		if !w.mustCopy(err) {
			return w.linkFailed(from.layer, f, err)
		}
	}
	if err := copyFile(from.fd, w.fs, f); err != nil {
		return w.linkFailed(from.layer, f, err)
	}
	return nil
}

// mustCopy tells a link that cannot be from one that failed. AFS links within
// one directory only, some network file systems not at all; an inode has room for
// only so many links (65,000 on ext4, and a package may have a thousand names
// for one file).
func (w *weaver) mustCopy(err error) bool {
	switch err {
	case unix.EMLINK:
		return true
	case unix.EXDEV, unix.EPERM, unix.EOPNOTSUPP, unix.ENOSYS:
		w.copying.Store(true)
		return true
	}
	return false
}

func (w *weaver) linkFailed(layer *Layer, f *File, err error) error {
	if errors.Is(err, unix.ENOENT) {
		return &DamageError{Layer: layer.ID, Package: layer.Name(), Path: f.Path, Problem: "is missing"}
	}
	return fmt.Errorf("/%s of %s: %w", f.Path, layer.Name(), err)
}

// finish does what needs to know all layers: files that several packages have,
// and the directories' modes and times.
func (w *weaver) finish() error {
	moved, err := w.merge.settle()
	if err != nil {
		return err
	}
	for _, path := range moved {
		if err := w.replace(path); err != nil {
			return err
		}
	}
	if err := w.finishDB(); err != nil {
		return err
	}
	return w.finishDirs()
}

// replace puts the winner's file in the place of the one that came first.
func (w *weaver) replace(path string) error {
	n := w.merge.nodes[path]
	if !n.made {
		return nil
	}
	if err := unix.Unlinkat(w.fs, path, 0); err != nil {
		return &fs.PathError{Op: "replace", Path: "/" + path, Err: err}
	}
	from, err := openSource(w.merge.layers[n.number])
	if err != nil {
		return err
	}
	defer from.release()
	return w.linkOne(from, n.file)
}

// finishDB marks the local database, whose entries came with the layers, with
// its version: without it pacman takes it for damaged.
func (w *weaver) finishDB() error {
	if !w.merge.nodes[localDB].made {
		return nil
	}
	fd, err := unix.Openat(w.fs, dbVersion, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return &fs.PathError{Op: "create", Path: "/" + dbVersion, Err: err}
	}
	f := os.NewFile(uintptr(fd), dbVersion)
	_, err = f.WriteString(alpm.LocalVersion)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	return errors.Join(err, setTime(w.fs, dbVersion, w.merge.newest()))
}

// currentUmask is the process's umask, which can only be read or set without a race
// from /proc; where that cannot be had, it is one that no directory gets past.
func currentUmask() uint32 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0o777
	}
	_, rest, _ := strings.Cut(string(status), "\nUmask:")
	line, _, _ := strings.Cut(rest, "\n")
	umask, err := strconv.ParseUint(strings.TrimSpace(line), 8, 32)
	if err != nil {
		return 0o777
	}
	return uint32(umask)
}

func (w *weaver) finishDirs() error {
	dirs := make([]string, 0, 1024)
	for path, n := range w.merge.nodes {
		if n.dir && n.made {
			dirs = append(dirs, path)
		}
	}
	return w.settleDirs(dirs, 0o755&^currentUmask())
}

// noMode is what settleDirs is told where directories are of different modes.
const noMode = ^uint32(0)

// settleDirs gives directories of the tree, and the root, their modes and
// times, the innermost first: a mode may forbid to look inside, and a time would not
// survive what is done inside. Paths that are no such directory are passed over.
// All of them have mode have, unless that is noMode.
func (w *weaver) settleDirs(dirs []string, have uint32) error {
	slices.SortFunc(dirs, func(a, b string) int { return strings.Compare(b, a) })
	for _, dir := range dirs {
		n := w.merge.nodes[dir]
		if !n.made {
			continue
		}
		mode, mtime := w.merge.attributes(n.file)
		if mode != have {
			if err := unix.Fchmodat(w.fs, dir, mode, 0); err != nil {
				return &fs.PathError{Op: "chmod", Path: "/" + dir, Err: err}
			}
		}
		if err := setTime(w.fs, dir, mtime); err != nil {
			return err
		}
	}
	return w.finishRoot()
}

func (w *weaver) finishRoot() error {
	if err := unix.Fchmodat(w.fs, ".", 0o755, 0); err != nil {
		return &fs.PathError{Op: "chmod", Path: "/", Err: err}
	}
	return setTime(w.fs, ".", w.merge.newest())
}

func setTime(dir int, name string, mtime int64) error {
	ts := unix.NsecToTimespec(mtime)
	if err := unix.UtimesNanoAt(dir, name, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "utimensat", Path: path.Join("/", name), Err: err}
	}
	return nil
}
