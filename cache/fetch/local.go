package fetch

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// copyLocal brings a file of this machine into the part: as a reflink where
// the file system can, as a hard link where that is safe, else as a copy.
// It is hashed all the same.
func (t *transfer) copyLocal(ctx context.Context, src source) error {
	in, info, err := openRegular(src.path)
	if err != nil {
		return err
	}
	defer in.Close()
	if t.stored != nil && t.stored.unchanged(src, info) {
		t.res = Result{URL: src.String()}
		return nil
	}
	if err := t.checkLength(src, info.Size()); err != nil {
		return err
	}
	if err := t.part.reset(); err != nil {
		return err
	}
	t.mixed = false
	if err := t.fill(ctx, src, in, info); err != nil {
		return err
	}
	if err := t.check(src); err != nil {
		return err
	}
	t.res = Result{URL: src.String(), Changed: true, Modified: info.ModTime()}
	if t.stored != nil {
		t.stored.from = validators{URL: src.String()}
	}
	return nil
}

// openRegular opens a file, and never waits for a pipe's other end.
func openRegular(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// fill makes the part hold what in holds, hashed.
func (t *transfer) fill(ctx context.Context, src source, in *os.File, info fs.FileInfo) error {
	from, to := in, io.Writer(t.part)
	switch err := unix.IoctlFileClone(int(t.part.f.Fd()), int(in.Fd())); {
	case err == nil:
		// Read back from our own file, so that what is hashed is what is kept.
		from, to = t.part.f, &hashing{t.part}
	case t.linkable(info) && t.part.link(src.path, in):
		to = &hashing{t.part}
	default:
		if err := t.part.room(info.Size()); err != nil {
			return err
		}
	}
	buf := make([]byte, copySize)
	for ctx.Err() == nil {
		n, err := from.Read(buf)
		if t.part.n+int64(n) > t.req.limit() {
			return t.corrupt(src, fmt.Sprintf("at most %d bytes", t.req.limit()), "more")
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
			t.report.bytes(t.part.n, info.Size())
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// linkable reports whether the source may share its inode with the cache: only
// where a hash will tell a later change, and where nobody but we could make it.
func (t *transfer) linkable(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && t.req.SHA256 != "" && int(st.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}

// hashing counts and hashes for a part whose bytes are there already.
type hashing struct{ part *part }

func (h *hashing) Write(b []byte) (int, error) {
	h.part.hash.Write(b)
	h.part.n += int64(len(b))
	return len(b), nil
}

// link makes a hard link to the file at path, which is open as in, beside the
// part. It is what commit will rename; the part itself stays another file,
// since parts are written to and the source must never be.
func (p *part) link(path string, in *os.File) bool {
	name := p.f.Name() + ".link"
	os.Remove(name) // of one who was killed here
	if err := unix.Linkat(unix.AT_FDCWD, path, unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW); err != nil {
		return false
	}
	a, errA := os.Lstat(name)
	b, errB := in.Stat()
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		os.Remove(name)
		return false
	}
	p.linked = name
	return true
}
