package tomlfile

import (
	"bytes"
	"errors"
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// maxSize keeps a file that cannot have been written by a person from being
// read into memory as a tree many times its size.
const maxSize = 16 << 20

// Parse reads a document. name stands in messages; path is where it lies. The
// error is an *Error or, where more is wrong than the syntax, Errors.
func Parse(name, path string, src []byte) (*Document, error) {
	d := &Document{Name: name, Path: path, Src: src, starts: lineStarts(src)}
	if len(src) > maxSize {
		return nil, &Error{Pos: Pos{File: name}, Msg: "is larger than 16 MiB", Hint: "is it the right file?"}
	}
	p := parser{doc: d}
	bom := 0
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		bom = 3
	}
	p.offset = bom
	p.toml.Reset(src[bom:len(src):len(src)])
	d.Root = &Value{Kind: Table, Doc: d, at: bom, origin: byHeader}
	p.table = d.Root
	for p.toml.NextExpression() {
		p.expression(p.toml.Expression())
	}
	if err := p.toml.Error(); err != nil {
		p.errs = append(p.errs, p.syntax(err))
	}
	if err := p.errs.Err(); err != nil {
		return nil, err
	}
	return d, nil
}

// parser turns expressions into the tree; semantics.go has the rules.
type parser struct {
	doc    *Document
	toml   unstable.Parser
	offset int // of what the parser underneath was given

	table   *Value   // what the last header opened; nil if it was refused
	path    []string // of table
	section int      // counts headers: a dotted key may extend only its own section's tables
	errs    Errors
}

func (p *parser) span(r unstable.Range) Span {
	return Span{p.offset + int(r.Offset), p.offset + int(r.Offset+r.Length)}
}

// keyPart is one part of a dotted key.
type keyPart struct {
	name string
	span Span
}

func (p *parser) keys(it unstable.Iterator) []keyPart {
	var parts []keyPart
	for it.Next() {
		n := it.Node()
		parts = append(parts, keyPart{string(n.Data), p.span(n.Raw)})
	}
	return parts
}

func (p *parser) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table, unstable.ArrayTable:
		keys := p.keys(n.Key())
		p.section++
		p.path = p.path[:0:0]
		p.table = p.openTable(keys, n.Kind == unstable.ArrayTable)
		p.addLine(keys, p.headerSpan(keys, n.Kind == unstable.ArrayTable), true)
		p.path = names(keys)
	case unstable.KeyValue:
		keys := p.keys(n.Key())
		p.addLine(keys, p.span(n.Raw), false)
		if p.table != nil {
			p.set(p.table, keys, p.keyValue(n, keys))
		}
	}
}

func names(keys []keyPart) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.name
	}
	return out
}

func (p *parser) addLine(keys []keyPart, span Span, header bool) {
	l := line(append(slices.Clone(p.path), names(keys)...), keys, span)
	l.Header = header
	p.doc.Lines = append(p.doc.Lines, l)
}

func line(path []string, keys []keyPart, span Span) Line {
	l := Line{Path: path, Span: span}
	for _, k := range keys {
		l.Keys = append(l.Keys, k.span)
	}
	return l
}

// headerSpan finds the brackets around the keys: the parser underneath gives
// no range for them, but between them and the keys only blanks may stand.
func (p *parser) headerSpan(keys []keyPart, array bool) Span {
	brackets := 1
	if array {
		brackets = 2
	}
	src := p.doc.Src
	start, end := keys[0].span.Start, keys[len(keys)-1].span.End
	start = len(bytes.TrimRight(src[:start], " \t")) - brackets
	end = len(src) - len(bytes.TrimLeft(src[end:], " \t")) + brackets
	return Span{start, end}
}

// keyValue is the value of a setting. Its range ends where the setting's does
// and begins after the equals sign.
func (p *parser) keyValue(n *unstable.Node, keys []keyPart) *Value {
	src := p.doc.Src
	span := p.span(n.Raw)
	after := keys[len(keys)-1].span.End
	after += bytes.IndexByte(src[after:], '=') + 1
	span.Start = len(src) - len(bytes.TrimLeft(src[after:], " \t"))
	return p.value(n.Value(), span)
}

func (p *parser) value(n *unstable.Node, span Span) *Value {
	v := &Value{Doc: p.doc, Span: span, at: span.Start, Kind: kinds[n.Kind], Text: string(n.Data)}
	switch n.Kind {
	case unstable.Array:
		v.Text = ""
		for it := n.Children(); it.Next(); {
			item := it.Node()
			at := p.span(item.Raw)
			if item.Kind == unstable.Array { // has no range of its own
				at = Span{span.Start, span.Start}
			}
			v.Items = append(v.Items, p.value(item, at))
		}
	case unstable.InlineTable:
		v.Text = ""
		for it := n.Children(); it.Next(); {
			kv := it.Node()
			keys := p.keys(kv.Key())
			v.Inner = append(v.Inner, line(names(keys), keys, p.span(kv.Raw)))
			p.set(v, keys, p.keyValue(kv, keys))
		}
		v.close()
	}
	return v
}

var kinds = map[unstable.Kind]Kind{
	unstable.String: String, unstable.Bool: Bool, unstable.Integer: Integer, unstable.Float: Float,
	unstable.LocalDate: Date, unstable.LocalTime: Time, unstable.LocalDateTime: Time, unstable.DateTime: Time,
	unstable.Array: Array, unstable.InlineTable: Table,
}

func (p *parser) syntax(err error) *Error {
	var pe *unstable.ParserError
	if !errors.As(err, &pe) {
		return &Error{Pos: Pos{File: p.doc.Name}, Msg: err.Error(), Err: err}
	}
	at := p.offset
	if len(pe.Highlight) > 0 {
		at = p.span(p.toml.Range(pe.Highlight)).Start
	}
	msg, hint := p.doc.explain(at, pe.Message)
	return p.doc.Fault(p.doc.PosAt(at), msg, hint)
}
