package manifest

import (
	"strings"

	"devenv/layers/alpm"
)

// Pin is the set of versions that a devenv.toml allows of one package. The
// zero Pin allows every one. Its conditions all hold at once:
//
//   - every version
//     14.2.1            that upstream version with any pkgrel, also where it goes on: 14.2.1+r753+g1cd744a
//     14.2.1-2          with this pkgrel, and without anything that goes on
//     18.*              18 and whatever has 18 as its first component: 18.1.8, not 180 or 18rc1
//     = == != < <= > >= before a version; != also before 18.*
//
// Versions are ordered as vercmp(8) orders them. What a bare version matches
// counts as equal to it: <=14.2.1 allows 14.2.1+r753 and >14.2.1 does not.
// Without an epoch a condition looks at no epoch; with one, even 0:, epochs
// count.
type Pin struct {
	text  string
	terms []term
}

// term is one condition of a pin.
type term struct {
	op      op
	version string // what to compare with, without the epoch if none was written
	epoch   bool   // an epoch was written
	release bool   // a pkgrel was written
	parts   []string
}

type op uint8

const (
	equal    op = iota // a bare version, = or ==
	notEqual           // !=
	less
	atMost
	greater
	atLeast
)

// String is the pin as it was written; "*" for the zero Pin.
func (p Pin) String() string {
	if p.text == "" {
		return "*"
	}
	return p.text
}

// IsAny reports whether p allows every version.
func (p Pin) IsAny() bool { return len(p.terms) == 0 }

// HasEpoch reports whether p names an epoch.
func (p Pin) HasEpoch() bool {
	for i := range p.terms {
		if p.terms[i].epoch {
			return true
		}
	}
	return false
}

// Exact is the one version that p allows, as a package writes it, if p names
// epoch, pkgver and pkgrel.
func (p Pin) Exact() (version string, ok bool) {
	for i := range p.terms {
		t := &p.terms[i]
		if t.op == equal && t.parts == nil && t.epoch && t.release {
			return strings.TrimPrefix(t.version, "0:"), true
		}
	}
	return "", false
}

// Upstream is the one pkgver that p allows, whatever the epoch and pkgrel and
// whether or not it goes on with "+…": what to look for in an archive.
func (p Pin) Upstream() (pkgver string, ok bool) {
	for i := range p.terms {
		t := &p.terms[i]
		if t.op == equal && t.parts == nil {
			_, pkgver, _ = alpm.SplitVersion(t.version)
			return pkgver, true
		}
	}
	return "", false
}

// Matches reports whether p allows the full version of a package,
// [epoch:]pkgver-pkgrel.
func (p Pin) Matches(version string) bool {
	if len(p.terms) == 0 {
		return true
	}
	epoch, pkgver, pkgrel := alpm.SplitVersion(version)
	for i := range p.terms {
		if !p.terms[i].matches(epoch, pkgver, pkgrel) {
			return false
		}
	}
	return true
}

func (t *term) matches(epoch, pkgver, pkgrel string) bool {
	if t.parts != nil {
		return t.matchesParts(epoch, pkgver) == (t.op == equal)
	}
	switch c := t.compare(epoch, pkgver, pkgrel); t.op {
	case equal:
		return c == 0
	case notEqual:
		return c != 0
	case less:
		return c < 0
	case atMost:
		return c <= 0
	case greater:
		return c > 0
	default:
		return c >= 0
	}
}

// compare orders a version against the term's as vercmp does, except that a
// version which goes on with "+…" equals the term's.
func (t *term) compare(epoch, pkgver, pkgrel string) int {
	_, want, _ := alpm.SplitVersion(t.version)
	if !t.release && strings.HasPrefix(pkgver, want) && strings.HasPrefix(pkgver[len(want):], "+") {
		pkgver = want
	}
	version := pkgver
	if pkgrel != "" {
		version += "-" + pkgrel
	}
	if t.epoch {
		version = epoch + ":" + version
	}
	return alpm.Compare(version, t.version)
}

// matchesParts reports whether pkgver's first components are the term's.
func (t *term) matchesParts(epoch, pkgver string) bool {
	if t.epoch {
		if want, _, _ := alpm.SplitVersion(t.version); alpm.Compare(epoch, want) != 0 {
			return false
		}
	}
	for _, part := range t.parts {
		n := strings.IndexFunc(pkgver, isSeparator)
		if n < 0 {
			n = len(pkgver)
		}
		if n == 0 || alpm.Compare(pkgver[:n], part) != 0 {
			return false
		}
		pkgver = strings.TrimLeftFunc(pkgver[n:], isSeparator)
	}
	return true
}

func isSeparator(r rune) bool { return !isAlnum(r) }

func isAlnum(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}
