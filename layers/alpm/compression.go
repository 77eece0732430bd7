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
		z := gzipReaders.Get().(*inflate.Reader)
		if err := z.Reset(r); err != nil {
			return nil, err
		}
		return pooled[*inflate.Reader]{z, &gzipReaders}, nil
	case Zstd:
		z := zstdReaders.Get().(*zstd.Decoder)
		if err := z.Reset(r); err != nil {
			return nil, err
		}
		return pooled[*zstd.Decoder]{z, &zstdReaders}, nil
	case XZ:
		z := xzReaders.Get().(xzReader)
		if err := z.Reset(r); err != nil {
			return nil, xzError(err)
		}
		return pooled[xzReader]{z, &xzReaders}, nil
	case Bzip2:
		return io.NopCloser(bzip2.NewReader(r)), nil
	}
	return io.NopCloser(r), nil
}

// Decompressors are large and packages mostly small, so they are used again.
var (
	gzipReaders = sync.Pool{New: func() any { return new(inflate.Reader) }}
	zstdReaders = sync.Pool{New: func() any {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			panic("alpm: zstd refuses its options: " + err.Error())
		}
		return z
	}}
	xzReaders = sync.Pool{New: func() any {
		z, err := xz.NewReader(nil, maxWindow)
		if err != nil {
			panic("alpm: xz refuses its options: " + err.Error())
		}
		return xzReader{z}
	}}
)

// pooled goes back to its pool when it is closed.
type pooled[R io.Reader] struct {
	r    R
	pool *sync.Pool
}

func (p pooled[R]) Read(b []byte) (int, error) { return p.r.Read(b) }

func (p pooled[R]) Close() error {
	p.pool.Put(p.r)
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
