package unpack

import (
	"io"
	"path"
)

// regular makes a regular file, at once or by way of a batch.
func (u *unpacker) regular(e entry, r io.Reader) error {
	wanted, err := u.note(e, file)
	if err != nil || !wanted {
		return err
	}
	d, err := u.tree.dir(path.Dir(e.path))
	if err != nil {
		return err
	}
	f := newFile{
		File:   e.file(),
		dir:    d,
		base:   path.Base(e.path),
		when:   e.when,
		xattrs: xattrsOf(e.path, e.PAXRecords),
	}
	if f.Size < smallFile {
		return u.queue(f, r)
	}
	defer d.release()
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	return u.out.writeLarge(&f, r, buf[:])
}

// queue reads a small file into the current batch, which goes to the writers
// when it is full.
func (u *unpacker) queue(f newFile, r io.Reader) error {
	if u.batch != nil && !u.batch.room(f.Size) {
		u.flush()
	}
	if u.batch == nil {
		u.batch = &batch{data: buffers.Get().(*buffer), files: make([]newFile, 0, batchFiles)}
	}
	b := u.batch
	f.from, f.to = b.used, b.used+int(f.Size)
	b.used = f.to
	b.files = append(b.files, f)
	_, err := io.ReadFull(r, b.data[f.from:f.to])
	return unexpected(err)
}

func (u *unpacker) flush() {
	if u.batch != nil {
		u.out.batches <- u.batch
		u.batch = nil
	}
}
