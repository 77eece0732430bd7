package tomlfile

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// Kind is the type of a value.
type Kind uint8

// The kinds of values.
const (
	Table Kind = iota
	Array
	String
	Integer
	Float
	Bool
	Date // a day alone: 2026-11-20
	Time // every other date or time
)

// String is the kind as a person would call it, with its article.
func (k Kind) String() string {
	return [...]string{"a table", "an array", "a string", "an integer", "a float", "a boolean", "a date", "a time"}[k]
}

// Span is a range of bytes in the source.
type Span struct{ Start, End int }

// Value is one value of a document.
type Value struct {
	Kind    Kind
	Text    string   // of a String what it means, of other scalars what is written
	Items   []*Value // of an Array
	Entries []*Entry // of a Table, in the order written
	Inner   []Line   // of an inline table, its settings as they are written; paths begin in it
	Doc     *Document
	Span    Span // empty for tables and arrays of tables made by headers

	index   map[string]*Entry
	origin  origin
	section int  // in which it was made
	header  bool // an array made of [[headers]]
	at      int  // where to point
}

// Entry is one key of a table, with its value.
type Entry struct {
	Key   string
	Value *Value
	Doc   *Document
	// KeySpan is the key where it was first written; of a dotted key, its
	// own part.
	KeySpan Span
}

// Get is the entry of a table that has the key, or nil.
func (v *Value) Get(key string) *Entry {
	if v.index != nil {
		return v.index[key]
	}
	for _, e := range v.Entries {
		if e.Key == key {
			return e
		}
	}
	return nil
}

// manyEntries is from when on a map finds a key faster than a look at each.
const manyEntries = 16

// put adds an entry, or replaces the one of that key in its place.
func (v *Value) put(e *Entry) {
	if old := v.Get(e.Key); old != nil {
		v.Entries[slices.Index(v.Entries, old)] = e
	} else {
		v.Entries = append(v.Entries, e)
	}
	switch {
	case v.index != nil:
		v.index[e.Key] = e
	case len(v.Entries) > manyEntries:
		v.index = make(map[string]*Entry, 2*manyEntries)
		for _, e := range v.Entries {
			v.index[e.Key] = e
		}
	}
}

// NewTable is a table with these entries; of several with one key, the last
// stands, in the place of the first. It points at the same place as like.
func NewTable(like *Value, entries ...*Entry) *Value {
	t := &Value{Kind: Table, Doc: like.Doc, Span: like.Span, at: like.at}
	for _, e := range entries {
		t.put(e)
	}
	return t
}

// NewString is a string that stands where the key of e does.
func NewString(e *Entry, text string) *Value {
	return &Value{Kind: String, Text: text, Doc: e.Doc, Span: e.KeySpan, at: e.KeySpan.Start}
}

// Pos is where v stands.
func (v *Value) Pos() Pos { return v.Doc.PosAt(v.at) }

// PosIn is where character n (from 1) of the meaning of a string stands. Where
// the string is not written as it is meant, that is the string's beginning.
func (v *Value) PosIn(n int) Pos {
	pos := v.Pos()
	raw := v.Doc.Src[v.Span.Start:v.Span.End]
	if v.Kind == String && len(raw) == len(v.Text)+2 && string(raw[1:len(raw)-1]) == v.Text {
		pos.Col += n
	}
	return pos
}

// Faultf is an error that points at v.
func (v *Value) Faultf(hint, format string, args ...any) *Error {
	return v.Doc.Fault(v.Pos(), fmt.Sprintf(format, args...), hint)
}

// Pos is where the key stands.
func (e *Entry) Pos() Pos { return e.Doc.PosAt(e.KeySpan.Start) }

// Faultf is an error that points at the key.
func (e *Entry) Faultf(hint, format string, args ...any) *Error {
	return e.Doc.Fault(e.Pos(), fmt.Sprintf(format, args...), hint)
}

// Equal reports whether two values mean the same, wherever they stand and
// however they are written; the order of keys does not count.
func (v *Value) Equal(w *Value) bool {
	if v.Kind != w.Kind || v.Text != w.Text || len(v.Items) != len(w.Items) || len(v.Entries) != len(w.Entries) {
		return false
	}
	for i := range v.Items {
		if !v.Items[i].Equal(w.Items[i]) {
			return false
		}
	}
	for _, e := range v.Entries {
		if other := w.Get(e.Key); other == nil || !e.Value.Equal(other.Value) {
			return false
		}
	}
	return true
}

// Document is one file.
type Document struct {
	Name string // for messages
	Path string // for finding what it names
	Src  []byte
	Root *Value
	// Lines are the headers and settings of the file in the order written.
	Lines []Line

	starts []int // offset of each line of the source
}

// Line is a header ([a.b], [[a.b]]) or a setting (key = value) that is not
// inside an inline table. It may go on over several lines of text.
type Line struct {
	Header bool
	Path   []string // from the root
	Keys   []Span   // of the parts that are written here: the last ones of Path
	Span   Span     // from the first bracket or key to the end, without a comment
}

// PosAt is the place of a byte.
func (d *Document) PosAt(offset int) Pos {
	line := sort.SearchInts(d.starts, offset+1) - 1
	return Pos{File: d.Name, Line: line + 1, Col: utf8.RuneCount(d.Src[d.starts[line]:offset]) + 1}
}

// Fault is an error at pos, with its source line.
func (d *Document) Fault(pos Pos, msg, hint string) *Error {
	return &Error{Pos: pos, Msg: msg, Hint: hint, Line: d.line(pos.Line)}
}

// line is a line of text, from 1, made fit for a terminal.
func (d *Document) line(n int) string {
	if n < 1 || n > len(d.starts) {
		return ""
	}
	end := len(d.Src)
	if n < len(d.starts) {
		end = d.starts[n]
	}
	text := strings.TrimRight(string(d.Src[d.starts[n-1]:end]), "\r\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return utf8.RuneError
		}
		return r
	}, text)
}

func lineStarts(src []byte) []int {
	starts := []int{0}
	for i, c := range src {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}
