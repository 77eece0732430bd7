package tomlfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file; Line and Col count from 1, Col in characters.
// The zero Pos is "no place": a default, or a value made by a program.
type Pos struct {
	File string
	Line int
	Col  int
}

// IsValid reports whether p is a place at all.
func (p Pos) IsValid() bool { return p.Line > 0 }

func (p Pos) String() string {
	switch {
	case p.IsValid():
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
	case p.File != "":
		return p.File
	}
	return "default"
}

func comparePos(a, b Pos) int {
	if c := strings.Compare(a.File, b.File); c != 0 {
		return c
	}
	if a.Line != b.Line {
		return a.Line - b.Line
	}
	return a.Col - b.Col
}

// Error is one fault of a file that a person wrote: bad input, so a command
// that meets it exits with 2. Its text has the place, what is wrong, the
// source line with a caret and, where there is one, what to do.
type Error struct {
	Pos  Pos
	Msg  string // what is wrong, and with what
	Hint string // what to do next; may be empty
	Line string // the source line, without its end; may be empty
	Err  error  // the cause, for errors.Is; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Pos.File != "" {
		fmt.Fprintf(&b, "%s: ", e.Pos)
	}
	b.WriteString(e.Msg)
	if e.Line != "" && e.Pos.IsValid() {
		num := fmt.Sprint(e.Pos.Line)
		line, col := crop(e.Line, e.Pos.Col)
		fmt.Fprintf(&b, "\n  %s | %s\n  %s | %s^", num, line, strings.Repeat(" ", len(num)), indent(line, col-1))
	}
	if e.Hint != "" {
		b.WriteString("\nhint: " + e.Hint)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// crop keeps the part of a long line that is about column col.
func crop(line string, col int) (string, int) {
	const width, before = 120, 60
	runes := []rune(line)
	if len(runes) <= width {
		return line, col
	}
	if start := min(col-before, len(runes)-width); start > 0 {
		runes, col = append([]rune{'…'}, runes[start:]...), col-start+1
	}
	if len(runes) > width {
		runes = append(runes[:width:width], '…')
	}
	return string(runes), col
}

// indent is as wide on a screen as the first n characters of line: tabs stay
// tabs, so the caret stands right whatever their width is.
func indent(line string, n int) string {
	var b strings.Builder
	for _, r := range line {
		if n--; n < 0 {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// Errors are all faults of a file, or of several, in the order in which a
// reader meets them.
type Errors []*Error

func (l Errors) Error() string {
	const most = 50 // beyond that a person looks at the file, not at the list
	texts := make([]string, 0, most+1)
	for i, e := range l {
		if i == most {
			texts = append(texts, fmt.Sprintf("and %d more", len(l)-most))
			break
		}
		texts = append(texts, e.Error())
	}
	return strings.Join(texts, "\n")
}

// Unwrap lets errors.As find the first *Error.
func (l Errors) Unwrap() []error {
	out := make([]error, len(l))
	for i, e := range l {
		out[i] = e
	}
	return out
}

// Err is l as an error: nil if it is empty, its only element if there is one.
// A fault that was found twice is reported once.
func (l Errors) Err() error {
	sorted := slices.Clone(l)
	slices.SortStableFunc(sorted, func(a, b *Error) int { return comparePos(a.Pos, b.Pos) })
	sorted = slices.CompactFunc(sorted, func(a, b *Error) bool { return a.Pos == b.Pos && a.Msg == b.Msg })
	switch len(sorted) {
	case 0:
		return nil
	case 1:
		return sorted[0]
	}
	return sorted
}

// List is every *Error in err, which may wrap one or several.
func List(err error) []*Error {
	if all := (Errors)(nil); errors.As(err, &all) {
		return all
	}
	if one := (*Error)(nil); errors.As(err, &one) {
		return []*Error{one}
	}
	return nil
}
