package main

import "strings"

// term is an option as one writes it.
func (o option) term() string {
	var names []string
	for _, n := range o.Names {
		if o.Value != "" {
			n += " " + o.Value
		}
		names = append(names, "`"+n+"`")
	}
	return strings.Join(names, ", ")
}

func (o option) explained() string {
	if o.Default != "" {
		return o.Usage + "; without it " + o.Default
	}
	return o.Usage
}

// escape keeps a plain text plain in Markdown, but for code.
func escape(s string) string {
	var b strings.Builder
	code := false
	for _, r := range s {
		if r == '`' {
			code = !code
		}
		if !code && strings.ContainsRune(`\*_<[`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func sentence(s string) string {
	if strings.HasPrefix(s, "devenv") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
