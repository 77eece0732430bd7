package fetch

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// copyLocal brings a file of this machine into the part: as a reflink where
// the file system can, else as a copy; never as a hard link, which the file's
// own link count and change time would show. It is hashed all the same.
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
	if unix.IoctlFileClone(int(t.part.f.Fd()), int(in.Fd())) == nil {
		// Read back from our own file, so that what is hashed is what is kept.
		from, to = t.part.f, &hashing{t.part}
	} else if err := t.part.room(info.Size()); err != nil {
		return err
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

// hashing counts and hashes for a part whose bytes are there already.
type hashing struct{ part *part }

func (h *hashing) Write(b []byte) (int, error) {
	h.part.hash.Write(b)
	h.part.n += int64(len(b))
	return len(b), nil
}
