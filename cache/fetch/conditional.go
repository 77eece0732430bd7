package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"devenv/cache"
)

// Conditional brings a file that is published anew under the same name: where
// Dest is there, servers are asked only for something newer (RFC 9110, 13.1), and
// not even that where one was asked less than maxAge ago. What tells
// the versions apart stands beside Dest, in DEST.meta. req.SHA256 must be empty.
func (c *Client) Conditional(ctx context.Context, req Request, maxAge time.Duration) (Result, error) {
	s := loadStored(req.Dest, maxAge)
	if res, ok := s.fresh(req); ok {
		return res, nil
	}
	t := &transfer{c: c, req: req, report: newReporter(req)}
	res, err := t.run(ctx, s)
	if err != nil {
		t.report.send(Event{State: Failed, Err: err})
	}
	return res, err
}

// Stored is what Conditional brought to dest before, without asking anybody.
// ok is false where dest, or what is known of it, is missing.
func Stored(dest string) (res Result, ok bool) {
	s := loadStored(dest, 0)
	if s.meta.From.URL == "" {
		return Result{}, false
	}
	return s.result(), true
}

// stored is what is known of a Dest that may be replaced.
type stored struct {
	dest   string
	maxAge time.Duration
	meta   meta
	from   validators // of what has just been received
}

// meta is the content of DEST.meta.
type meta struct {
	From    validators `json:"from"`
	Checked time.Time  `json:"checked"`
	Local   time.Time  `json:"mtime"` // the source's, where it is a file
	// Size and MTime are Dest's own: where they differ, this file was written and
	// Dest was not, or by somebody else, and what stands here is of another file.
	Size  int64     `json:"size"`
	MTime time.Time `json:"written"`
}

func loadStored(dest string, maxAge time.Duration) *stored {
	s := &stored{dest: dest, maxAge: maxAge}
	text, err := os.ReadFile(s.path())
	if err != nil || json.Unmarshal(text, &s.meta) != nil {
		s.meta = meta{}
		return s
	}
	info, err := os.Stat(dest)
	if err != nil || info.Size() != s.meta.Size || !info.ModTime().Equal(s.meta.MTime) {
		s.meta = meta{}
	}
	return s
}

func (s *stored) path() string { return s.dest + ".meta" }

// fresh reports whether what is there is new enough not to ask. An answer of
// another mirror list does not count.
func (s *stored) fresh(req Request) (Result, bool) {
	age := time.Since(s.meta.Checked)
	if s.maxAge <= 0 || age < 0 || age >= s.maxAge {
		return Result{}, false
	}
	for _, raw := range req.URLs {
		if src, err := parse(raw); err == nil && src.String() == s.meta.From.URL {
			return s.result(), true
		}
	}
	return Result{}, false
}

func (s *stored) result() Result {
	res := Result{URL: s.meta.From.URL, Size: s.meta.Size, Checked: s.meta.Checked, Modified: s.meta.Local}
	if date, err := http.ParseTime(s.meta.From.Modified); err == nil {
		res.Modified = date
	}
	return res
}

// recheck looks again, now that the lock is held.
func (s *stored) recheck(t *transfer) (done bool, err error) {
	s.meta = loadStored(s.dest, s.maxAge).meta
	res, ok := s.fresh(t.req)
	t.res = res
	return ok, nil
}

// ask makes a request conditional. An ETag means something only to the server
// that gave it; a date also to its mirrors, which copy dates with the files.
func (s *stored) ask(src source, header http.Header) {
	if s.meta.From.ETag != "" && s.meta.From.URL == src.String() {
		header.Set("If-None-Match", s.meta.From.ETag)
	}
	if s.meta.From.Modified != "" {
		header.Set("If-Modified-Since", s.meta.From.Modified)
	}
}

// unchanged reports whether a local source is the one we have.
func (s *stored) unchanged(src source, info fs.FileInfo) bool {
	return s.meta.From.URL == src.String() && s.meta.Size == info.Size() && s.meta.Local.Equal(info.ModTime())
}

// save notes what a transfer has found. That happens before the part becomes
// Dest, since with that the lock is gone; a crash in between leaves a note that
// fits no file and so says nothing.
func (s *stored) save(t *transfer) error {
	now := time.Now()
	switch {
	case t.res.Changed:
		info, err := t.part.f.Stat()
		if err != nil {
			return err
		}
		s.meta = meta{From: s.from, Local: t.res.Modified, Size: info.Size(), MTime: info.ModTime()}
	case s.meta.From.URL == "":
		return errors.New("nothing is known of " + s.dest)
	default:
		// Another mirror said "not modified": it is the one to ask from now on.
		s.meta.From.URL = t.res.URL
		url := t.res.URL
		t.res = s.result()
		t.res.URL = url
	}
	s.meta.Checked, t.res.Checked = now, now
	text, err := json.Marshal(s.meta)
	if err != nil {
		return err
	}
	tmp := s.path() + ".new" // we hold the part's lock: nobody else writes it
	if err := os.WriteFile(tmp, text, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", s.path(), cache.Explain(err, tmp, 0))
	}
	return os.Rename(tmp, s.path())
}

// Remove throws away what Get or Conditional brought to dest, and what is known of it.
func Remove(dest string) error {
	for _, path := range []string{dest + ".meta", dest} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
