package setup

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// confLines are the lines of a directory of configuration such as sysusers.d,
// in the order in which they count: files by name, of which one in /etc takes
// the place of one in /usr/lib, and is as good as none if it leads to /dev/null.
func confLines(root, name string) ([]string, error) {
	files := map[string]string{}
	for _, dir := range []string{"usr/lib", "etc"} {
		found, err := filepath.Glob(filepath.Join(root, dir, name, "*.conf"))
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			files[filepath.Base(f)] = f
		}
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, f)
	}
	slices.SortFunc(paths, func(a, b string) int { return cmp.Compare(filepath.Base(a), filepath.Base(b)) })
	var lines []string
	for _, f := range paths {
		text, err := os.ReadFile(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a link to nowhere
		}
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				lines = append(lines, line)
			}
		}
	}
	return lines, nil
}

// confFields splits a line at blanks, with quotes and the escapes of C in words;
// n is how many there are at most, the last taking all that is left.
func confFields(line string, n int) (fields []string) {
	for len(fields) < n {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return fields
		}
		if len(fields) == n-1 && line[0] != '"' && line[0] != '\'' {
			return append(fields, line)
		}
		var word string
		word, line = cutField(line)
		fields = append(fields, word)
	}
	return fields
}

func cutField(s string) (word, rest string) {
	var b strings.Builder
	var quote byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(unescaped(s[i]))
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && (c == ' ' || c == '\t'):
			return b.String(), s[i:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// unescape resolves the escapes of C that are in use.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			b.WriteByte(unescaped(s[i]))
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unescaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 's':
		return ' '
	}
	return c
}

// expand resolves the specifiers of systemd that mean the same on every
// machine; ok is false where there is another.
func expand(s string) (out string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case '%':
			b.WriteByte('%')
		case 'S':
			b.WriteString("/var/lib")
		case 'C':
			b.WriteString("/var/cache")
		case 'L':
			b.WriteString("/var/log")
		case 'T':
			b.WriteString("/tmp")
		case 'V':
			b.WriteString("/var/tmp")
		case 't':
			b.WriteString("/run")
		default:
			return "", false
		}
	}
	return b.String(), true
}
