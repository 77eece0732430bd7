package alpm

import (
	"fmt"
	"io"
)

// LimitError says that a file asks for more than any real one does: it is
// damaged or meant to exhaust the reader.
type LimitError struct {
	What  string // what is too large or too many
	Limit int64  // the most that is accepted
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: more than %d, so it is taken for damaged or hostile", e.What, e.Limit)
}

// Unpacked data may be freeUnpacked, and beyond it maxRatio times what was read
// of the packed. Real databases reach 20, runs of zero bytes 1,000 and more.
const (
	freeUnpacked = 32 << 20
	maxRatio     = 100
)

// bombGuard reads what a compressed source unpacks to and stops when that grows
// out of proportion, or beyond max.
type bombGuard struct {
	io.ReadCloser
	packed   *countingReader
	max      int64
	unpacked int64
	ended    bool // the source has no more
}

// decompressGuarded is Decompress for sources nobody vouches for.
func decompressGuarded(packed *countingReader, max int64) (*bombGuard, Compression, error) {
	d, kind, err := Decompress(packed)
	if err != nil {
		return nil, kind, err
	}
	return &bombGuard{ReadCloser: d, packed: packed, max: max}, kind, nil
}

func (g *bombGuard) Read(p []byte) (int, error) {
	n, err := g.ReadCloser.Read(p)
	g.unpacked += int64(n)
	g.ended = g.ended || err == io.EOF
	if g.unpacked > g.max {
		return n, &LimitError{What: "bytes unpacked", Limit: g.max}
	}
	if limit := freeUnpacked + maxRatio*g.packed.n; g.unpacked > limit {
		return n, &LimitError{What: "bytes unpacked from so few packed ones", Limit: limit}
	}
	return n, err
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
