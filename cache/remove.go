package cache

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// RemoveAll removes path and all below it; a path that is not there is no
// error. Unlike os.RemoveAll it removes directories that their mode forbids to
// change (packages bring such), and it never leaves the tree: links are removed
// and not followed, also where somebody exchanges a directory for a link
// meanwhile, and a mount point is an error and not an empty disk.
func RemoveAll(path string) error {
	parent, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: filepath.Dir(path), Err: err}
	}
	defer unix.Close(parent)
	return removeAt(parent, filepath.Base(path), path)
}

// removeAt removes name in the directory at; path is only for messages.
func removeAt(at int, name, path string) error {
	err := unlinkat(at, name, 0)
	switch err {
	case nil, unix.ENOENT:
		return nil
	case unix.EISDIR, unix.EPERM: // Linux says the first, POSIX the second
	default:
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	dir, err := openToEmpty(at, name)
	switch err {
	case nil:
	case unix.ENOENT:
		return nil
	case unix.EXDEV:
		return fmt.Errorf("remove %s: something is mounted there: umount it first", path)
	default:
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	defer dir.Close()
	for range emptyTries {
		if err := empty(dir, path); err != nil {
			return err
		}
		err = unlinkat(at, name, unix.AT_REMOVEDIR)
		if err != unix.ENOTEMPTY && err != unix.EEXIST {
			break
		}
	}
	if err != nil && err != unix.ENOENT {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	return nil
}

// emptyTries is how often a directory is read: some file systems lose
// their place while entries go, and another process may still be writing.
const emptyTries = 5

// empty removes all that is in dir.
func empty(dir *os.File, path string) error {
	if _, err := dir.Seek(0, io.SeekStart); err != nil {
		return err
	}
	for {
		names, err := dir.Readdirnames(1024)
		for _, name := range names {
			if err := removeAt(int(dir.Fd()), name, filepath.Join(path, name)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || err == nil && len(names) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// openToEmpty opens the directory name in at so that its entries can be
// removed: never a link, never a mount point, and with the owner's permissions
// put right.
func openToEmpty(at int, name string) (*os.File, error) {
	fd, err := openBelow(at, name, unix.O_RDONLY)
	if err == unix.EACCES {
		if err = unlock(at, name); err == nil {
			fd, err = openBelow(at, name, unix.O_RDONLY)
		}
	}
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err == nil && st.Mode&0o700 != 0o700 {
		unix.Fchmod(fd, 0o700) // if not allowed, the first unlink says so
	}
	return os.NewFile(uintptr(fd), name), nil
}

// openBelow opens a directory without following a link or entering a mount.
func openBelow(at int, name string, flags int) (int, error) {
	flags |= unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	how := unix.OpenHow{Flags: uint64(flags), Resolve: unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_BENEATH}
	for {
		fd, err := unix.Openat2(at, name, &how)
		switch err {
		case unix.EINTR, unix.EAGAIN:
			continue
		case unix.ENOSYS, unix.EPERM: // before Linux 5.6, or a seccomp filter that does not know it
			return openSameDevice(at, name, flags)
		}
		return fd, err
	}
}

func openSameDevice(at int, name string, flags int) (int, error) {
	fd, err := unix.Openat(at, name, flags, 0)
	if err != nil {
		return -1, err
	}
	var here, there unix.Stat_t
	if unix.Fstat(at, &here) != nil || unix.Fstat(fd, &there) != nil || here.Dev != there.Dev {
		unix.Close(fd)
		return -1, unix.EXDEV
	}
	return fd, nil
}

// unlock gives the owner all permissions on a directory that cannot be opened
// for reading. chmod by way of /proc is the one way that cannot be led through a link.
func unlock(at int, name string) error {
	fd, err := openBelow(at, name, unix.O_PATH)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), 0o700)
}

func unlinkat(at int, name string, flags int) error {
	for {
		if err := unix.Unlinkat(at, name, flags); err != unix.EINTR {
			return err
		}
	}
}
