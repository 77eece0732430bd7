package mirror

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"devenv/cache/fetch"
	"devenv/layers/alpm"
)

const (
	// indexAge is how long the index of all packages is used unasked. The
	// archive writes it once a day.
	indexAge = 24 * time.Hour
	maxIndex = 256 << 20 // compressed
	maxNames = 1 << 30   // unpacked: fifty times that of 2026
)

// names is the archive's index of all packages, sorted for look-up: after a
// first line that says which index it is of, a line for each package:
//
//	gcc 14.2.1+r753+g1cd744a6828f-1/x86_64 14.2.1-1/x86_64
type names struct {
	lines    []byte // mapped, without the first
	modified time.Time
}

// Names opens the index of all packages; nil, and no error, where the archive has none.
func (a *Archive) names(ctx context.Context) (*names, error) {
	a.mu.Lock()
	known := a.index
	a.mu.Unlock()
	if known != nil {
		return known, nil
	}
	ans := a.answer("index")
	ans.once.Lock()
	defer ans.once.Unlock()
	if ans.done {
		return a.index, ans.err
	}
	index, err := a.openNames(ctx)
	if isMissing(err) {
		index, err = nil, nil
	}
	if err == nil {
		a.mu.Lock()
		a.index, ans.done = index, true
		a.mu.Unlock()
	}
	return index, err
}

func (a *Archive) openNames(ctx context.Context) (*names, error) {
	m := a.m
	dest := m.archivePath("index.0.xz")
	req := fetch.Request{
		URLs:    []string{fetch.Join(m.cfg.Archive, "packages", ".all", "index.0.xz")},
		Dest:    dest,
		MaxSize: maxIndex,
	}
	res, err := m.fetch.Conditional(ctx, req, indexAge)
	if err != nil {
		stored, ok := fetch.Stored(dest)
		if !ok || !errors.As(err, new(*fetch.OfflineError)) {
			return nil, err
		}
		res = stored
	}
	index, err := m.mapNames(dest)
	if errors.As(err, new(*DamagedError)) {
		fetch.Remove(dest)
		return nil, &DamagedError{What: "the index of all packages", URL: res.URL, Err: err}
	}
	if err != nil {
		return nil, err
	}
	index.modified = res.Modified
	return index, nil
}

// mapNames maps the sorted form of the index at path, which it makes where it
// is missing or of another index.
func (m *Mirror) mapNames(path string) (*names, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	stamp := stampOf(info)
	first := append(hex.AppendEncode(nil, stamp[:]), '\n')
	sorted := path + ".names"
	if data, err := mapFile(sorted, 0); err == nil {
		if lines, ok := bytes.CutPrefix(data, first); ok {
			return &names{lines: lines}, nil
		}
		unix.Munmap(data)
	}
	lines, err := sortNames(f)
	if err != nil {
		return nil, &DamagedError{Err: err}
	}
	err = m.cache.Write(sorted, 0o644, func(w io.Writer) error {
		_, errFirst := w.Write(first)
		_, errLines := w.Write(lines)
		return errors.Join(errFirst, errLines)
	})
	return &names{lines: lines}, err
}

// sortNames reads the archive's index: a line NAME-VERSION-RELEASE-ARCH for
// every package, compressed.
func sortNames(r io.Reader) ([]byte, error) {
	plain, _, err := alpm.Decompress(r)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	var text strings.Builder
	switch n, err := io.Copy(&text, io.LimitReader(plain, maxNames+1)); {
	case err != nil:
		return nil, err
	case n > maxNames:
		return nil, fmt.Errorf("more than %d bytes", maxNames)
	}
	rows, bad := nameRows(text.String())
	if bad > len(rows) {
		return nil, fmt.Errorf("%d lines are packages and %d are not", len(rows), bad)
	}
	slices.SortFunc(rows, func(a, b nameRow) int {
		if c := strings.Compare(a.name(), b.name()); c != 0 {
			return c
		}
		return strings.Compare(a.line, b.line)
	})
	return nameLines(slices.Compact(rows), text.Len()), nil
}

// nameRow is one line of the archive's index. There are half a million: it
// points into the text, and holds no more than it must.
type nameRow struct {
	line string
	cut  int // where the name ends
}

func (r nameRow) name() string { return r.line[:r.cut] }

// nameRows takes the text apart. bad counts the lines that are no packages.
func nameRows(text string) (rows []nameRow, bad int) {
	rows = make([]nameRow, 0, strings.Count(text, "\n")+1)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		name, _, _, ok := alpm.ParseFilename(line)
		switch {
		case ok && !strings.ContainsAny(line, " \t/"):
			rows = append(rows, nameRow{line, len(name)})
		case line != "":
			bad++
		}
	}
	return rows, bad
}

// nameLines writes sorted rows, those of one name in one line.
func nameLines(rows []nameRow, size int) []byte {
	out := make([]byte, 0, size)
	for i, row := range rows {
		if i == 0 || rows[i-1].name() != row.name() {
			if i > 0 {
				out = append(out, '\n')
			}
			out = append(out, row.name()...)
		}
		rest := row.line[row.cut+1:]
		arch := strings.LastIndexByte(rest, '-')
		out = append(out, ' ')
		out = append(out, rest[:arch]...)
		out = append(out, '/')
		out = append(out, rest[arch+1:]...)
	}
	if len(rows) > 0 {
		out = append(out, '\n')
	}
	return out
}

// find is all that the index has of a package, in no order.
func (n *names) find(name string) []Kept {
	line, ok := findLine(n.lines, name)
	if !ok {
		return nil
	}
	var kept []Kept
	for word := range strings.SplitSeq(line, " ") {
		if version, arch, ok := strings.Cut(word, "/"); ok {
			kept = append(kept, Kept{Version: version, Arch: arch})
		}
	}
	return kept
}

// findLine bisects sorted lines for the one whose first word is key, and
// gives the rest of it.
func findLine(lines []byte, key string) (rest string, ok bool) {
	for len(lines) > 0 {
		start := bytes.LastIndexByte(lines[:len(lines)/2], '\n') + 1
		line := lines[start:]
		end := bytes.IndexByte(line, '\n')
		if end < 0 {
			end = len(line)
		}
		first, others, _ := strings.Cut(string(line[:end]), " ")
		switch strings.Compare(key, first) {
		case 0:
			return others, true
		case -1:
			lines = lines[:start]
		default:
			lines = line[min(end+1, len(line)):]
		}
	}
	return "", false
}
