package alpm

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"

	"devenv/layers/alpm/internal/inflate"
)

// Compression is how a database or package file is packed.
type Compression string

// What makepkg and repo-add are known to write.
const (
	Plain Compression = "plain"
	Gzip  Compression = "gzip"
	Zstd  Compression = "zstd"
	XZ    Compression = "xz"
	Bzip2 Compression = "bzip2"
)

// maxWindow bounds what a compressed stream may ask to be kept in memory. It
// covers zstd --ultra -22 and xz -9, the most that makepkg can be told to use.
const maxWindow = 128 << 20

var magics = []struct {
	Compression
	magic string
}{
	{Gzip, "\x1f\x8b"},
	{Zstd, "\x28\xb5\x2f\xfd"},
	{XZ, "\xfd7zXZ\x00"},
	{Bzip2, "BZh"},
}

// unread are what else makepkg can be told to use (PKGEXT of makepkg.conf(5)),
// and pacman reads.
var unread = []struct{ name, magic string }{
	{"lz4", "\x04\x22\x4d\x18"},
	{"lzip", "LZIP\x01"},
	{"lzop", "\x89LZO\x00\r"},
	{"lrzip", "LRZI\x00"},
	{"compress", "\x1f\x9d"},
	{"lzma", "\x5d\x00\x00"},
}

// UnreadError says that a file is whole, but packed as is read nowhere here.
type UnreadError struct{ By string }

func (e *UnreadError) Error() string {
	return fmt.Sprintf("it is packed with %s, and only zstd, xz, gzip, bzip2 and plain tar are read: pack it anew with one of these", e.By)
}

// sniffSize is how many bytes tell every compression from every other.
const sniffSize = 6

// Sniff tells from the first bytes of a file, six or more, how it is packed.
// What it does not know is Plain: the archive reader will say what is wrong.
func Sniff(head []byte) Compression {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.Compression
		}
	}
	return Plain
}

// Decompress unpacks r as its first bytes demand. The reader starts no
// goroutine; Close frees its memory and leaves r open.
func Decompress(r io.Reader) (io.ReadCloser, Compression, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(sniffSize)
	if err != nil && err != io.EOF {
		return nil, Plain, err
	}
	kind := Sniff(head)
	if kind == Plain {
		for _, u := range unread {
			if bytes.HasPrefix(head, []byte(u.magic)) {
				return nil, Plain, &UnreadError{By: u.name}
			}
		}
	}
	d, err := decompressor(kind, br)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, kind, fmt.Errorf("%s: %w", kind, err)
	}
	return d, kind, nil
}

func decompressor(kind Compression, r *bufio.Reader) (io.ReadCloser, error) {
	switch kind {
	case Gzip:
		z := gzipReaders.get()
		if err := z.Reset(r); err != nil {
			return nil, err
		}
		return pooled[*inflate.Reader]{z, &gzipReaders}, nil
	case Zstd:
		z := zstdReaders.get()
		if err := z.Reset(r); err != nil {
			return nil, err
		}
		return pooled[*zstd.Decoder]{z, &zstdReaders}, nil
	case XZ:
		z := xzReaders.get()
		if err := z.Reset(r); err != nil {
			return nil, xzError(err)
		}
		return pooled[xzReader]{z, &xzReaders}, nil
	case Bzip2:
		return io.NopCloser(bzip2.NewReader(r)), nil
	}
	return io.NopCloser(r), nil
}

// Decompressors are large, up to a window of 32 MiB for what zstd --ultra -20
// made, and packages mostly small: they are used again.
var (
	gzipReaders = pool[*inflate.Reader]{fresh: func() *inflate.Reader { return new(inflate.Reader) }}
	zstdReaders = pool[*zstd.Decoder]{fresh: func() *zstd.Decoder {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			panic("alpm: zstd refuses its options: " + err.Error())
		}
		return z
	}}
	xzReaders = pool[xzReader]{fresh: func() xzReader {
		z, err := xz.NewReader(nil, maxWindow)
		if err != nil {
			panic("alpm: xz refuses its options: " + err.Error())
		}
		return xzReader{z}
	}}
)

// maxIdle is how many readers a pool keeps.
const maxIdle = 4

// pool keeps readers for whoever needs one next. A sync.Pool would let them go
// with every second garbage collection, and hold twice as many until then.
type pool[R io.Reader] struct {
	fresh func() R
	mu    sync.Mutex
	idle  []R
}

func (p *pool[R]) get() R {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return p.fresh()
	}
	r := p.idle[last]
	p.idle = p.idle[:last]
	return r
}

func (p *pool[R]) put(r R) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) < maxIdle {
		p.idle = append(p.idle, r)
	}
}

// pooled goes back to its pool when it is closed.
type pooled[R io.Reader] struct {
	r    R
	pool *pool[R]
}

func (p pooled[R]) Read(b []byte) (int, error) { return p.r.Read(b) }

func (p pooled[R]) Close() error {
	p.pool.put(p.r)
	return nil
}

// xzReader says io.ErrUnexpectedEOF of truncated input, as all others do.
type xzReader struct{ *xz.Reader }

func (r xzReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	return n, xzError(err)
}

func xzError(err error) error {
	if err == xz.ErrBuf {
		return io.ErrUnexpectedEOF
	}
	return err
}
