package alpm

import "strings"

// SplitVersion takes [epoch:]pkgver[-pkgrel] apart. An absent epoch is "0", an
// absent pkgrel is "": both as libalpm sees them.
func SplitVersion(v string) (epoch, pkgver, pkgrel string) {
	epoch = "0"
	digits := 0
	for digits < len(v) && isDigit(v[digits]) {
		digits++
	}
	if digits < len(v) && v[digits] == ':' {
		if digits > 0 {
			epoch = v[:digits]
		}
		v = v[digits+1:]
	}
	if dash := strings.LastIndexByte(v, '-'); dash >= 0 {
		return epoch, v[:dash], v[dash+1:]
	}
	return epoch, v, ""
}

// Compare orders two full versions as vercmp(8) does: -1 where a is older than
// b, 0 where they count as the same, 1 where a is newer. A version without a
// pkgrel equals the same version with any pkgrel. The order is libalpm's, which
// is not transitive in odd corners ("1-1" = "1" = "1-2"), so do not sort mixed
// forms by it.
func Compare(a, b string) int {
	if a == b {
		return 0
	}
	epochA, verA, relA := SplitVersion(a)
	epochB, verB, relB := SplitVersion(b)
	if c := compareSegments(epochA, epochB); c != 0 {
		return c
	}
	if c := compareSegments(verA, verB); c != 0 {
		return c
	}
	if !hasRelease(a) || !hasRelease(b) {
		return 0
	}
	return compareSegments(relA, relB)
}

// hasRelease tells "1-" (an empty pkgrel, which is compared) from "1".
func hasRelease(v string) bool { return strings.IndexByte(v, '-') >= 0 }

// compareSegments is the rpmvercmp of libalpm: alternating separators and runs
// of digits or of letters, compared run by run. A tilde is a separator like any
// other. Bytes beyond ASCII are separators too, as in the C locale.
func compareSegments(a, b string) int {
	if a == b {
		return 0
	}
	for a != "" && b != "" {
		sepA, sepB := separators(a), separators(b)
		a, b = a[sepA:], b[sepB:]
		if a == "" || b == "" {
			break
		}
		if sepA != sepB {
			return sign(sepA - sepB)
		}
		digits := isDigit(a[0])
		runA, runB := run(a, digits), run(b, digits)
		if runB == 0 { // a number is newer than a word
			if digits {
				return 1
			}
			return -1
		}
		segA, segB := a[:runA], b[:runB]
		if digits {
			segA, segB = strings.TrimLeft(segA, "0"), strings.TrimLeft(segB, "0")
			if len(segA) != len(segB) {
				return sign(len(segA) - len(segB))
			}
		}
		if c := strings.Compare(segA, segB); c != 0 {
			return c
		}
		a, b = a[runA:], b[runB:]
	}
	switch {
	case a == "" && b == "":
		return 0
	case a != "" && isAlpha(a[0]): // 1.0rc1 is older than 1.0
		return -1
	case a == "" && !isAlpha(b[0]):
		return -1
	}
	return 1
}

func separators(s string) int {
	n := 0
	for n < len(s) && !isDigit(s[n]) && !isAlpha(s[n]) {
		n++
	}
	return n
}

func run(s string, digits bool) int {
	n := 0
	for n < len(s) && (digits && isDigit(s[n]) || !digits && isAlpha(s[n])) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return c-'0' <= 9 }
func isAlpha(c byte) bool { return c|0x20-'a' <= 'z'-'a' }

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
