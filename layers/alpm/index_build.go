package alpm

import (
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// NewIndex indexes pkgs, which it keeps and gives back. Packages of one name,
// of several repositories or days, may all be there; who comes first is
// Lookup's answer.
func NewIndex(pkgs []*Package) *Index {
	var b indexBuilder
	b.w.b = make([]byte, headerSize, headerSize+512*len(pkgs))
	starts := make([]uint32, 0, len(pkgs)+1)
	for id, p := range pkgs {
		starts = append(starts, uint32(len(b.w.b)))
		b.pkg(p, uint32(id))
	}
	x, err := OpenIndex(b.finish(append(starts, uint32(len(b.w.b)))))
	if err != nil {
		panic("alpm: NewIndex wrote what OpenIndex refuses: " + err.Error())
	}
	for id, p := range pkgs {
		x.decoded[id].Store(p)
	}
	return x
}

// indexBuilder writes records and gathers the tables.
type indexBuilder struct {
	w                                 recordWriter
	names, provides, groups, replaces tableBuilder
}

type tableBuilder []tableEntry

type tableEntry struct {
	key string
	at  uint32 // where the key's bytes lie
	id  uint32
}

func (t *tableBuilder) add(key string, at, id uint32) {
	*t = append(*t, tableEntry{key, at, id})
}

// group sorts the entries, drops what repeats, and returns how many keys there
// are.
func (t *tableBuilder) group() (keys uint32) {
	slices.SortFunc(*t, func(a, b tableEntry) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.id, b.id))
	})
	*t = slices.CompactFunc(*t, func(a, b tableEntry) bool { return a.key == b.key && a.id == b.id })
	for i, e := range *t {
		if i == 0 || e.key != (*t)[i-1].key {
			keys++
		}
	}
	return keys
}

// append writes the table's keys and ids.
func (t tableBuilder) append(b []byte) []byte {
	for first := 0; first < len(t); {
		next := first + 1
		for next < len(t) && t[next].key == t[first].key {
			next++
		}
		b = appendU32(b, t[first].at, uint32(len(t[first].key)), uint32(first), uint32(next-first))
		first = next
	}
	for _, e := range t {
		b = appendU32(b, e.id)
	}
	return b
}

// finish writes what follows the records, then the header.
func (b *indexBuilder) finish(starts []uint32) []byte {
	out := appendU32(b.w.b, starts...)
	head := append([]byte(indexMagic), make([]byte, checkedFrom-len(indexMagic))...)
	head = appendU32(head, uint32(len(starts)-1), starts[len(starts)-1])
	for _, t := range [...]*tableBuilder{&b.names, &b.provides, &b.groups, &b.replaces} {
		head = appendU32(head, t.group(), uint32(len(*t)))
		out = t.append(out)
	}
	copy(out, head)
	binary.LittleEndian.PutUint32(out[8:], indexVersion)
	binary.LittleEndian.PutUint32(out[12:], crc32.Checksum(out[checkedFrom:], castagnoli))
	return out
}

func appendU32(b []byte, values ...uint32) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}
