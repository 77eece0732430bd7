package convert

import (
	"path"
	"regexp"
	"strings"
)

// layout maps Debian's paths to ours.
type layout struct{ triplet string }

// path maps one path without leading slash.
func (l layout) path(p string) string {
	first, rest, _ := strings.Cut(p, "/")
	switch first {
	case "bin", "sbin", "lib", "lib64":
		p = path.Join("usr", first, rest)
	}
	for _, m := range [][2]string{{"usr/sbin", "usr/bin"}, {"usr/games", "usr/bin"}, {"usr/lib64", "usr/lib"}, {"usr/lib/" + l.triplet, "usr/lib"}} {
		if p == m[0] {
			return m[1]
		}
		if rest, ok := strings.CutPrefix(p, m[0]+"/"); ok {
			p = m[1] + "/" + rest
		}
	}
	return p
}

// target maps the target of the symbolic link that Debian has at from.
// Links into what a package brings become relative to their new place, so
// that they also hold in a tree that is not mounted at the root.
func (l layout) target(from, target string) string {
	to := absolute(from, target)
	top, _, _ := strings.Cut(to, "/")
	switch top {
	case "usr", "bin", "sbin", "lib", "lib64", "etc", "opt":
		return relative(path.Dir(l.path(from)), l.path(to))
	}
	if path.IsAbs(target) {
		return target
	}
	return relative(path.Dir(l.path(from)), to)
}

// absolute is the path that a link at from means, without leading slash.
func absolute(from, target string) string {
	if !path.IsAbs(target) {
		target = path.Join("/", path.Dir(from), target)
	}
	return clean(target)
}

// relative is the way from directory dir to path to, both without leading
// slash.
func relative(dir, to string) string {
	d, t := strings.Split(dir, "/"), strings.Split(to, "/")
	if dir == "." {
		d = nil
	}
	for len(d) > 0 && len(t) > 1 && d[0] == t[0] {
		d, t = d[1:], t[1:]
	}
	if to == dir {
		return "."
	}
	if len(d) > 0 && len(t) == 1 && d[0] == t[0] {
		d, t = d[1:], nil
	}
	return path.Join(strings.Repeat("../", len(d)), path.Join(t...))
}

// debianOnly is what no Arch package has.
var debianOnly = []string{
	"usr/share/doc", "usr/share/doc-base", "usr/share/lintian", "usr/share/bug", "usr/share/menu", "usr/share/apport",
	"usr/share/python3/runtime.d", "usr/share/debconf", "etc/init.d", "etc/cron.*", "etc/apparmor.d", "etc/apt", "etc/network",
	"usr/lib/debug", "usr/share/initramfs-tools", "etc/alternatives", "usr/share/debhelper", "usr/share/perl5/Debian/Debhelper",
	"usr/share/sensible-utils",
}

// compileGlob makes a regular expression from a pattern.
func compileGlob(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString("$")
	return regexp.Compile(b.String())
}
