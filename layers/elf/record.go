package elf

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
)

// Record is what the files of one layer need and give, sorted by path.
type Record struct {
	Objects []Object
}

// Recorder makes the Record of a layer whose files it is shown. The zero value
// is ready.
type Recorder struct {
	mu      sync.Mutex
	objects []Object
}

// Add looks at a file and records it if it is a library or something that can
// be run. Files that are damaged need nothing: they would not start anyway.
func (r *Recorder) Add(path string, mode uint32, file io.ReaderAt) {
	o, err := Inspect(path, file)
	if err != nil || o.IsScript() && mode&0o111 == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.objects = append(r.objects, *o)
}

// Link records a hard link to a file that was shown before.
func (r *Recorder) Link(path, target string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.objects {
		if o.Path == target {
			o.Path = path
			r.objects = append(r.objects, o)
			return
		}
	}
}

// Record is what was recorded so far.
func (r *Recorder) Record() *Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	objects := slices.Clone(r.objects)
	slices.SortFunc(objects, func(a, b Object) int { return strings.Compare(a.Path, b.Path) })
	return &Record{objects}
}

// The binary form: magic with a version, the number of strings, the strings by
// length and bytes, the number of objects, the objects with strings by number.
// All numbers are varints.
const recordMagic = "devenvEL\x01"

// ErrRecord says that bytes are no record of this version: it must be made
// again.
var ErrRecord = errors.New("not a sound record of libraries")

// MarshalBinary writes a record; the same one always gives the same bytes.
func (r *Record) MarshalBinary() ([]byte, error) {
	w := recordWriter{ids: make(map[string]uint64)}
	w.uint(uint64(len(r.Objects)))
	for i := range r.Objects {
		w.object(&r.Objects[i])
	}
	out := []byte(recordMagic)
	out = binary.AppendUvarint(out, uint64(len(w.strings)))
	for _, s := range w.strings {
		out = binary.AppendUvarint(out, uint64(len(s)))
		out = append(out, s...)
	}
	return append(out, w.b...), nil
}

type recordWriter struct {
	b       []byte
	ids     map[string]uint64
	strings []string
}

func (w *recordWriter) uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }

func (w *recordWriter) string(s string) {
	id, ok := w.ids[s]
	if !ok {
		id = uint64(len(w.strings))
		w.ids[s] = id
		w.strings = append(w.strings, s)
	}
	w.uint(id)
}

func (w *recordWriter) list(list []string) {
	w.uint(uint64(len(list)))
	for _, s := range list {
		w.string(s)
	}
}

func (w *recordWriter) object(o *Object) {
	w.string(o.Path)
	w.uint(uint64(o.Class))
	w.string(o.Interpreter)
	w.string(o.Argument)
	if o.IsScript() {
		return
	}
	w.uint(uint64(o.Machine))
	w.uint(uint64(o.Type))
	w.string(o.Soname)
	w.list(o.Needed)
	w.list(o.RPath)
	w.list(o.RunPath)
	w.list(o.Defines)
	w.uint(uint64(len(o.Versions)))
	for _, v := range o.Versions {
		w.string(v.Library)
		w.list(v.Versions)
	}
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (r *Record) UnmarshalBinary(data []byte) error {
	text, ok := strings.CutPrefix(string(data), recordMagic)
	if !ok {
		return ErrRecord
	}
	d := recordReader{text: text}
	d.strings = make([]string, d.count())
	for i := range d.strings {
		n := d.uint()
		if n > uint64(len(d.text)) {
			return ErrRecord
		}
		d.strings[i], d.text = d.text[:n], d.text[n:]
	}
	objects := make([]Object, d.count())
	for i := range objects {
		d.object(&objects[i])
	}
	if d.failed || d.text != "" {
		return ErrRecord
	}
	r.Objects = objects
	return nil
}

// recordReader reads numbers and strings; after the first impossible one it has
// failed and gives zeros.
type recordReader struct {
	text    string
	strings []string
	failed  bool
}

func (d *recordReader) uint() uint64 {
	var n uint64
	for i := 0; i < len(d.text) && i < binary.MaxVarintLen64; i++ {
		c := d.text[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.text = d.text[i+1:]
			return n
		}
	}
	d.failed = true
	return 0
}

// count reads how many things follow, each of a byte at least.
func (d *recordReader) count() uint64 {
	n := d.uint()
	if n > uint64(len(d.text)) {
		d.failed = true
		return 0
	}
	return n
}

func (d *recordReader) string() string {
	id := d.uint()
	if id >= uint64(len(d.strings)) {
		d.failed = true
		return ""
	}
	return d.strings[id]
}

func (d *recordReader) list() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.string()
	}
	return list
}

func (d *recordReader) object(o *Object) {
	o.Path = d.string()
	o.Class = elf.Class(d.uint())
	o.Interpreter = d.string()
	o.Argument = d.string()
	if o.IsScript() || d.failed {
		return
	}
	o.Machine = elf.Machine(d.uint())
	o.Type = elf.Type(d.uint())
	o.Soname = d.string()
	o.Needed = d.list()
	o.RPath = d.list()
	o.RunPath = d.list()
	o.Defines = d.list()
	if n := d.count(); n > 0 {
		o.Versions = make([]VersionNeed, n)
		for i := range o.Versions {
			o.Versions[i] = VersionNeed{d.string(), d.list()}
		}
	}
}
