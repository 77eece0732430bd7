package lock

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What a lock may hold. A package's name, its repository and its file name
// become parts of paths and URLs.

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
	hex    = digits + "abcdef"
)

// only reports whether s is not empty, not too long for a path, and made of
// these characters.
func only(s, chars string) bool {
	for i := range len(s) {
		if strings.IndexByte(chars, s[i]) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= 255
}

func isName(s string) bool {
	return only(s, lower+upper+digits+"@._+-") && s[0] != '-' && s[0] != '.'
}

// isVersion accepts [epoch:]pkgver-pkgrel (PKGBUILD(5)), whatever else a packager
// has put into pkgver.
func isVersion(s string) bool {
	ver, rel, dash := cutLast(s, "-")
	return dash && ver != "" && rel != "" && len(s) <= 255 && isPrintable(s) && !strings.ContainsAny(s, "/\\ <>=*") && s[0] != '.' && s[0] != '-'
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func isFileName(s string) bool {
	return s != "" && len(s) <= 255 && isPrintable(s) && !strings.ContainsAny(s, "/\\") && s[0] != '.' && s[0] != '-'
}

func isPrintable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) })
}

// isLine accepts what is shown to people.
func isLine(s string) bool { return s != "" && len(s) <= 255 && isPrintable(s) }

func isArch(s string) bool { return only(s, lower+upper+digits+"_") }

func isSHA256(s string) bool { return len(s) == 64 && only(s, hex) }

func isDigest(s string) bool {
	sum, ok := strings.CutPrefix(s, "sha256:")
	return ok && isSHA256(sum)
}

// isFingerprint accepts those of OpenPGP keys, of version 4 and later.
func isFingerprint(s string) bool {
	return (len(s) == 40 || len(s) == 64) && only(strings.ToLower(s), hex)
}

func isDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func isDayOrLatest(s string) bool { return s == latest || isDay(s) }

func isSigLevel(s string) bool { return s == "required" || s == "optional" || s == "never" }
