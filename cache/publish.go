package cache

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Publish moves what was made at tmp (a file or directory below tmp/) to its
// final place, where it appears whole. won is false where another process had
// put the same thing there first: that one stays, ours is removed by the
// release of its Temp.
//
// The bytes reach the disk before the name does, since after a power cut a
// name without its bytes would look like the real thing. A file is
// fsynced. A directory holds thousands of files, most of them hard links whose bytes
// have been on disk for long: one syncfs(2) costs less than an fsync each, and
// it, too, reports a disk that is full or failing.
func (c *Cache) Publish(tmp, final string) (won bool, err error) {
	info, err := os.Lstat(tmp)
	if err == nil {
		err = syncBytes(tmp, info.IsDir())
	}
	if err == nil {
		won, err = move(tmp, final, info.IsDir())
	}
	if err != nil {
		return false, fmt.Errorf("publish: %w", explain(err, final))
	}
	return won, nil
}

// move is Publish without the disk.
func move(tmp, final string, dir bool) (won bool, err error) {
	err = rename(tmp, final, dir)
	if errors.Is(err, fs.ErrNotExist) { // upgraded or cleared meanwhile, or a first entry of its kind
		if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
			return false, err
		}
		err = rename(tmp, final, dir)
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY) {
		return false, nil
	}
	return err == nil, err
}

// rename replaces a file, but never a directory: others may be reading in it.
func rename(from, to string, dir bool) error {
	if !dir {
		return os.Rename(from, to)
	}
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if err == unix.EINVAL || err == unix.ENOSYS {
		return os.Rename(from, to) // this file system has no such flag; only an empty directory would be replaced
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func syncBytes(path string, dir bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if dir {
		return os.NewSyscallError("syncfs", unix.Syncfs(int(f.Fd())))
	}
	return f.Sync()
}

// WriteFile replaces path, a file in the cache, by one with data in it, as
// [Cache.Publish] does: readers see the old bytes or the new.
func (c *Cache) WriteFile(path string, data []byte, perm fs.FileMode) error {
	return c.Write(path, perm, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Write is WriteFile for whoever would rather write than collect.
func (c *Cache) Write(path string, perm fs.FileMode, fill func(io.Writer) error) error {
	return c.replace(path, perm, fill, syncBytes)
}

// WriteChecked is Write for a file that carries its own checksum: it does not
// wait for the disk. After a power cut the file may hold anything.
func (c *Cache) WriteChecked(path string, perm fs.FileMode, fill func(io.Writer) error) error {
	return c.replace(path, perm, fill, func(string, bool) error { return nil })
}

func (c *Cache) replace(path string, perm fs.FileMode, fill func(io.Writer) error, sync func(path string, dir bool) error) error {
	tmp, release, err := c.reserve(filepath.Base(path))
	if err != nil {
		return err
	}
	defer release()
	err = create(tmp, perm, fill)
	if err == nil {
		err = sync(tmp, false)
	}
	if err == nil {
		_, err = move(tmp, path, false)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, explain(err, path))
	}
	return nil
}

// create makes a file with that mode, whatever the umask.
func create(path string, perm fs.FileMode, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = f.Chmod(perm)
	}
	return errors.Join(err, f.Close())
}

func parentOf(path string) string { return filepath.Dir(path) }
