package tomlfile

import "fmt"

// origin says how a table came to be, which decides who may add to it.
type origin uint8

const (
	byHeader  origin = iota // [a]: may be opened once, takes dotted keys of its own section
	byPassing               // the a of [a.b]: may still be opened
	byDots                  // the a of a.b = 1: only its own section adds keys, headers may add tables below
	closed                  // an inline table: nothing is added
)

// openTable finds or makes the table of a header. It returns nil, having
// noted why, if there can be none.
func (p *parser) openTable(keys []keyPart, array bool) *Value {
	t := p.doc.Root
	for _, k := range keys[:len(keys)-1] {
		e := t.Get(k.name)
		if e == nil {
			e = p.newTable(t, k, byPassing)
		}
		if t = descend(e.Value); t == nil {
			p.refuse(k, e, "is not a table that a header can add to")
			return nil
		}
	}
	last := keys[len(keys)-1]
	e := t.Get(last.name)
	if array {
		return p.openArray(t, last, e)
	}
	switch {
	case e == nil:
		e = p.newTable(t, last, byHeader)
	case e.Value.Kind == Table && e.Value.origin == byPassing:
		e.Value.origin = byHeader
		e.Value.at, e.KeySpan = last.span.Start, last.span
	case e.Value.Kind == Table && e.Value.origin == byHeader:
		p.refuse(last, e, "is opened a second time")
		return nil
	default:
		p.refuse(last, e, "is set already")
		return nil
	}
	p.mark(e.Value)
	return e.Value
}

// openArray adds an element for [[a]].
func (p *parser) openArray(t *Value, k keyPart, e *Entry) *Value {
	if e == nil {
		e = p.add(t, k, &Value{Kind: Array, Doc: p.doc, at: k.span.Start, header: true})
	} else if !e.Value.header {
		p.refuse(k, e, "is set already, and not by a [[header]]")
		return nil
	}
	item := &Value{Kind: Table, Doc: p.doc, at: k.span.Start}
	p.mark(item)
	e.Value.Items = append(e.Value.Items, item)
	return item
}

// descend is the table that a header's path goes on in, nil if there is none.
func descend(v *Value) *Value {
	if v.header {
		v = v.Items[len(v.Items)-1]
	}
	if v.Kind != Table || v.origin == closed {
		return nil
	}
	return v
}

// set puts the value of a setting into a table, making tables for the dots.
func (p *parser) set(t *Value, keys []keyPart, v *Value) {
	for _, k := range keys[:len(keys)-1] {
		e := t.Get(k.name)
		if e == nil {
			e = p.newTable(t, k, byDots)
			p.mark(e.Value)
		}
		if e.Value.Kind != Table || e.Value.origin != byDots || e.Value.section != p.section {
			p.refuse(k, e, "cannot be added to here")
			return
		}
		t = e.Value
	}
	last := keys[len(keys)-1]
	if e := t.Get(last.name); e != nil {
		p.refuse(last, e, "is set a second time")
		return
	}
	p.add(t, last, v)
}

// mark notes in which section a table was made.
func (p *parser) mark(t *Value) { t.section = p.section }

func (p *parser) newTable(t *Value, k keyPart, o origin) *Entry {
	return p.add(t, k, &Value{Kind: Table, Doc: p.doc, at: k.span.Start, origin: o})
}

func (p *parser) add(t *Value, k keyPart, v *Value) *Entry {
	e := &Entry{Key: k.name, Value: v, Doc: p.doc, KeySpan: k.span}
	t.put(e)
	return e
}

// close makes an inline table final, with the tables that its dots made.
func (v *Value) close() {
	v.origin = closed
	for _, e := range v.Entries {
		if e.Value.Kind == Table && e.Value.origin == byDots {
			e.Value.close()
		}
	}
}

func (p *parser) refuse(k keyPart, first *Entry, what string) {
	pos := first.Pos()
	p.errs = append(p.errs, p.doc.Fault(p.doc.PosAt(k.span.Start),
		fmt.Sprintf("%s %s: it stands in line %d", k.name, what, pos.Line), "keep one of the two"))
}
