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
	b := indexBuilder{w: recordWriter{b: make([]byte, 0, 400*len(pkgs)+headerSize)}}
	ends := make([]uint32, len(pkgs))
	for id, p := range pkgs {
		b.w.pkg(p, uint32(id), &b)
		ends[id] = uint32(len(b.w.b))
	}
	x, err := OpenIndex(b.bytes(ends))
	if err != nil {
		panic("alpm: NewIndex wrote what OpenIndex refuses: " + err.Error())
	}
	for id, p := range pkgs {
		x.decoded[id].Store(p)
	}
	return x
}

// indexBuilder gathers records and tables; record offsets count from the first
// record until bytes knows where that lies.
type indexBuilder struct {
	w                                 recordWriter
	names, provides, groups, replaces tableBuilder
}

type tableBuilder []tableEntry

type tableEntry struct {
	key string
	at  uint32 // where the key's bytes lie among the records
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

// append writes the table's keys and ids; base is where the records begin.
func (t tableBuilder) append(b []byte, base uint32) []byte {
	for first := 0; first < len(t); {
		next := first + 1
		for next < len(t) && t[next].key == t[first].key {
			next++
		}
		b = appendU32(b, base+t[first].at, uint32(len(t[first].key)), uint32(first), uint32(next-first))
		first = next
	}
	for _, e := range t {
		b = appendU32(b, e.id)
	}
	return b
}

func (b *indexBuilder) bytes(ends []uint32) []byte {
	tables := [...]*tableBuilder{&b.names, &b.provides, &b.groups, &b.replaces}
	head := append([]byte(indexMagic), make([]byte, 8)...)
	head = appendU32(head, uint32(len(ends)))
	size := headerSize + 4*(len(ends)+1)
	for _, t := range tables {
		keys := t.group()
		head = appendU32(head, keys, uint32(len(*t)))
		size += int(keys)*keySize + 4*len(*t)
	}
	base := uint32(size)
	out := append(make([]byte, 0, size+len(b.w.b)), head...)
	out = appendU32(out, base)
	for _, end := range ends {
		out = appendU32(out, base+end)
	}
	for _, t := range tables {
		out = t.append(out, base)
	}
	out = append(out, b.w.b...)
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
