package setup

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// volatile is what differs from one machine or moment to the next and serves
// nobody: caches of inode numbers, random numbers, the host's identity.
var volatile = []string{
	"etc/.pwd.lock", "etc/.updated", "etc/machine-id", "root/.bash_history", "root/.cache",
	"var/.updated", "var/cache/ldconfig/aux-cache", "var/lib/dbus/machine-id", "var/lib/systemd/random-seed", "var/tmp",
}

// finish makes the upper directory of an overlay that is no longer mounted into
// a layer that lies over the tree anywhere: for a user and for real root, whose
// overlays keep their marks in different attributes, and where there is no
// overlay at all. So what a mark says is said by whiteouts alone, which are the
// same for all. It runs as the mapped root, for files that their owner may not read.
func finish(j *job) error {
	f := &finisher{
		job:   j,
		lower: j.lower(),
		upper: filepath.Join(j.Cache, j.Work, "upper"),
	}
	if j.Copy {
		if err := f.differences(filepath.Join(j.Cache, j.Work, "root"), "."); err != nil {
			return err
		}
	}
	for _, name := range volatile {
		if err := os.RemoveAll(filepath.Join(f.upper, name)); err != nil {
			return err
		}
	}
	_, err := f.dir(".")
	if err != nil {
		return err
	}
	if err := os.Chmod(f.upper, 0o755); err != nil {
		return err
	}
	return f.setTime(".", time.Unix(j.Epoch, 0))
}

type finisher struct {
	*job
	lower []string // absolute
	upper string
}

// below is the file that a name of the upper directory hides, or an error.
func (f *finisher) below(rel string) (at string, info fs.FileInfo, err error) {
	err = fs.ErrNotExist
	for _, d := range f.lower {
		at = filepath.Join(d, rel)
		if info, err = os.Lstat(at); err == nil {
			return at, info, nil
		}
	}
	return "", nil, err
}

// dir finishes a directory and all below it. It reports whether it says no more
// than the tree's own does.
func (f *finisher) dir(rel string) (needless bool, err error) {
	at := filepath.Join(f.upper, rel)
	before, err := os.Lstat(at)
	if err != nil {
		return false, err
	}
	if err := f.clean(rel); err != nil {
		return false, err
	}
	entries, err := os.ReadDir(at)
	if err != nil {
		return false, err
	}
	left := 0
	for _, e := range entries {
		name := filepath.Join(rel, e.Name())
		drop := false
		if e.IsDir() {
			drop, err = f.dir(name)
		} else {
			drop, err = f.file(name, e)
		}
		if err == nil && drop {
			err = os.Remove(filepath.Join(f.upper, name))
		} else {
			left++
		}
		if err != nil {
			return false, err
		}
	}
	_, below, err := f.below(rel)
	if left == 0 && rel != "." && err == nil && below.Mode() == before.Mode() {
		return true, nil
	}
	return false, f.settle(rel, before)
}

// file finishes what is no directory, and reports whether it can go.
func (f *finisher) file(rel string, e fs.DirEntry) (needless bool, err error) {
	info, err := e.Info()
	if err != nil {
		return false, err
	}
	switch {
	case isWhiteout(info):
		_, _, err := f.below(rel)
		return err != nil, nil
	case info.Mode()&fs.ModeSocket != 0:
		return true, nil
	case info.Mode().IsRegular():
		if err := f.clean(rel); err != nil {
			return false, err
		}
		if same, err := f.same(rel, info); same || err != nil {
			return same, err
		}
	}
	return false, f.settle(rel, info)
}

func isWhiteout(info fs.FileInfo) bool {
	st, ok := info.Sys().(*unixStat)
	return ok && info.Mode()&fs.ModeCharDevice != 0 && st.Rdev == 0
}

// same reports whether a file of the tree was copied up and is as it was: many
// scriptlets set the mode that is there already.
func (f *finisher) same(rel string, info fs.FileInfo) (bool, error) {
	at, below, err := f.below(rel)
	if err != nil || below.Mode() != info.Mode() || below.Size() != info.Size() {
		return false, nil
	}
	if n, err := unix.Llistxattr(filepath.Join(f.upper, rel), nil); err != nil || n > 0 {
		return false, nil
	}
	return sameBytes(filepath.Join(f.upper, rel), at)
}

func sameBytes(a, b string) (bool, error) {
	fa, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer fa.Close()
	fb, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer fb.Close()
	bufA, bufB := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, errA := io.ReadFull(fa, bufA)
		m, errB := io.ReadFull(fb, bufB)
		if !bytes.Equal(bufA[:n], bufB[:m]) {
			return false, nil
		}
		if errA != nil || errB != nil {
			return (errA == io.EOF || errA == io.ErrUnexpectedEOF) && errA == errB, nil
		}
	}
}

// settle gives what a step has written the fixed time; what only came along
// has its own.
func (f *finisher) settle(rel string, info fs.FileInfo) error {
	mtime := info.ModTime()
	if mtime.UnixNano() >= f.Start-int64(time.Second) {
		mtime = time.Unix(f.Epoch, 0)
	}
	return f.setTime(rel, mtime)
}

func (f *finisher) setTime(rel string, t time.Time) error {
	ts := unix.NsecToTimespec(t.UnixNano())
	at := filepath.Join(f.upper, rel)
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, at, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "utimensat", Path: at, Err: err}
	}
	return nil
}

// marks are the beginnings of the names of an overlay's own attributes.
const userMarks, trustedMarks = "user.overlay.", "trusted.overlay."

// clean takes an overlay's marks off. A directory that hides all that lies below
// it hides each name by itself then.
func (f *finisher) clean(rel string) error {
	at := filepath.Join(f.upper, rel)
	names, err := listXattrs(at)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, userMarks) && !strings.HasPrefix(name, trustedMarks) {
			continue
		}
		if strings.HasSuffix(name, ".opaque") {
			var value [1]byte
			if n, err := unix.Lgetxattr(at, name, value[:]); err == nil && n == 1 && value[0] == 'y' {
				if err := f.hide(rel); err != nil {
					return err
				}
			}
		}
		if err := unix.Lremovexattr(at, name); err != nil {
			return fmt.Errorf("%s: removing %s: %w", at, name, err)
		}
	}
	return nil
}

// hide puts a whiteout on every name of the tree that a directory has not, and
// does so in those that both have.
func (f *finisher) hide(rel string) error {
	for _, lower := range f.lower {
		entries, err := os.ReadDir(filepath.Join(lower, rel))
		if err != nil {
			continue // it has no such directory
		}
		for _, e := range entries {
			name := filepath.Join(rel, e.Name())
			info, err := os.Lstat(filepath.Join(f.upper, name))
			switch {
			case os.IsNotExist(err):
				err = whiteout(filepath.Join(f.upper, name))
			case err == nil && info.IsDir() && e.IsDir():
				err = f.hide(name)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// whiteout makes the device 0:0 that hides a name (since Linux 5.8 anybody may).
func whiteout(at string) error {
	if err := unix.Mknod(at, unix.S_IFCHR, 0); err != nil {
		return &fs.PathError{Op: "mknod", Path: at, Err: err}
	}
	return nil
}

func listXattrs(at string) ([]string, error) {
	buf := make([]byte, 64<<10)
	n, err := unix.Llistxattr(at, buf)
	if err == unix.EOPNOTSUPP || err == unix.ENOTSUP {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "listxattr", Path: at, Err: err}
	}
	names := strings.Split(string(buf[:n]), "\x00")
	return slices.DeleteFunc(names, func(s string) bool { return s == "" }), nil
}
