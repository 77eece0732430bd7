package native

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// localeDir is where a C library looks for locales: glibc's on every host that
// has one.
const localeDir = "/usr/lib/locale"

// lackedLocale is the locale that the user's variables name, in the form that
// localedef(1) calls its directories by, where the host has not got it. Locales
// that are built into every C library are never lacked.
func lackedLocale(getenv func(string) string) string {
	name := cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"))
	base, _, _ := strings.Cut(name, ".")
	if base == "" || base == "C" || base == "POSIX" || strings.Contains(name, "/") {
		return ""
	}
	dir := normalized(name)
	for _, n := range []string{name, dir} {
		if _, err := os.Stat(filepath.Join(localeDir, n)); err == nil {
			return ""
		}
	}
	f, err := os.Open(filepath.Join(localeDir, "locale-archive"))
	if err != nil {
		return dir
	}
	defer f.Close()
	if names := archived(f); slices.Contains(names, dir) || slices.Contains(names, name) {
		return ""
	}
	return dir
}

// normalized writes a name's codeset as glibc does: "de_DE.UTF-8@euro" is
// "de_DE.utf8@euro". One of digits alone begins with "iso".
func normalized(name string) string {
	base, rest, has := strings.Cut(name, ".")
	if !has {
		return name
	}
	codeset, modifier, at := strings.Cut(rest, "@")
	letters := false
	codeset = strings.Map(func(r rune) rune {
		letters = letters || unicode.IsLetter(r)
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, codeset)
	if !letters {
		codeset = "iso" + codeset
	}
	if at {
		modifier = "@" + modifier
	}
	return base + "." + codeset + modifier
}

// archived lists the names in a locale-archive (glibc, locale/locarchive.h). What
// is no such file has none.
func archived(f io.ReaderAt) []string {
	var head [9]uint32 // magic, serial, offset, used and size of the hash table, then of the names
	b := make([]byte, 4*len(head))
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil
	}
	for i := range head {
		head[i] = binary.NativeEndian.Uint32(b[4*i:])
	}
	const magic, most = 0xde020109, 1 << 20
	offset, used := head[5], head[6]
	if head[0] != magic || used > most {
		return nil
	}
	text := make([]byte, used)
	if _, err := f.ReadAt(text, int64(offset)); err != nil {
		return nil
	}
	var names []string
	for name := range bytes.SplitSeq(text, []byte{0}) {
		if len(name) > 0 {
			names = append(names, string(name))
		}
	}
	return names
}
