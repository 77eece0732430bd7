package unpack

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// newFile is one regular file to be made.
type newFile struct {
	File
	dir    *dir
	base   string
	when   times
	xattrs []Xattr

	from, to int // its bytes in the batch
}

// batch is some small files and their bytes.
type batch struct {
	files []newFile
	data  *buffer
	used  int
}

// Files below smallFile are gathered in batches and written by other
// goroutines; larger ones are written as they come.
const (
	smallFile  = 128 << 10
	batchFiles = 32 // each may hold a directory open
	maxWriters = 3  // more would only wait for each other at one directory
)

// room says whether a file of that size fits into b.
func (b *batch) room(size int64) bool {
	return len(b.files) < batchFiles && size <= int64(len(b.data)-b.used)
}

// writers write batches. The first error stops them; what was handed over is
// released all the same.
type writers struct {
	batches chan *batch
	done    sync.WaitGroup
	stop    context.CancelCauseFunc
	failed  atomic.Bool
	modes   uint32 // what a new file keeps of its mode
	inspect func(File, io.ReaderAt)
	refused xattrList
}

// startWriters starts n goroutines, which end with finish. An error of theirs
// is the cause with which stop is called.
func startWriters(n int, stop context.CancelCauseFunc, modes uint32, inspect func(File, io.ReaderAt)) *writers {
	w := &writers{
		batches: make(chan *batch, n),
		stop:    stop,
		modes:   modes,
		inspect: inspect,
	}
	for range n {
		w.done.Go(w.run)
	}
	return w
}

func (w *writers) finish() {
	close(w.batches)
	w.done.Wait()
}

func (w *writers) run() {
	for b := range w.batches {
		for i := range b.files {
			f := &b.files[i]
			if !w.failed.Load() {
				if err := w.writeSmall(f, b.data[f.from:f.to]); err != nil {
					w.failed.Store(true)
					w.stop(entryError(f.Path, err))
				}
			}
			f.dir.release()
		}
		buffers.Put(b.data)
	}
}

func (w *writers) writeSmall(f *newFile, data []byte) error {
	fd, err := f.create(unix.O_WRONLY)
	if err != nil {
		return err
	}
	err = writeAll(fd, data, 0)
	if err == nil {
		err = w.settle(fd, f)
	}
	if closeErr := unix.Close(fd); err == nil {
		err = closeErr
	}
	if err == nil && w.inspect != nil && interesting(data) {
		w.inspect(f.File, bytes.NewReader(data))
	}
	return err
}

// writeLarge copies a file from the archive by way of buf.
func (w *writers) writeLarge(f *newFile, r io.Reader, buf []byte) error {
	fd, err := f.create(unix.O_RDWR)
	if err != nil {
		return err
	}
	known, err := copyFile(fd, f.Size, r, buf)
	if err == nil {
		err = w.settle(fd, f)
	}
	if err == nil && known && w.inspect != nil {
		w.inspect(f.File, descriptor(fd))
	}
	if closeErr := unix.Close(fd); err == nil {
		err = closeErr
	}
	return err
}

// copyFile copies size bytes and says whether they are interesting. It leaves
// holes for blocks of zeros, so that they cannot fill a disk.
func copyFile(fd int, size int64, r io.Reader, buf []byte) (known bool, err error) {
	for off := int64(0); off < size; {
		part := buf[:min(size-off, int64(len(buf)))]
		if _, err := io.ReadFull(r, part); err != nil {
			return false, unexpected(err)
		}
		known = known || off == 0 && interesting(part)
		if !isZero(part) {
			if err := writeAll(fd, part, off); err != nil {
				return false, err
			}
		}
		off += int64(len(part))
	}
	return known, unix.Ftruncate(fd, size)
}

func isZero(p []byte) bool {
	for len(p) >= 8 {
		if binary.NativeEndian.Uint64(p) != 0 {
			return false
		}
		p = p[8:]
	}
	for _, c := range p {
		if c != 0 {
			return false
		}
	}
	return true
}

func (f *newFile) create(access int) (int, error) {
	perm := f.Mode & 0o777
	if len(f.xattrs) > 0 {
		perm |= 0o200 // or none could be set
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat(f.dir.fd, f.base, access|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, perm)
	})
	if err == unix.EEXIST {
		return -1, f.dir.collision(f.base)
	}
	return fd, err
}

// settle gives a written file its attributes, mode and times, in that order: a
// write takes setuid away and moves the time.
func (w *writers) settle(fd int, f *newFile) error {
	for _, x := range f.xattrs {
		if err := unix.Fsetxattr(fd, x.Name, x.Value, 0); err != nil {
			w.refused.add(x)
		}
	}
	if f.Mode&^w.modes != 0 || len(f.xattrs) > 0 { // else it was made with it
		if err := unix.Fchmod(fd, f.Mode); err != nil {
			return err
		}
	}
	return setTimes(fd, f.when)
}

// interesting says whether a file is an ELF file or a script, by its first
// bytes.
func interesting(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\x7fELF")) || bytes.HasPrefix(data, []byte("#!"))
}

// descriptor reads an open file at any place.
type descriptor int

func (d descriptor) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		read, err := unix.Pread(int(d), p[n:], off+int64(n))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return n, err
		case read == 0:
			return n, io.EOF
		}
		n += max(read, 0)
	}
	return n, nil
}

func writeAll(fd int, p []byte, off int64) error {
	for len(p) > 0 {
		n, err := unix.Pwrite(fd, p, off)
		if err != nil && err != unix.EINTR {
			return err
		}
		n = max(n, 0)
		p, off = p[n:], off+int64(n)
	}
	return nil
}
