package alpm

import "strings"

// fieldReader reads the text of desc and depends files: "%FIELD%", its values a
// line each, an empty line. Lists are cut from shared slabs.
type fieldReader struct {
	strings []string
	deps    []Dep
	values  []string // of the current field
}

const slabSize = 1024

// read adds to p what text says but for name and version, which come from the
// name of text's file.
func (f *fieldReader) read(text string, p *Package) error {
	return f.each(text, func(field string) { f.store(field, p) })
}

// each calls yield for every field, with its one or more values in f.values.
func (f *fieldReader) each(text string, yield func(field string)) error {
	for text != "" {
		var field string
		field, text = cutLine(text)
		if len(field) < 3 || field[0] != '%' || field[len(field)-1] != '%' {
			continue
		}
		f.values = f.values[:0]
		for text != "" {
			var value string
			if value, text = cutLine(text); value == "" {
				break
			}
			if len(f.values) == maxListValues {
				return &LimitError{What: "values of " + field, Limit: maxListValues}
			}
			f.values = append(f.values, value)
		}
		if len(f.values) > 0 {
			yield(field)
		}
	}
	return nil
}

// cutLine takes the first line off; a carriage return before its end is not
// part of it.
func cutLine(text string) (line, rest string) {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		line, rest = text[:i], text[i+1:]
	} else {
		line = text
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, rest
}

func (f *fieldReader) store(field string, p *Package) {
	first := f.values[0]
	switch field {
	case "%FILENAME%":
		p.Filename = first
	case "%BASE%":
		p.Base = first
	case "%DESC%":
		p.Desc = first
	case "%URL%":
		p.URL = first
	case "%ARCH%":
		p.Arch = first
	case "%PACKAGER%":
		p.Packager = first
	case "%SHA256SUM%":
		p.SHA256 = strings.ToLower(first)
	case "%PGPSIG%":
		p.PGPSig = first
	case "%BUILDDATE%":
		p.BuildDate = decimal(first)
	case "%CSIZE%":
		p.Size = decimal(first)
	case "%ISIZE%":
		p.InstalledSize = decimal(first)
	case "%LICENSE%":
		p.Licenses = f.list(p.Licenses)
	case "%GROUPS%":
		p.Groups = f.list(p.Groups)
	case "%OPTDEPENDS%":
		p.OptDepends = f.list(p.OptDepends)
	case "%DEPENDS%":
		p.Depends = f.depList(p.Depends)
	case "%PROVIDES%":
		p.Provides = f.depList(p.Provides)
	case "%CONFLICTS%":
		p.Conflicts = f.depList(p.Conflicts)
	case "%REPLACES%":
		p.Replaces = f.depList(p.Replaces)
	}
}

// list returns old with the current values behind it.
func (f *fieldReader) list(old []string) []string {
	f.strings = slab(f.strings, len(old)+len(f.values))
	start := len(f.strings)
	f.strings = append(append(f.strings, old...), f.values...)
	return f.strings[start:len(f.strings):len(f.strings)]
}

func (f *fieldReader) depList(old []Dep) []Dep {
	f.deps = slab(f.deps, len(old)+len(f.values))
	start := len(f.deps)
	f.deps = append(f.deps, old...)
	for _, v := range f.values {
		f.deps = append(f.deps, splitDep(v))
	}
	return f.deps[start:len(f.deps):len(f.deps)]
}

// slab returns s, or a new one where s has no room for n more.
func slab[T any](s []T, n int) []T {
	if cap(s)-len(s) >= n {
		return s
	}
	return make([]T, 0, max(slabSize, n))
}
