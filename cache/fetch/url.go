package fetch

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// source is one place a file may come from: path is set for a local one.
type source struct {
	raw  string
	url  *url.URL
	path string
}

func parse(raw string) (source, error) {
	if path, ok := LocalPath(raw); ok {
		return source{raw: raw, path: path}, nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return source{}, fmt.Errorf("bad URL %q: %w", raw, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return source{}, fmt.Errorf("bad URL %q: only http, https, file and plain paths are understood", u.Redacted())
	}
	return source{raw: raw, url: u}, nil
}

func (s source) local() bool { return s.url == nil }

func (s source) host() string {
	if s.url == nil {
		return ""
	}
	return s.url.Host
}

// String is the source for messages, without any password.
func (s source) String() string {
	if s.url == nil {
		return s.path
	}
	return s.url.Redacted()
}

// LocalPath is the path of a file:// URL or a plain path; ok is false for
// what lies on the network.
func LocalPath(raw string) (path string, ok bool) {
	if !strings.Contains(raw, "://") {
		return raw, raw != ""
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "file" || (u.Host != "" && u.Host != "localhost") || u.Path == "" {
		return "", false
	}
	return filepath.FromSlash(u.Path), true
}

// Join is the place of elem below base, which is a URL or a path. In a URL
// all but letters, digits and -._~ is escaped: package file names hold ":" and "+",
// and there are servers that take a bare "+" for a space. An element may hold
// slashes.
func Join(base string, elem ...string) string {
	if !strings.Contains(base, "://") {
		return filepath.Join(append([]string{base}, elem...)...)
	}
	var b strings.Builder
	b.WriteString(strings.TrimRight(base, "/"))
	for _, e := range elem {
		for part := range strings.SplitSeq(strings.Trim(e, "/"), "/") {
			b.WriteByte('/')
			escape(&b, part)
		}
	}
	return b.String()
}

func escape(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		ch := s[i]
		switch {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9', strings.IndexByte("-._~", ch) >= 0:
			b.WriteByte(ch)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[ch>>4])
			b.WriteByte(hex[ch&15])
		}
	}
}

// Show is a URL or path as messages and results name it: without any password.
func Show(raw string) string {
	src, err := parse(raw)
	if err != nil {
		return raw
	}
	return src.String()
}
