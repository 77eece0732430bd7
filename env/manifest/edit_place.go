package manifest

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"devenv/env/manifest/tomlfile"
)

// lineStart is where the text line begins that an offset is in.
func (e *editor) lineStart(at int) int {
	start := bytes.LastIndexByte(e.doc.Src[:at], '\n') + 1
	if start == 0 && bytes.HasPrefix(e.doc.Src, []byte("\xef\xbb\xbf")) {
		return 3
	}
	return start
}

// lineEnd is where the text line ends, behind its newline.
func (e *editor) lineEnd(at int) int {
	if n := bytes.IndexByte(e.doc.Src[at:], '\n'); n >= 0 {
		return at + n + 1
	}
	return len(e.doc.Src)
}

// indent is the blanks at the beginning of the text line.
func (e *editor) indent(at int) string {
	start := e.lineStart(at)
	rest := e.doc.Src[start:at]
	return string(rest[:len(rest)-len(bytes.TrimLeft(rest, " \t"))])
}

// isBlank reports whether the text line that begins at an offset is empty, or
// is a comment.
func (e *editor) isBlank(at int) (empty, comment bool) {
	text := bytes.TrimSpace(e.doc.Src[at:e.lineEnd(at)])
	return len(text) == 0, bytes.HasPrefix(text, []byte("#"))
}

// commentsAbove is where the comments begin that stand directly above a line.
func (e *editor) commentsAbove(at int) int {
	start := e.lineStart(at)
	for start > 0 {
		above := e.lineStart(start - 1)
		if _, comment := e.isBlank(above); !comment || above == start {
			break
		}
		start = above
	}
	return start
}

// insertLine puts a text line at an offset where one begins, or at the end.
func (e *editor) insertLine(at int, text string) []byte {
	if at == len(e.doc.Src) && at > e.lineStart(at) {
		return splice(e.doc.Src, at, at, e.eol+text)
	}
	return splice(e.doc.Src, at, at, text+e.eol)
}

// isOf reports whether a line is about the path or something below it.
func isOf(l tomlfile.Line, path ...string) bool {
	return len(l.Path) >= len(path) && slices.Equal(l.Path[:len(path)], path)
}

// part is where part n of a line's path is written, if it is in this line.
func part(l tomlfile.Line, n int) (tomlfile.Span, bool) {
	i := n - (len(l.Path) - len(l.Keys))
	if i < 0 {
		return tomlfile.Span{}, false
	}
	return l.Keys[i], true
}

// section is the lines after a header, up to the next one.
func (e *editor) section(header int) []tomlfile.Line {
	rest := e.doc.Lines[header+1:]
	if n := slices.IndexFunc(rest, func(l tomlfile.Line) bool { return l.Header }); n >= 0 {
		rest = rest[:n]
	}
	return rest
}

// inline is the value of `packages = { … }`, if that is how they are written.
func (e *editor) inline() *tomlfile.Value {
	if e.packages != nil && e.packages.Span.End > e.packages.Span.Start {
		return e.packages
	}
	return nil
}

func (e *editor) add(key, pin string) []byte {
	setting := tomlfile.Key(key) + " = " + tomlfile.Quote(pin)
	if v := e.inline(); v != nil {
		return e.intoInline(v, setting, false)
	}
	lines := e.doc.Lines
	if i := slices.IndexFunc(lines, func(l tomlfile.Line) bool { return l.Header && len(l.Path) == 1 && l.Path[0] == "packages" }); i >= 0 {
		return e.addToSection(lines[i], e.section(i), key, pin)
	}
	dotted := -1 // the last packages.x = … above the first header
	first := -1  // the first [packages.x]
	for i, l := range lines {
		if _, here := part(l, 0); isOf(l, "packages") && here {
			if !l.Header {
				dotted = i
			} else if first < 0 {
				first = i
			}
		}
	}
	switch {
	case dotted >= 0:
		l := lines[dotted]
		return e.insertLine(e.lineEnd(l.Span.End), e.indent(l.Span.Start)+"packages."+setting)
	case first >= 0:
		at := e.commentsAbove(lines[first].Span.Start)
		return splice(e.doc.Src, at, at, "[packages]"+e.eol+setting+e.eol+e.eol)
	}
	return e.appendSection(setting)
}

func (e *editor) appendSection(setting string) []byte {
	src := e.doc.Src
	gap := ""
	switch {
	case len(bytes.TrimSpace(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")))) == 0:
	case !bytes.HasSuffix(src, []byte("\n")):
		gap = e.eol + e.eol
	case !bytes.HasSuffix(src, []byte("\n\n")) && !bytes.HasSuffix(src, []byte("\n\r\n")):
		gap = e.eol
	}
	return splice(src, len(src), len(src), gap+"[packages]"+e.eol+setting+e.eol)
}

// addToSection keeps the keys of [packages] in order if they are, and their
// equals signs below each other if they are.
func (e *editor) addToSection(header tomlfile.Line, lines []tomlfile.Line, key, pin string) []byte {
	if len(lines) == 0 {
		return e.insertLine(e.lineEnd(header.Span.End), tomlfile.Key(key)+" = "+tomlfile.Quote(pin))
	}
	last := lines[len(lines)-1]
	at, like := e.lineEnd(last.Span.End), last
	if e.inOrder(lines) {
		if i := slices.IndexFunc(lines, func(l tomlfile.Line) bool { return l.Path[1] > key }); i >= 0 {
			at, like = e.commentsAbove(lines[i].Span.Start), lines[i]
		}
	}
	indent := e.indent(like.Span.Start)
	text := indent + tomlfile.Key(key)
	if pad := e.equalsColumn(lines) - utf8.RuneCountInString(text); pad > 1 {
		text += strings.Repeat(" ", pad-1)
	}
	return e.insertLine(at, text+" = "+tomlfile.Quote(pin))
}

// inOrder reports whether several keys stand in alphabetical order, without
// blank lines that make groups of them.
func (e *editor) inOrder(lines []tomlfile.Line) bool {
	if len(lines) < 2 {
		return false
	}
	between := e.doc.Src[lines[0].Span.Start:lines[len(lines)-1].Span.End]
	if bytes.Contains(bytes.ReplaceAll(between, []byte("\r"), nil), []byte("\n\n")) {
		return false
	}
	return slices.IsSortedFunc(lines, func(a, b tomlfile.Line) int { return strings.Compare(a.Path[1], b.Path[1]) })
}

// equalsColumn is the column, in characters from 0, of all equals signs; 0 if
// they do not stand below each other.
func (e *editor) equalsColumn(lines []tomlfile.Line) int {
	column := 0
	for i, l := range lines {
		end := l.Keys[len(l.Keys)-1].End
		at := end + bytes.IndexByte(e.doc.Src[end:], '=')
		c := utf8.RuneCount(e.doc.Src[e.lineStart(at):at])
		if i > 0 && c != column {
			return 0
		}
		column = c
	}
	if len(lines) < 2 {
		return 0
	}
	return column
}

// intoInline puts a setting into an inline table, at its end or beginning.
func (e *editor) intoInline(v *tomlfile.Value, setting string, first bool) []byte {
	switch n := len(v.Inner); {
	case n == 0:
		return splice(e.doc.Src, v.Span.Start, v.Span.Start+1, "{ "+setting+" ")
	case first:
		return splice(e.doc.Src, v.Inner[0].Span.Start, v.Inner[0].Span.Start, setting+", ")
	default:
		return e.afterInline(v.Inner[n-1].Span, setting)
	}
}

// afterInline puts a setting behind the last one of an inline table: on a line
// of its own if the last one has one.
func (e *editor) afterInline(last tomlfile.Span, setting string) []byte {
	src := e.doc.Src
	rest := src[last.End:e.lineEnd(last.End)]
	after := bytes.TrimLeft(rest, " \t")
	comma := bytes.HasPrefix(after, []byte(","))
	alone := len(bytes.TrimSpace(src[e.lineStart(last.Start):last.Start])) == 0 && !bytes.ContainsAny(after, "}")
	switch indent := e.indent(last.Start); {
	case alone && comma:
		at := e.lineEnd(last.End)
		return splice(src, at, at, indent+setting+","+e.eol)
	case alone:
		line := "," + strings.TrimRight(string(rest), "\r\n") + e.eol + indent + setting + e.eol
		return splice(src, last.End, e.lineEnd(last.End), line)
	default:
		return splice(src, last.End, last.End, ", "+setting)
	}
}

// set gives the package of an entry a version where it has one, or where one
// can stand.
func (e *editor) set(old *tomlfile.Entry, pin string) []byte {
	v := old.Value
	if version := v.Get("version"); version != nil {
		v = version.Value
	}
	setting := "version = " + tomlfile.Quote(pin)
	switch {
	case v.Kind != tomlfile.Table:
		return splice(e.doc.Src, v.Span.Start, v.Span.End, tomlfile.Quote(pin))
	case v.Span.End > v.Span.Start:
		return e.intoInline(v, setting, true)
	case e.inline() != nil:
		inner := e.inline().Inner
		l := inner[slices.IndexFunc(inner, func(l tomlfile.Line) bool { return isOf(l, old.Key) })]
		return splice(e.doc.Src, l.Span.Start, l.Span.Start, string(e.doc.Src[l.Span.Start:l.Keys[0].End])+"."+setting+", ")
	}
	return e.setInLines(old.Key, setting)
}

// setInLines adds the version of a package that is written with headers or
// dotted keys.
func (e *editor) setInLines(key, setting string) []byte {
	lines := e.doc.Lines
	if i := slices.IndexFunc(lines, func(l tomlfile.Line) bool { return l.Header && len(l.Path) == 2 && isOf(l, "packages", key) }); i >= 0 {
		indent := ""
		if section := e.section(i); len(section) > 0 {
			indent = e.indent(section[0].Span.Start)
		}
		return e.insertLine(e.lineEnd(lines[i].Span.End), indent+setting)
	}
	l := lines[slices.IndexFunc(lines, func(l tomlfile.Line) bool { return isOf(l, "packages", key) })]
	span, _ := part(l, 1)
	if l.Header { // [packages.git.env] alone
		at := e.commentsAbove(l.Span.Start)
		name := string(e.doc.Src[span.Start:span.End])
		return splice(e.doc.Src, at, at, "[packages."+name+"]"+e.eol+setting+e.eol+e.eol)
	}
	at := e.lineStart(l.Span.Start)
	return e.insertLine(at, string(e.doc.Src[at:span.End])+"."+setting)
}
