package manifest

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"devenv/env/manifest/tomlfile"
)

// AnyHost is the kind of machine that no [host.*] section names.
const AnyHost = "*"

// matchHost reports whether a section's name, which may be a glob, names the
// machine: by its full name or by the part before the first dot.
func matchHost(pattern, hostname string) bool {
	pattern, hostname = strings.ToLower(pattern), strings.ToLower(hostname)
	if ok, _ := path.Match(pattern, hostname); ok {
		return true
	}
	short, _, _ := strings.Cut(hostname, ".")
	ok, _ := path.Match(pattern, short)
	return ok
}

// within reports whether every machine that inner names is also one that outer
// names. Of globs that differ in subtle ways it may say no where yes is true.
func within(inner, outer string) bool {
	if inner == outer {
		return true
	}
	if !strings.ContainsAny(inner, "*?[") {
		return matchHost(outer, inner)
	}
	// A * stands for nothing or for much, ? and [] for characters that no
	// pattern has: only a * or ? of outer takes these.
	none, much := sample(inner, ""), sample(inner, strings.Repeat("\x01", 80))
	return matchHost(outer, none) && matchHost(outer, much)
}

func sample(pattern, star string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '*':
			b.WriteString(star)
		case '?':
			b.WriteByte(2)
		case '[':
			b.WriteByte(2)
			if n := strings.IndexByte(pattern[i:], ']'); n > 0 {
				i += n
			}
		default:
			b.WriteByte(pattern[i])
		}
	}
	return b.String()
}

// generalToSpecific is those of the sections that every machine of kind is in,
// in the order in which they are laid over each other.
func generalToSpecific(sections []string, kind string) []string {
	var all []string
	for _, s := range sections {
		if within(kind, s) {
			all = append(all, s)
		}
	}
	depth := func(s string) (n int) {
		for _, other := range all {
			if within(s, other) {
				n++
			}
		}
		return n
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(depth(a), depth(b)), cmp.Compare(len(sample(a, "")), len(sample(b, ""))), strings.Compare(a, b))
	})
	return all
}

// kindOf is the most specific section that names the machine. Where two do and
// neither is part of the other, it returns them.
func kindOf(sections []string, hostname string) (kind, other string) {
	kind = AnyHost
	var matching []string
	for _, s := range sections {
		if matchHost(s, hostname) {
			matching = append(matching, s)
		}
	}
	if len(matching) == 0 || hostname == "" {
		return AnyHost, ""
	}
	kind = matching[0]
	for _, s := range matching[1:] {
		if within(s, kind) {
			kind = s
		}
	}
	for _, s := range matching {
		if !within(kind, s) {
			return kind, s
		}
	}
	return kind, ""
}

// checkHost accepts the name of a [host.*] section.
func (d *decoder) checkHost(e *tomlfile.Entry) {
	if _, err := path.Match(e.Key, ""); err != nil || e.Key == "" {
		d.add(e.Faultf("a host name or a pattern such as \"build-*\"", "%q names no machine", e.Key))
	}
}
