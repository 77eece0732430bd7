package mirror

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"devenv/cache/fetch"
)

// entry is one name in a directory, on a server or here.
type entry struct {
	name     string // without a slash
	dir      bool
	size     int64     // 0: not known
	modified time.Time // zero: not known
}

// maxPage bounds an index page: 50,000 files of long names.
const maxPage = 32 << 20

// list reads a directory: on a server its index page, which is kept under
// key and asked for again after maxAge; here the directory itself.
func (m *Mirror) list(ctx context.Context, dir, key string, maxAge time.Duration) ([]entry, error) {
	if path, ok := fetch.LocalPath(dir); ok {
		return listLocal(path)
	}
	dest := m.archivePath("pages", key+".html")
	req := fetch.Request{URLs: []string{dir + "/"}, Dest: dest, MaxSize: maxPage}
	_, err := m.fetch.Conditional(ctx, req, maxAge)
	if err != nil {
		if _, ok := fetch.Stored(dest); !ok || !errors.As(err, new(*fetch.OfflineError)) {
			return nil, err
		}
	}
	text, err := os.ReadFile(dest)
	if err != nil {
		return nil, err
	}
	return parseListing(string(text)), nil
}

func listLocal(path string) ([]entry, error) {
	files, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &fetch.NotFoundError{Name: path, URLs: []string{path}}
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", path, err)
	}
	entries := make([]entry, 0, len(files))
	for _, file := range files {
		info, err := os.Stat(path + "/" + file.Name()) // archives are full of links
		if err != nil {
			continue // a dangling link is no file
		}
		entries = append(entries, entry{name: file.Name(), dir: info.IsDir(), size: info.Size(), modified: info.ModTime()})
	}
	return entries, nil
}

// parseListing reads the index page that nginx, Apache, lighttpd and Go's
// file server write for a directory: the targets of its links that are names
// in that directory, with date and size where they follow the link as text. The names
// that people see are cut short there, so they are not looked at.
func parseListing(page string) []entry {
	var entries []entry
	for {
		href, rest, ok := nextLink(page)
		if !ok {
			return entries
		}
		page = rest
		e, ok := entryOf(href)
		if !ok {
			continue
		}
		e.modified, e.size = details(rest)
		entries = append(entries, e)
	}
}

// nextLink finds the next whole <a …> and gives its href and what comes after the tag.
func nextLink(page string) (href, rest string, ok bool) {
	for {
		_, after, found := strings.Cut(page, "<")
		if !found {
			return "", "", false
		}
		page = after
		if len(page) < 2 || page[0]|0x20 != 'a' || !isSpace(page[1]) {
			continue
		}
		attrs, after, closed := attributes(page[1:])
		if !closed {
			return "", "", false
		}
		page = after
		if href = attrs["href"]; href != "" {
			return href, page, true
		}
	}
}

// attributes reads a tag's attributes up to its end; of several of a name, the
// first counts. closed is false where the page ends before the tag does.
func attributes(s string) (attrs map[string]string, rest string, closed bool) {
	attrs = make(map[string]string)
	for {
		s = strings.TrimLeft(s, " \t\r\n\f/")
		if s == "" {
			return nil, "", false
		}
		if s[0] == '>' {
			return attrs, s[1:], true
		}
		name, value := "", ""
		if name, s, closed = word(s, "= \t\r\n\f>"); !closed {
			return nil, "", false
		}
		s = strings.TrimLeft(s, " \t\r\n\f")
		if after, ok := strings.CutPrefix(s, "="); ok {
			if value, s, closed = attributeValue(strings.TrimLeft(after, " \t\r\n\f")); !closed {
				return nil, "", false
			}
		}
		name = strings.ToLower(name)
		if _, twice := attrs[name]; !twice {
			attrs[name] = html.UnescapeString(value)
		}
	}
}

func attributeValue(s string) (value, rest string, whole bool) {
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		return strings.Cut(s[1:], s[:1])
	}
	return word(s, " \t\r\n\f>")
}

// word takes what stands before the first of ends off s.
func word(s, ends string) (w, rest string, whole bool) {
	i := strings.IndexAny(s, ends)
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i:], true
}

func isSpace(c byte) bool { return strings.IndexByte(" \t\r\n\f", c) >= 0 }

// entryOf is the entry that a link in a directory's page leads to; ok is false
// for links that lead elsewhere: upward, to another order of sorting, away.
func entryOf(href string) (e entry, ok bool) {
	u, err := url.Parse(href)
	if err != nil || u.Scheme != "" || u.Host != "" || u.RawQuery != "" || u.Path == "" {
		// nginx does not escape ":" in names, which then looks like a scheme.
		name, err := url.PathUnescape(href)
		if err != nil || strings.Contains(name, "://") || strings.ContainsAny(name, "?#") || !strings.Contains(name, "-") {
			return entry{}, false
		}
		u = &url.URL{Path: name}
	}
	name := strings.TrimPrefix(u.Path, "./")
	name, isDir := strings.CutSuffix(name, "/")
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00\n") {
		return entry{}, false
	}
	return entry{name: name, dir: isDir}, true
}

// details reads the date and size that stand behind a link: "</a>
// 12-Nov-2024 10:11   1234" (nginx) or "2024-11-12 10:11  1.2M" (Apache), perhaps
// in cells of a table.
func details(after string) (modified time.Time, size int64) {
	_, after, ok := strings.Cut(after, "</a>")
	if !ok {
		return time.Time{}, 0
	}
	if i := strings.Index(after, "<a"); i >= 0 {
		after = after[:i]
	}
	words := strings.Fields(withoutTags(after[:min(len(after), 300)]))
	for i, word := range words {
		for _, layout := range []string{"02-Jan-2006", "2006-01-02", "2006-Jan-02"} {
			date, err := time.Parse(layout, word)
			if err != nil {
				continue
			}
			words = words[i+1:]
			if len(words) > 0 {
				for _, layout := range []string{"15:04:05", "15:04"} {
					if clock, err := time.Parse(layout, words[0]); err == nil {
						date = date.Add(clock.Sub(clock.Truncate(24 * time.Hour)))
						words = words[1:]
						break
					}
				}
			}
			if len(words) > 0 {
				size, _ = strconv.ParseInt(words[0], 10, 64) // "1.2M" is no size in bytes
			}
			return date, max(size, 0)
		}
	}
	return time.Time{}, 0
}

func withoutTags(s string) string {
	var b strings.Builder
	for {
		text, rest, ok := strings.Cut(s, "<")
		b.WriteString(text)
		b.WriteByte(' ')
		if !ok {
			return b.String()
		}
		if _, s, ok = strings.Cut(rest, ">"); !ok {
			return b.String()
		}
	}
}
