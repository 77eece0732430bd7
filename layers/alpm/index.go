package alpm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"unsafe"
)

// Index answers questions about many packages, which need not be of different
// names. It lies in one run of bytes, as WriteTo writes it, and decodes a
// package when it is first asked for: opening costs a checksum, however many
// packages there are. All lists are in the order that NewIndex was given.
//
// An Index is safe for concurrent use, and gives the same *Package each time.
type Index struct {
	data    []byte
	text    string // data again
	records []byte // a uint32 offset for each package, and the end
	decoded []atomic.Pointer[Package]

	names, provides, groups, replaces table
}

// table is a sorted multimap: a key leads to packages by their numbers.
type table struct {
	text string
	keys []byte // sorted: a uint32 each of offset and length in text, of first and count in ids
	ids  []byte // a uint32 each
	n    uint32 // how many packages there are
}

// The layout, all numbers little-endian: a header of magic, version, CRC-32C of
// all that follows it, number of packages, where the records end, and of each
// table the numbers of keys and of ids; the records; their offsets; of each
// table keys and ids.
const (
	indexMagic   = "devenvIX"
	indexVersion = 1
	checkedFrom  = 16
	headerSize   = checkedFrom + 8 + 4*8
	keySize      = 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrIndex is what every error of OpenIndex is: the bytes are damaged, or of
// another version. The index must be made again.
var ErrIndex = errors.New("not a sound package index")

// OpenIndex uses data in place: it must stay as it is for as long as the index
// and its packages are used.
func OpenIndex(data []byte) (*Index, error) {
	switch {
	case len(data) < headerSize || string(data[:8]) != indexMagic:
		return nil, fmt.Errorf("%w: no header", ErrIndex)
	case u32(data, 2) != indexVersion:
		return nil, fmt.Errorf("%w: version %d, wanted %d", ErrIndex, u32(data, 2), indexVersion)
	case u32(data, 3) != crc32.Checksum(data[checkedFrom:], castagnoli):
		return nil, fmt.Errorf("%w: checksum does not hold", ErrIndex)
	}
	n, recordsEnd := u32(data, 4), u32(data, 5)
	if n >= 1<<31 || recordsEnd < headerSize || uint64(recordsEnd) > uint64(len(data)) {
		return nil, fmt.Errorf("%w: impossible header", ErrIndex)
	}
	x := &Index{data: data, text: unsafe.String(&data[0], len(data))}
	rest := section(data[recordsEnd:])
	x.records = rest.take(n+1, 4)
	for i, t := range x.tables() {
		keys, ids := u32(data, 6+2*i), u32(data, 7+2*i)
		*t = table{text: x.text, keys: rest.take(keys, keySize), ids: rest.take(ids, 4), n: n}
	}
	if rest == nil {
		return nil, fmt.Errorf("%w: shorter than it says", ErrIndex)
	}
	x.decoded = make([]atomic.Pointer[Package], n)
	return x, nil
}

// section is what is left to be taken; nil once too much was asked for.
type section []byte

func (s *section) take(count uint32, size int) []byte {
	n := uint64(count) * uint64(size)
	if *s == nil || uint64(len(*s)) < n {
		*s = nil
		return nil
	}
	taken := (*s)[:n]
	*s = (*s)[n:]
	return taken
}

func (x *Index) tables() [4]*table {
	return [4]*table{&x.names, &x.provides, &x.groups, &x.replaces}
}

// WriteTo writes what OpenIndex reads.
func (x *Index) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(x.data)
	return int64(n), err
}

// Len is the number of packages.
func (x *Index) Len() int { return len(x.decoded) }

// Lookup is the first package of that very name, or nil.
func (x *Index) Lookup(name string) *Package {
	ids := x.names.find(name)
	if len(ids) == 0 {
		return nil
	}
	return x.at(u32(ids, 0))
}

// Versions are all packages of that very name.
func (x *Index) Versions(name string) []*Package { return x.all(x.names.find(name)) }

// Providers are the packages that provide name and are not called so.
func (x *Index) Providers(name string) []*Package { return x.all(x.provides.find(name)) }

// Replacers are the packages that say they replace name.
func (x *Index) Replacers(name string) []*Package { return x.all(x.replaces.find(name)) }

// Group is the packages of a group.
func (x *Index) Group(name string) []*Package { return x.all(x.groups.find(name)) }

// Groups are the names of all groups, sorted.
func (x *Index) Groups() iter.Seq[string] { return x.groups.all() }

// Names are the names of all packages, each once, sorted.
func (x *Index) Names() iter.Seq[string] { return x.names.all() }

// Provisions are the names that packages of other names provide, sorted.
func (x *Index) Provisions() iter.Seq[string] { return x.provides.all() }

// All are the packages.
func (x *Index) All() iter.Seq[*Package] {
	return func(yield func(*Package) bool) {
		for id := range x.decoded {
			if p := x.at(uint32(id)); p != nil && !yield(p) {
				return
			}
		}
	}
}

// Search are the packages that match accepts, of which only name and
// description are decoded to ask it.
func (x *Index) Search(match func(name, desc string) bool) []*Package {
	var found []*Package
	for id := range x.decoded {
		r := x.record(uint32(id))
		if name, desc := r.string(), r.string(); !r.failed && match(name, desc) {
			if p := x.at(uint32(id)); p != nil {
				found = append(found, p)
			}
		}
	}
	return found
}

func (x *Index) all(ids []byte) []*Package {
	if len(ids) == 0 {
		return nil
	}
	pkgs := make([]*Package, 0, len(ids)/4)
	for i := range len(ids) / 4 {
		if p := x.at(u32(ids, i)); p != nil {
			pkgs = append(pkgs, p)
		}
	}
	return pkgs
}

// at decodes a package once. Where two do so at once, the first wins, so that
// everyone sees one.
func (x *Index) at(id uint32) *Package {
	if p := x.decoded[id].Load(); p != nil {
		return p
	}
	r := x.record(id)
	p := r.pkg()
	if r.failed {
		return nil
	}
	if x.decoded[id].CompareAndSwap(nil, p) {
		return p
	}
	return x.decoded[id].Load()
}

// record is the encoded package of that number. A checksum guards all this, so
// bounds that do not hold are made by hand; such a package does not exist.
func (x *Index) record(id uint32) recordReader {
	from, to := u32(x.records, int(id)), u32(x.records, int(id)+1)
	if from > to || uint64(to) > uint64(len(x.text)) {
		return recordReader{failed: true}
	}
	return recordReader{text: x.text[from:to]}
}

// find is the numbers under a key.
func (t *table) find(key string) []byte {
	lo, hi := 0, len(t.keys)/keySize
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		switch strings.Compare(t.key(mid), key) {
		case 0:
			return t.list(mid)
		case -1:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return nil
}

func (t *table) key(i int) string {
	at, size := uint64(u32(t.keys, 4*i)), uint64(u32(t.keys, 4*i+1))
	if at+size > uint64(len(t.text)) {
		return ""
	}
	return t.text[at : at+size]
}

func (t *table) list(i int) []byte {
	first, count := uint64(u32(t.keys, 4*i+2)), uint64(u32(t.keys, 4*i+3))
	if first+count > uint64(len(t.ids)/4) {
		return nil
	}
	ids := t.ids[4*first : 4*(first+count)]
	for i := range len(ids) / 4 {
		if u32(ids, i) >= t.n {
			return nil
		}
	}
	return ids
}

func (t *table) all() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(t.keys) / keySize {
			if !yield(t.key(i)) {
				return
			}
		}
	}
}

func u32(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
