package unpack

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// tree is the directory being filled. All it does happens relative to open
// directories that were reached without following a symbolic link, so that
// nothing outside can be touched, whatever lay in the directory before. One
// goroutine uses it; the handles it gives may be used by others.
type tree struct {
	name   string
	root   *dir
	recent [recentDirs]recentDir // the directories used last
	clock  uint64
	walk   bool // openat2(2) is not to be had
}

const recentDirs = 16

type recentDir struct {
	path string
	dir  *dir
	used uint64
}

// dir is an open directory, closed when its last user releases it.
type dir struct {
	fd   int
	refs atomic.Int32
}

func newDir(fd int) *dir {
	d := &dir{fd: fd}
	d.refs.Store(1)
	return d
}

func (d *dir) hold() *dir { d.refs.Add(1); return d }

func (d *dir) release() {
	if d.refs.Add(-1) == 0 {
		unix.Close(d.fd)
	}
}

func openTree(name string) (*tree, error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &tree{name: name, root: newDir(fd)}, nil
}

func (t *tree) close() {
	for _, r := range t.recent {
		if r.dir != nil {
			r.dir.release()
		}
	}
	t.root.release()
}

// dir opens a directory; the caller releases it.
func (t *tree) dir(p string) (*dir, error) {
	if p == "." {
		return t.root.hold(), nil
	}
	t.clock++
	oldest := &t.recent[0]
	for i := range t.recent {
		r := &t.recent[i]
		if r.path == p {
			r.used = t.clock
			return r.dir.hold(), nil
		}
		if r.used < oldest.used {
			oldest = r
		}
	}
	fd, err := t.open(p)
	if err != nil {
		return nil, err
	}
	if oldest.dir != nil {
		oldest.dir.release()
	}
	*oldest = recentDir{p, newDir(fd), t.clock}
	return oldest.dir.hold(), nil
}

const openDirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

func (t *tree) open(p string) (int, error) {
	if !t.walk {
		fd, err := retry(func() (int, error) {
			return unix.Openat2(t.root.fd, p, &unix.OpenHow{
				Flags:   openDirFlags,
				Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
			})
		})
		// Before 5.6 there is none, and some containers' filters refuse it.
		if err != unix.ENOSYS && err != unix.EPERM {
			return fd, linkError(err)
		}
		t.walk = true
	}
	return t.openByWalk(p)
}

// openByWalk opens directory after directory, none of them through a link.
func (t *tree) openByWalk(p string) (int, error) {
	at := t.root.fd
	for part := range strings.SplitSeq(p, "/") {
		fd, err := retry(func() (int, error) { return unix.Openat(at, part, openDirFlags, 0) })
		if at != t.root.fd {
			unix.Close(at)
		}
		if err != nil {
			return -1, linkError(err)
		}
		at = fd
	}
	return at, nil
}

// linkError gives a name to what the kernel says of links on the way.
func linkError(err error) error {
	switch err {
	case unix.ELOOP:
		return ErrSymlink
	case unix.ENOTDIR:
		return ErrParent
	}
	return err
}

// mkdir makes a directory that its user can fill, or accepts one that is there.
func (t *tree) mkdir(p string) error {
	parent, err := t.dir(path.Dir(p))
	if err != nil {
		return err
	}
	defer parent.release()
	base := path.Base(p)
	switch err := unix.Mkdirat(parent.fd, base, 0o755); err {
	case nil:
		return nil
	case unix.EEXIST:
	default:
		return err
	}
	if err := parent.collision(base); errors.Is(err, ErrCase) {
		return err
	}
	fd, err := t.open(p)
	if err == ErrParent && parent.isSymlink(base) { // as which ENOTDIR hides it
		return ErrSymlink
	}
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func (d *dir) isSymlink(base string) bool {
	var st unix.Stat_t
	err := unix.Fstatat(d.fd, base, &st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK
}

// collision says why base could not be made where something was already.
func (d *dir) collision(base string) error {
	fd, err := unix.Openat(d.fd, ".", openDirFlags, 0)
	if err != nil {
		return ErrExists
	}
	f := os.NewFile(uintptr(fd), base)
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return ErrExists
	}
	for _, name := range names {
		if name == base {
			return ErrExists
		}
	}
	for _, name := range names {
		if strings.EqualFold(name, base) {
			return &EntryError{Other: name, Err: ErrCase}
		}
	}
	return ErrExists
}

func (t *tree) symlink(p, target string, when times) error {
	parent, err := t.dir(path.Dir(p))
	if err != nil {
		return err
	}
	defer parent.release()
	base := path.Base(p)
	switch err := unix.Symlinkat(target, parent.fd, base); err {
	case nil:
		return parent.setTimes(base, when)
	case unix.EEXIST:
		return parent.collision(base)
	default:
		return err
	}
}

func (t *tree) link(p, target string) error {
	from, err := t.dir(path.Dir(target))
	if err != nil {
		return err
	}
	defer from.release()
	to, err := t.dir(path.Dir(p))
	if err != nil {
		return err
	}
	defer to.release()
	switch err := unix.Linkat(from.fd, path.Base(target), to.fd, path.Base(p), 0); err {
	case unix.EEXIST:
		return to.collision(path.Base(p))
	default:
		return err
	}
}

// finishDir gives a directory its final mode and times.
func (t *tree) finishDir(p string, mode uint32, when times) error {
	fd := t.root.fd
	if p != "." {
		var err error
		if fd, err = t.open(p); err != nil {
			return err
		}
		defer unix.Close(fd)
	}
	if err := unix.Fchmod(fd, mode); err != nil {
		return err
	}
	return setTimes(fd, when)
}

// times are an entry's access and modification time.
type times [2]unix.Timespec

func (d *dir) setTimes(base string, when times) error {
	return unix.UtimesNanoAt(d.fd, base, when[:], unix.AT_SYMLINK_NOFOLLOW)
}

// retry repeats what a signal or a concurrent rename interrupted.
func retry(open func() (int, error)) (int, error) {
	for {
		fd, err := open()
		if err != unix.EINTR && err != unix.EAGAIN {
			return fd, err
		}
	}
}
