package layers

import (
	"io"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// copyFile makes f in the directory to as it is in the directory from, where
// the file system refuses a hard link: by sharing the bytes if it can do that.
func copyFile(from, to int, f *File) error {
	if f.Kind == Symlink {
		if err := unix.Symlinkat(f.Link, to, f.Path); err != nil {
			return &fs.PathError{Op: "symlink", Path: f.Path, Err: err}
		}
		return setTime(to, f.Path, f.MTime)
	}
	in, err := openOwn(from, f.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	fd, err := unix.Openat(to, f.Path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return &fs.PathError{Op: "create", Path: f.Path, Err: err}
	}
	out := os.NewFile(uintptr(fd), f.Path)
	if err := copyBytes(out, in); err != nil {
		out.Close()
		return err
	}
	if err := unix.Fchmod(fd, uint32(f.Mode)); err != nil {
		out.Close()
		return &fs.PathError{Op: "chmod", Path: f.Path, Err: err}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return setTime(to, f.Path, f.MTime)
}

func copyBytes(out, in *os.File) error {
	if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) == nil {
		return nil
	}
	_, err := io.Copy(out, in) // in the kernel, where it can
	return err
}

// openOwn opens a file of one's own for reading, also one whose mode forbids it
// (sudo is --s--x--x). Chmod goes through /proc, where no link can lead it away.
func openOwn(dir int, name string) (*os.File, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == unix.EACCES {
		fd, err = openForbidden(dir, name)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

func openForbidden(dir int, name string) (int, error) {
	path, err := unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(path)
	var st unix.Stat_t
	if err := unix.Fstat(path, &st); err != nil {
		return -1, err
	}
	mode := st.Mode & 0o7777
	if st.Mode&unix.S_IFMT != unix.S_IFREG || mode&0o400 != 0 {
		return -1, unix.EACCES
	}
	self := "/proc/self/fd/" + strconv.Itoa(path)
	if err := unix.Chmod(self, mode|0o400); err != nil {
		return -1, unix.EACCES
	}
	defer unix.Chmod(self, mode)
	return unix.Open(self, unix.O_RDONLY|unix.O_CLOEXEC, 0)
}
