package manifest

import (
	"bytes"
	"slices"

	"devenv/env/manifest/tomlfile"
)

// removeOne takes out the first header or setting that is about a package.
func (e *editor) removeOne(key string) []byte {
	if v := e.inline(); v != nil {
		return e.fromInline(v, slices.IndexFunc(v.Inner, func(l tomlfile.Line) bool { return isOf(l, key) }))
	}
	i := slices.IndexFunc(e.doc.Lines, func(l tomlfile.Line) bool { return isOf(l, "packages", key) })
	l := e.doc.Lines[i]
	if !l.Header {
		return splice(e.doc.Src, e.lineStart(l.Span.Start), e.lineEnd(l.Span.End), "")
	}
	end := e.lineEnd(l.Span.End)
	if section := e.section(i); len(section) > 0 {
		end = e.lineEnd(section[len(section)-1].Span.End)
	}
	return e.cutSection(e.lineStart(l.Span.Start), end)
}

// cutSection takes out whole lines and the empty ones that would be left over:
// those below if there are empty ones above, those above at the end of the file.
func (e *editor) cutSection(start, end int) []byte {
	src := e.doc.Src
	emptyAbove := start == 0
	if start > 0 {
		emptyAbove, _ = e.isBlank(e.lineStart(start - 1))
	}
	for emptyAbove && end < len(src) {
		if empty, _ := e.isBlank(end); !empty {
			break
		}
		end = e.lineEnd(end)
	}
	for end == len(src) && start > 0 {
		above := e.lineStart(start - 1)
		if empty, _ := e.isBlank(above); !empty || above == start {
			break
		}
		start = above
	}
	return splice(src, start, end, "")
}

// fromInline takes setting i out of an inline table, with its comma.
func (e *editor) fromInline(v *tomlfile.Value, i int) []byte {
	src, l := e.doc.Src, v.Inner[i]
	start, end := e.lineStart(l.Span.Start), e.lineEnd(l.Span.End)
	before := bytes.TrimSpace(src[start:l.Span.Start])
	after := bytes.TrimSpace(src[l.Span.End:end])
	if len(before) == 0 && bytes.HasPrefix(after, []byte(",")) {
		if rest := bytes.TrimSpace(after[1:]); len(rest) == 0 || rest[0] == '#' {
			return splice(src, start, end, "") // it has its text lines to itself
		}
	}
	switch {
	case len(v.Inner) == 1:
		return splice(src, v.Span.Start, v.Span.End, "{}")
	case i+1 < len(v.Inner):
		return splice(src, l.Span.Start, v.Inner[i+1].Span.Start, "")
	default:
		return splice(src, v.Inner[i-1].Span.End, l.Span.End, "")
	}
}
