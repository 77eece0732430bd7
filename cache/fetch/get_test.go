package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const pkgName = "a-1%3A2.0%2B3-1-x86_64.pkg.tar.zst"

// Every fault that a server may have ends in the right file, by the number of
// requests that it should take.
func TestGetSurvives(t *testing.T) {
	data := noise(700_000)
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	zw.Write(data)
	zw.Close()
	tests := map[string]struct {
		faults   []fault
		requests int
		unsized  bool // the request knows no size
	}{
		"nothing":                             {nil, 1, false},
		"a connection that drops":             {[]fault{drop(100_000)}, 2, false},
		"one that drops again and again":      {repeat(12, drop(50_000)), 13, false},
		"an answer that ends early":           {[]fault{early(1000)}, 2, false},
		"a server error":                      {repeat(3, status(500)), 4, false},
		"one that says when to come again":    {[]fault{status(429, "Retry-After", "1")}, 2, false},
		"a gateway error between drops":       {[]fault{drop(10_000), status(502), drop(10_000), status(503)}, 5, false},
		"a wrong range":                       {[]fault{drop(10_000), body(206, data[5:], "Content-Range", "bytes 5-699999/700000")}, 3, false},
		"a range that is none":                {[]fault{drop(10_000), body(206, data, "Content-Range", "bites")}, 3, false},
		"a range refused":                     {[]fault{drop(10_000), status(416)}, 3, false},
		"a server that ignores ranges":        {[]fault{drop(10_000), body(200, data)}, 2, false},
		"a compressed answer":                 {[]fault{body(200, zipped.Bytes(), "Content-Encoding", "gzip")}, 1, false},
		"a compressed answer, size not known": {[]fault{body(200, zipped.Bytes(), "Content-Encoding", "gzip")}, 1, true},
		"a false label of compression":        {[]fault{body(200, data, "Content-Encoding", "gzip")}, 1, false},
		"a stall":                             {[]fault{stallAfter(1000)}, 2, false},
		"a body that is too long":             {[]fault{drop(1000), body(206, append(data[1000:len(data):len(data)], "more"...), "Content-Range", "bytes 1000-699999/*")}, 0, false},
		"other bytes after a drop":            {[]fault{drop(100_000), body(206, noise(600_000), "Content-Range", "bytes 100000-699999/700000")}, 3, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, data, test.faults...)
			backup := serve(t, data)
			dest := filepath.Join(t.TempDir(), "new", "a.pkg.tar.zst")
			req := Request{URLs: []string{s.URL + "/" + pkgName, backup.URL + "/" + pkgName}, Dest: dest, SHA256: sumOf(data), Size: int64(len(data))}
			if test.unsized {
				req.Size = 0
			}
			res, err := client().Get(context.Background(), req)
			if err != nil {
				t.Fatal(err)
			}
			wantFile(t, dest, data)
			if !res.Changed || res.SHA256 != sumOf(data) || res.Size != int64(len(data)) {
				t.Errorf("%+v", res)
			}
			if n := len(s.requests()); test.requests > 0 && n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
			if n := len(backup.requests()); n > 0 && test.requests > 0 {
				t.Errorf("the second mirror was asked")
			}
		})
	}
}

func TestGetResumesWhereItStopped(t *testing.T) {
	data := noise(300_000)
	s := serve(t, data, drop(100_000))
	dest := filepath.Join(t.TempDir(), "f")
	if _, err := client().Get(context.Background(), Request{URLs: []string{s.URL + "/f"}, Dest: dest}); err != nil {
		t.Fatal(err)
	}
	wantFile(t, dest, data)
	second := s.requests()[1].Header
	if second.Get("Range") != "bytes=100000-" || second.Get("If-Range") != `"one"` {
		t.Errorf("asked %v", second)
	}
}

// Without a hash, only the server's validators vouch for the bytes that are there.
func TestGetStartsOverWhenTheFileChanged(t *testing.T) {
	old, data := noise(300_000), bytes.Repeat([]byte("new"), 100_000)
	s := serve(t, old)
	s.faults = []fault{func(s *server, w http.ResponseWriter, r *http.Request) bool {
		defer s.set(data, `"two"`)
		return drop(100_000)(s, w, r)
	}}
	dest := filepath.Join(t.TempDir(), "f")
	if _, err := client().Get(context.Background(), Request{URLs: []string{s.URL + "/f"}, Dest: dest}); err != nil {
		t.Fatal(err)
	}
	wantFile(t, dest, data)
}

func TestGetGoesOnWithAnotherMirrorAndProcess(t *testing.T) {
	data := noise(400_000)
	first := serve(t, data, drop(150_000))
	dest := filepath.Join(t.TempDir(), "f")
	req := Request{URLs: []string{first.URL + "/f"}, Dest: dest, SHA256: sumOf(data)}
	c := New(Options{Attempts: 1, Backoff: time.Millisecond})
	first.faults = append(first.faults, repeat(9, status(500))...)
	if _, err := c.Get(context.Background(), req); err == nil {
		t.Fatal("no error")
	}
	second := serve(t, data)
	req.URLs = []string{second.URL + "/f"}
	if _, err := client().Get(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	wantFile(t, dest, data)
	if got := second.requests()[0].Header.Get("Range"); got != "bytes=150000-" {
		t.Errorf("asked for %q", got)
	}
}

func TestGetDoesNotTrustADamagedBeginning(t *testing.T) {
	data := noise(200_000)
	for name, part := range map[string][]byte{
		"garbage":       noise(77),
		"too long":      append(noise(200_000), "x"...),
		"as long":       make([]byte, 200_000),
		"half zeroed":   append(bytes.Clone(data[:50_000]), make([]byte, 50_000)...),
		"whole already": data,
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, data)
			dest := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(dest+".part", part, 0o644); err != nil {
				t.Fatal(err)
			}
			req := Request{URLs: []string{s.URL + "/f"}, Dest: dest, SHA256: sumOf(data), Size: int64(len(data))}
			if _, err := client().Get(context.Background(), req); err != nil {
				t.Fatal(err)
			}
			wantFile(t, dest, data)
			if name == "whole already" && len(s.requests()) > 0 {
				t.Error("asked for what was there")
			}
		})
	}
}

func TestGetTakesTheNextMirror(t *testing.T) {
	data, dest := noise(5000), filepath.Join(t.TempDir(), "f")
	good := serve(t, data)
	gone, wrong, long := serve(t, nil), serve(t, noise(5000)[1:]), serve(t, append(bytes.Clone(data), 'x'))
	gone.faults = []fault{status(404)}
	wrong.body = append(wrong.body, 0)
	slow := serve(t, data, repeat(9, stallAfter(0))...)
	dead := serve(t, data)
	dead.Close()
	var urls []string
	for _, s := range []*server{gone, wrong, long, slow, dead, good} {
		urls = append(urls, s.URL+"/f")
	}
	c := client()
	var events []Event
	res, err := c.Get(context.Background(), Request{
		URLs: urls, Dest: dest, SHA256: sumOf(data), Size: int64(len(data)),
		Progress: func(e Event) { events = append(events, e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, dest, data)
	if res.URL != good.URL+"/f" {
		t.Errorf("came from %s", res.URL)
	}
	if n := len(wrong.requests()); n != 1 {
		t.Errorf("a mirror with a wrong file was asked %d times", n)
	}
	last := events[len(events)-1]
	if last.State != Finished || last.Done != 5000 || last.Name != "f" {
		t.Errorf("last event %+v", last)
	}
	// What was dead is asked last from now on.
	before := len(slow.requests())
	if _, err := c.Get(context.Background(), Request{URLs: urls[3:], Dest: dest + "2", SHA256: sumOf(data)}); err != nil {
		t.Fatal(err)
	}
	if len(slow.requests()) != before {
		t.Error("the stalling mirror was asked again")
	}
}

func TestGetKeepsNothingThatIsWrong(t *testing.T) {
	data := noise(5000)
	s := serve(t, data)
	dir := t.TempDir()
	want := strings.Repeat("0", 64)
	_, err := client().Get(context.Background(), Request{URLs: []string{s.URL + "/f"}, Dest: dir + "/f", SHA256: want})
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || corrupt.Want != "sha256 "+want || corrupt.Got != "sha256 "+sumOf(data) || corrupt.URL != s.URL+"/f" {
		t.Errorf("%+v, %v", corrupt, err)
	}
	wantNothing(t, dir)
	_, err = client().Get(context.Background(), Request{URLs: []string{s.URL + "/f"}, Dest: dir + "/f", MaxSize: 4999})
	wantWords(t, err, "at most 4999 bytes", s.URL)
	wantNothing(t, dir)
	chunked := serve(t, data, early(5000))
	_, err = client().Get(context.Background(), Request{URLs: []string{chunked.URL + "/f"}, Dest: dir + "/f", MaxSize: 4999})
	wantWords(t, err, "at most 4999 bytes")
	wantNothing(t, dir)
}

func TestGetReplacesWhatIsDamaged(t *testing.T) {
	data, dest := noise(5000), filepath.Join(t.TempDir(), "f")
	s := serve(t, data)
	req := Request{URLs: []string{s.URL + "/f"}, Dest: dest, SHA256: sumOf(data)}
	for range 2 {
		if _, err := client().Get(context.Background(), req); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.requests()); n != 1 {
		t.Errorf("%d requests for what was there", n)
	}
	if err := os.WriteFile(dest, data[1:], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := client().Get(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	wantFile(t, dest, data)
}

func TestGetSaysWhatIsWrong(t *testing.T) {
	missing := serve(t, nil, repeat(9, status(404))...)
	teapot := serve(t, nil, repeat(9, status(418))...)
	broken := serve(t, nil, repeat(9, status(500))...)
	dir := t.TempDir()
	get := func(urls ...string) error {
		_, err := client().Get(context.Background(), Request{URLs: urls, Dest: dir + "/f"})
		wantNothing(t, dir)
		return err
	}
	err := get(missing.URL+"/f", missing.URL+"/g")
	wantWords(t, err, "no mirror has f", missing.URL+"/g")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("not fs.ErrNotExist")
	}
	err = get(missing.URL+"/f", teapot.URL+"/f", broken.URL+"/f")
	wantWords(t, err, "cannot get f from any of 3 mirrors", "not there", "418", "500", "[mirrors]")
	if errors.Is(err, fs.ErrNotExist) || !errors.As(err, new(*UnreachableError)) || !errors.As(err, new(*StatusError)) {
		t.Errorf("%#v", err)
	}
	if n := len(teapot.requests()); n != 1 {
		t.Errorf("418 was asked %d times", n)
	}
	wantWords(t, get("http://user:secret@127.0.0.1:1/f"), "127.0.0.1:1", "refused")
	if err := get("http://user:secret@127.0.0.1:1/f"); strings.Contains(err.Error(), "secret") {
		t.Errorf("shows the password: %v", err)
	}
	wantWords(t, get("ftp://x/f"), "only http, https")
	wantWords(t, get("http://%zz/f"), "bad URL")
	wantWords(t, get(), "no server is known")
	wantWords(t, get(dir+"/nowhere/f"), dir+"/nowhere/f", "does not exist")
	wantWords(t, get(dir), "is not a file")
}

func TestALoginPageIsNoFile(t *testing.T) {
	page := body(200, []byte("\n<!DOCTYPE html><title>Welcome to our hotel</title>"), "Content-Type", "text/html; charset=utf-8")
	s := serve(t, nil, page, page)
	dir := t.TempDir()
	_, err := client().Get(context.Background(), Request{URLs: []string{s.URL + "/core.db"}, Dest: dir + "/f"})
	wantWords(t, err, "web page", "login")
	_, err = client().Conditional(context.Background(), Request{URLs: []string{s.URL + "/core.db"}, Dest: dir + "/f"}, 0)
	wantWords(t, err, "web page")
	wantNothing(t, dir)
}

// A database that is itself a gzip file comes as it is, whether the server
// calls that its encoding or compresses it once more.
func TestCompressionOfDatabases(t *testing.T) {
	var once, twice bytes.Buffer
	for _, z := range []struct {
		to   *bytes.Buffer
		from []byte
	}{{&once, bytes.Repeat([]byte("tar"), 1000)}, {&twice, nil}} {
		zw := gzip.NewWriter(z.to)
		if z.from == nil {
			z.from = once.Bytes()
		}
		zw.Write(z.from)
		zw.Close()
	}
	for name, sent := range map[string][]byte{"labelled": once.Bytes(), "compressed": twice.Bytes()} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, nil, body(200, sent, "Content-Encoding", "gzip"))
			dest := filepath.Join(t.TempDir(), "core.db")
			if _, err := client().Get(context.Background(), Request{URLs: []string{s.URL + "/core.db"}, Dest: dest}); err != nil {
				t.Fatal(err)
			}
			wantFile(t, dest, once.Bytes())
		})
	}
	s := serve(t, nil, body(200, []byte("x"), "Content-Encoding", "br"))
	_, err := client().Get(context.Background(), Request{URLs: []string{s.URL + "/core.db"}, Dest: t.TempDir() + "/f"})
	wantWords(t, err, "br", "asked not to")
}

func TestRedirectsKeepTheRange(t *testing.T) {
	data := noise(200_000)
	s := serve(t, data, drop(100_000))
	front := http.NewServeMux()
	front.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.URL+r.URL.EscapedPath(), http.StatusFound)
	})
	f := serve(t, nil)
	f.Config.Handler = front
	dest := filepath.Join(t.TempDir(), "f")
	req := Request{URLs: []string{f.URL + "/" + pkgName}, Dest: dest, SHA256: sumOf(data)}
	if _, err := client().Get(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	wantFile(t, dest, data)
	asked := s.requests()
	if got := asked[1].Header.Get("Range"); got != "bytes=100000-" {
		t.Errorf("asked for %q", got)
	}
	if got := asked[0].URL.EscapedPath(); got != "/"+pkgName {
		t.Errorf("asked for the path %q", got)
	}
}

func TestGetEndsWithItsContext(t *testing.T) {
	data := noise(300_000)
	s := serve(t, data, stallAfter(100_000))
	dest := filepath.Join(t.TempDir(), "f")
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("the user pressed ^C")
	req := Request{URLs: []string{s.URL + "/f"}, Dest: dest, SHA256: sumOf(data), Progress: func(e Event) {
		if e.State == Receiving {
			cancel(why)
		}
	}}
	if _, err := New(Options{}).Get(ctx, req); !errors.Is(err, context.Canceled) && !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(dest + ".part"); err != nil {
		t.Errorf("nothing to go on with: %v", err)
	}
	req.Progress = nil
	if _, err := client().Get(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	wantFile(t, dest, data)
}
