package layers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Records are read at every build, so they are in a form that is read fast:
// varints and length-prefixed strings, closed by a checksum.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errRecord is what every damaged record's error is.
var errRecord = errors.New("damaged record")

// writer appends to its bytes.
type writer []byte

func (w *writer) uint(v uint64) { *w = binary.AppendUvarint(*w, v) }
func (w *writer) int(v int64)   { *w = binary.AppendVarint(*w, v) }

func (w *writer) string(s string) {
	w.uint(uint64(len(s)))
	*w = append(*w, s...)
}

func (w *writer) list(list []string) {
	w.uint(uint64(len(list)))
	for _, s := range list {
		w.string(s)
	}
}

// seal closes the bytes with their checksum.
func (w *writer) seal() []byte {
	return binary.LittleEndian.AppendUint32(*w, crc32.Checksum(*w, castagnoli))
}

// unseal checks and takes off what seal has put there.
func unseal(data []byte) (reader, error) {
	n := len(data) - 4
	if n < 0 || crc32.Checksum(data[:n], castagnoli) != binary.LittleEndian.Uint32(data[n:]) {
		return reader{}, fmt.Errorf("%w: its checksum is wrong", errRecord)
	}
	return reader{rest: string(data[:n])}, nil
}

// reader takes values from the front. Strings share its memory. After an
// error, which it keeps, all values are zero.
type reader struct {
	rest string
	err  error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", errRecord, what)
	}
	r.rest = ""
}

func (r *reader) uint() uint64 {
	var v uint64
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		b := r.rest[i]
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			r.rest = r.rest[i+1:]
			return v
		}
	}
	r.fail("it ends within a number")
	return 0
}

func (r *reader) int() int64 {
	u := r.uint()
	v := int64(u >> 1)
	if u&1 != 0 {
		v = ^v
	}
	return v
}

func (r *reader) string() string {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.fail("it ends within a string")
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// count is a number of things of which each takes at least one byte: more than
// there are bytes left is damage, and must not be allocated for.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.fail("it counts more than it holds")
		return 0
	}
	return int(n)
}
