package alpm

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// A record is a package's fields one after the other: strings by length and
// bytes, lists by count and values, numbers as varints. Name and description
// come first, for Search.

// recordWriter appends fields to records.
type recordWriter struct{ b []byte }

func (w *recordWriter) uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }
func (w *recordWriter) int(n int64)   { w.b = binary.AppendVarint(w.b, n) }
func (w *recordWriter) string(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

// key writes s and returns where its bytes begin.
func (w *recordWriter) key(s string) uint32 {
	w.uint(uint64(len(s)))
	at := uint32(len(w.b))
	w.b = append(w.b, s...)
	return at
}

func (w *recordWriter) strings(list []string) {
	w.uint(uint64(len(list)))
	for _, s := range list {
		w.string(s)
	}
}

// dep writes one dependency and returns where its name begins.
func (w *recordWriter) dep(d Dep) uint32 {
	w.uint(uint64(len(d.Name))<<3 | uint64(d.Op))
	at := uint32(len(w.b))
	w.b = append(w.b, d.Name...)
	if d.Op != Any {
		w.string(d.Version)
	}
	return at
}

func (w *recordWriter) deps(list []Dep) {
	w.uint(uint64(len(list)))
	for _, d := range list {
		w.dep(d)
	}
}

// Some text is written shorter, with a bit set in its length: the part of a file
// name after what the other fields say, and the bytes that hexadecimal and
// base64 stand for.

func (w *recordWriter) short(s string) {
	w.uint(uint64(len(s))<<1 | 1)
	w.b = append(w.b, s...)
}

func (w *recordWriter) long(s string) {
	w.uint(uint64(len(s)) << 1)
	w.b = append(w.b, s...)
}

func (w *recordWriter) filename(p *Package) {
	rest := p.Filename
	for _, part := range [...]string{p.Name, "-", p.Version, "-", p.Arch} {
		var ok bool
		if rest, ok = strings.CutPrefix(rest, part); !ok {
			w.long(p.Filename)
			return
		}
	}
	w.short(rest)
}

func (w *recordWriter) hex(s string) {
	if raw, err := hex.DecodeString(s); err == nil && hex.EncodeToString(raw) == s {
		w.short(string(raw))
		return
	}
	w.long(s)
}

var strictBase64 = base64.StdEncoding.Strict()

func (w *recordWriter) base64(s string) {
	// Strictly decoded text comes back as it was, line ends apart.
	if raw, err := strictBase64.DecodeString(s); err == nil && !strings.ContainsAny(s, "\r\n") {
		w.short(string(raw))
		return
	}
	w.long(s)
}

// pkg writes p, and tells the tables under which keys to find it.
func (b *indexBuilder) pkg(p *Package, id uint32) {
	w := &b.w
	b.names.add(p.Name, w.key(p.Name), id)
	w.string(p.Desc)
	w.string(p.Base)
	w.string(p.Version)
	w.string(p.Arch)
	w.string(p.URL)
	w.string(p.Packager)
	w.strings(p.Licenses)
	w.uint(uint64(len(p.Groups)))
	for _, g := range p.Groups {
		b.groups.add(g, w.key(g), id)
	}
	w.deps(p.Depends)
	w.strings(p.OptDepends)
	w.uint(uint64(len(p.Provides)))
	for _, d := range p.Provides {
		if at := w.dep(d); d.Name != p.Name {
			b.provides.add(d.Name, at, id)
		}
	}
	w.deps(p.Conflicts)
	w.uint(uint64(len(p.Replaces)))
	for _, d := range p.Replaces {
		b.replaces.add(d.Name, w.dep(d), id)
	}
	w.int(p.BuildDate)
	w.int(p.Size)
	w.int(p.InstalledSize)
	w.filename(p)
	w.hex(p.SHA256)
	w.base64(p.PGPSig)
}

// recordReader reads what recordWriter wrote. After the first thing that cannot
// be, it has failed and gives empty values.
type recordReader struct {
	text   string
	failed bool
}

func (r *recordReader) uint() uint64 {
	var n uint64
	for i := 0; i < len(r.text) && i < binary.MaxVarintLen64; i++ {
		c := r.text[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.text = r.text[i+1:]
			return n
		}
	}
	r.failed = true
	return 0
}

func (r *recordReader) int() int64 {
	n := r.uint()
	return int64(n>>1) ^ -int64(n&1)
}

func (r *recordReader) take(n uint64) string {
	if n > uint64(len(r.text)) {
		r.failed = true
		return ""
	}
	s := r.text[:n]
	r.text = r.text[n:]
	return s
}

func (r *recordReader) string() string { return r.take(r.uint()) }

// count reads a list's length; each value takes a byte at least.
func (r *recordReader) count() int {
	n := r.uint()
	if n > uint64(len(r.text)) {
		r.failed = true
		return 0
	}
	return int(n)
}

func (r *recordReader) strings() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.string()
	}
	return list
}

func (r *recordReader) deps() []Dep {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]Dep, n)
	for i := range list {
		head := r.uint()
		list[i] = Dep{Name: r.take(head >> 3), Op: Op(head & 7)}
		if list[i].Op != Any {
			list[i].Version = r.string()
		}
		r.failed = r.failed || list[i].Op > GE
	}
	return list
}

func (r *recordReader) packed(encode func([]byte) string) string {
	head := r.uint()
	raw := r.take(head >> 1)
	if head&1 == 0 {
		return raw
	}
	return encode([]byte(raw))
}

func (r *recordReader) pkg() *Package {
	p := &Package{
		Name:       r.string(),
		Desc:       r.string(),
		Base:       r.string(),
		Version:    r.string(),
		Arch:       r.string(),
		URL:        r.string(),
		Packager:   r.string(),
		Licenses:   r.strings(),
		Groups:     r.strings(),
		Depends:    r.deps(),
		OptDepends: r.strings(),
		Provides:   r.deps(),
		Conflicts:  r.deps(),
		Replaces:   r.deps(),
	}
	p.BuildDate, p.Size, p.InstalledSize = r.int(), r.int(), r.int()
	p.Filename = r.packed(func(rest []byte) string {
		return p.Name + "-" + p.Version + "-" + p.Arch + string(rest)
	})
	p.SHA256 = r.packed(hex.EncodeToString)
	p.PGPSig = r.packed(base64.StdEncoding.EncodeToString)
	return p
}
