package alpm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strconv"
	"strings"
)

// MTREEEntry is what a package's .MTREE says of one path.
type MTREEEntry struct {
	Path   string // relative to the root, without "./"; "." is the root
	Type   string // "file", "dir", "link", …
	Mode   uint32 // permissions with setuid, setgid and sticky
	UID    uint32
	GID    uint32
	Time   int64 // Unix seconds
	Nanos  int64
	Size   int64
	Link   string // a symbolic link's target
	MD5    string // lower-case hexadecimal, where written
	SHA256 string
}

// What an .MTREE may hold.
const (
	maxMTREE     = 1 << 30
	maxMTREELine = 64 << 10
)

// ReadMTREE yields the entries of an .MTREE, compressed as it is in packages or
// not, as libarchive writes them: one line each, defaults by /set and /unset,
// octal escapes in names. An error ends it and says the line.
func ReadMTREE(r io.Reader) iter.Seq2[MTREEEntry, error] {
	return func(yield func(MTREEEntry, error) bool) {
		line := 0
		if err := readMTREE(r, &line, func(e MTREEEntry) bool { return yield(e, nil) }); err != nil {
			yield(MTREEEntry{}, fmt.Errorf(".MTREE:%d: %w", line, err))
		}
	}
}

func readMTREE(r io.Reader, line *int, yield func(MTREEEntry) bool) error {
	guard, _, err := decompressGuarded(&countingReader{r: r}, maxMTREE)
	if err != nil {
		return err
	}
	defer guard.Close()
	lines := bufio.NewScanner(guard)
	lines.Buffer(nil, maxMTREELine)
	var defaults MTREEEntry
	for lines.Scan() {
		*line++
		text := strings.TrimLeft(lines.Text(), " \t")
		for strings.HasSuffix(text, `\`) && len(text) < maxMTREELine && lines.Scan() {
			*line++
			text = text[:len(text)-1] + lines.Text()
		}
		words := strings.Fields(text)
		switch {
		case len(words) == 0 || words[0][0] == '#':
		case words[0] == "/set":
			err = defaults.setAll(words[1:])
		case words[0] == "/unset":
			err = defaults.unset(words[1:])
		default:
			e := defaults
			if e.Path, err = mtreePath(words[0]); err == nil {
				err = e.setAll(words[1:])
			}
			if err == nil && !yield(e) {
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		*line++
		return &LimitError{What: "bytes of a line", Limit: maxMTREELine}
	} else if err != nil {
		return err
	}
	return nil
}

// mtreePath takes the whole paths that packages have, not the names in a
// current directory of BSD's mtree(5).
func mtreePath(s string) (string, error) {
	s, err := unescape(s)
	if err != nil {
		return "", err
	}
	if s != "." && !strings.HasPrefix(s, "./") {
		return "", fmt.Errorf("path %q does not begin with ./", s)
	}
	if clean := path.Clean(s); clean == ".." || strings.HasPrefix(clean, "../") {
		return "", fmt.Errorf("path %q leaves the package", s)
	}
	return path.Clean(s), nil
}

func (e *MTREEEntry) setAll(words []string) error {
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		if err := e.set(key, value); err != nil {
			return fmt.Errorf("%s: %w", w, err)
		}
	}
	return nil
}

func (e *MTREEEntry) unset(keys []string) error {
	for _, key := range keys {
		if key == "all" {
			*e = MTREEEntry{}
		} else if err := e.set(key, ""); err != nil {
			return err
		}
	}
	return nil
}

// set stores one keyword; an empty value takes it back. Keywords that packages
// do not need are passed over.
func (e *MTREEEntry) set(key, value string) (err error) {
	switch key {
	case "type":
		e.Type = value
	case "mode":
		e.Mode, err = parseUint32(value, 8)
	case "uid":
		e.UID, err = parseUint32(value, 10)
	case "gid":
		e.GID, err = parseUint32(value, 10)
	case "size":
		e.Size, err = parseInt64(value)
	case "time":
		// libarchive writes nanoseconds as a number, not as a fraction.
		seconds, nanos, _ := strings.Cut(value, ".")
		if e.Time, err = parseInt64(seconds); err == nil {
			e.Nanos, err = parseInt64(nanos)
		}
	case "link":
		e.Link, err = unescape(value)
	case "md5", "md5digest":
		e.MD5 = value
	case "sha256", "sha256digest":
		e.SHA256 = value
	}
	return err
}

func parseUint32(s string, base int) (uint32, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, base, 32)
	if err != nil {
		return 0, errors.New("not a number")
	}
	return uint32(n), nil
}

func parseInt64(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, errors.New("not a number")
	}
	return n, nil
}

// unescape takes back the escapes of vis(3): three octal digits, or a letter of
// C's.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		c, size := unescapeOne(s[i+1:])
		if size == 0 {
			return "", fmt.Errorf("unknown escape in %q", s)
		}
		b = append(b, c)
		i += size
	}
	return string(b), nil
}

func unescapeOne(s string) (c byte, size int) {
	if len(s) >= 3 && s[0] <= '3' {
		if n, err := strconv.ParseUint(s[:3], 8, 8); err == nil {
			return byte(n), 3
		}
	}
	if s == "" {
		return 0, 0
	}
	if i := strings.IndexByte(`abfnrstv\"#`, s[0]); i >= 0 {
		return "\a\b\f\n\r \t\v\\\"#"[i], 1
	}
	return 0, 0
}
