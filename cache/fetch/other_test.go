package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestConditional(t *testing.T) {
	one, two := noise(3000), noise(4000)[1:]
	s := serve(t, one)
	dest := filepath.Join(t.TempDir(), "core.db")
	req := Request{URLs: []string{s.URL + "/core.db"}, Dest: dest}
	get := func(maxAge time.Duration) Result {
		t.Helper()
		res, err := client().Conditional(context.Background(), req, maxAge)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	if _, ok := Stored(dest); ok {
		t.Error("stored before it was fetched")
	}
	if res := get(time.Hour); !res.Changed || !res.Modified.Equal(time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)) || time.Since(res.Checked) > time.Minute {
		t.Errorf("%+v", res)
	}
	if res := get(time.Hour); res.Changed || res.Size != 3000 {
		t.Errorf("%+v", res)
	}
	if n := len(s.requests()); n != 1 {
		t.Errorf("asked %d times within an hour", n)
	}
	if res := get(0); res.Changed || res.Modified.IsZero() {
		t.Errorf("%+v", res)
	}
	asked := s.requests()[1].Header
	if asked.Get("If-None-Match") != `"one"` || asked.Get("If-Modified-Since") == "" {
		t.Errorf("asked %v", asked)
	}
	s.set(two, `"two"`)
	if res := get(0); !res.Changed {
		t.Errorf("%+v", res)
	}
	wantFile(t, dest, two)
	if res, ok := Stored(dest); !ok || res.Size != int64(len(two)) || res.URL != req.URLs[0] {
		t.Errorf("%+v", res)
	}
	// Somebody else's bytes: what is known of ours says nothing about them.
	if err := os.WriteFile(dest, one, 0o644); err != nil {
		t.Fatal(err)
	}
	if res := get(time.Hour); !res.Changed {
		t.Errorf("%+v", res)
	}
	wantFile(t, dest, two)
	// Another mirror has copied the date with the file, but knows nothing of the ETag.
	other := serve(t, two)
	other.set(two, `"other"`)
	req.URLs = []string{other.URL + "/core.db"}
	if res := get(time.Hour); res.Changed || res.URL != req.URLs[0] {
		t.Errorf("%+v", res)
	}
	if asked := other.requests()[0].Header; asked.Get("If-None-Match") != "" {
		t.Errorf("asked %v", asked)
	}
	if get(time.Hour); len(other.requests()) != 1 {
		t.Error("the new mirror's answer does not count")
	}
	if err := Remove(dest); err != nil {
		t.Fatal(err)
	}
	wantNothing(t, filepath.Dir(dest))
}

func TestConditionalResumesOnlyTheSameFile(t *testing.T) {
	data := noise(300_000)
	s := serve(t, data, drop(100_000))
	dest := filepath.Join(t.TempDir(), "f")
	if _, err := client().Conditional(context.Background(), Request{URLs: []string{s.URL + "/f"}, Dest: dest}, 0); err != nil {
		t.Fatal(err)
	}
	wantFile(t, dest, data)
	if got := s.requests()[1].Header.Get("If-Range"); got != `"one"` {
		t.Errorf("If-Range %q", got)
	}
}

func TestConditionalAsksOnceForMany(t *testing.T) {
	s := serve(t, noise(100_000), drop(10_000))
	dest := filepath.Join(t.TempDir(), "f")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := client().Conditional(context.Background(), Request{URLs: []string{s.URL + "/f"}, Dest: dest}, time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(s.requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestConditionalOfAFileHere(t *testing.T) {
	dir := t.TempDir()
	src := dir + "/m/core.db"
	os.Mkdir(dir+"/m", 0o755)
	if err := os.WriteFile(src, []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	req := Request{URLs: []string{"file://" + src}, Dest: dir + "/c/core.db"}
	for i, want := range []bool{true, false} {
		res, err := client().Conditional(context.Background(), req, 0)
		if err != nil || res.Changed != want || res.Modified.IsZero() {
			t.Errorf("%d: %+v, %v", i, res, err)
		}
	}
	if err := os.WriteFile(src, []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	if res, err := client().Conditional(context.Background(), req, 0); err != nil || !res.Changed {
		t.Errorf("%+v, %v", res, err)
	}
	wantFile(t, dir+"/c/core.db", []byte("two"))
}

func TestGetOfAFileHere(t *testing.T) {
	data, dir := noise(300_000), t.TempDir()
	src := filepath.Join(dir, "a:2+3.pkg")
	if err := os.WriteFile(src, data, 0o644); err != nil {
		t.Fatal(err)
	}
	before := statOf(t, src)
	for i, url := range []string{src, "file://" + src, Join("file://"+dir, "a:2+3.pkg"), "file://localhost" + src} {
		dest := filepath.Join(dir, "cache", fmt.Sprint(i), "f")
		res, err := client().Get(context.Background(), Request{URLs: []string{url}, Dest: dest, SHA256: sumOf(data), Size: int64(len(data))})
		if err != nil || !res.Changed {
			t.Fatal(res, err)
		}
		wantFile(t, dest, data)
	}
	// Whatever goes wrong with the copy must not touch the source.
	_, err := client().Get(context.Background(), Request{URLs: []string{src}, Dest: dir + "/cache/bad/f", SHA256: strings.Repeat("0", 64)})
	wantWords(t, err, "sha256 "+sumOf(data))
	wantNothing(t, dir+"/cache/bad")
	_, err = client().Get(context.Background(), Request{URLs: []string{src}, Dest: dir + "/cache/bad/f", SHA256: sumOf(data), Size: 5})
	wantWords(t, err, "5 bytes", "300000 bytes")
	if got, err := os.ReadFile(src); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the source has changed: %v", err)
	}
	if after := statOf(t, src); after.Nlink != before.Nlink || after.Ctim != before.Ctim {
		t.Errorf("the source shows that it was read: %+v, then %+v", before, after)
	}
}

func statOf(t *testing.T, path string) (st syscall.Stat_t) {
	t.Helper()
	if err := syscall.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st
}

func TestAPipeIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(dir+"/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := client().Get(context.Background(), Request{URLs: []string{dir + "/pipe"}, Dest: dir + "/c/f"})
	wantWords(t, err, "not a file")
}

func TestRange(t *testing.T) {
	data := noise(10_000)
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		off, n int64
		want   []byte
	}{{0, 100, data[:100]}, {9990, 100, data[9990:]}, {0, 10_000, data}, {0, 20_000, data}, {10_000, 5, nil}, {20_000, 5, nil}} {
		plainServer := serve(t, data, func(s *server, w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", fmt.Sprint(len(s.body))) // as one that knows no ranges
			w.Write(s.body)
			return true
		})
		for _, url := range []string{serve(t, data).URL + "/f", serve(t, data, status(500)).URL + "/f", plainServer.URL + "/f", file, "file://" + file} {
			got, info, err := client().Range(context.Background(), test.off, test.n, url)
			if err != nil || !bytes.Equal(got, test.want) {
				t.Errorf("%d+%d of %s: %d bytes, %v", test.off, test.n, url, len(got), err)
			}
			if info.Size != 10_000 {
				t.Errorf("%s: size %d", url, info.Size)
			}
		}
	}
	_, _, err := client().Range(context.Background(), 5, 5, serve(t, data, repeat(9, body(206, data[:5], "Content-Range", "bytes 0-4/10000"))...).URL+"/f")
	wantWords(t, err, "another range")
}

func TestHeadAndBytes(t *testing.T) {
	data := noise(1000)
	s := serve(t, data, status(503))
	info, err := client().Head(context.Background(), s.URL+"/f")
	if err != nil || info.Size != 1000 || info.Modified.Year() != 2024 {
		t.Errorf("%+v, %v", info, err)
	}
	for _, missing := range []string{serve(t, nil, status(404)).URL + "/f", t.TempDir() + "/f"} {
		if _, err := client().Head(context.Background(), missing); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", missing, err)
		}
	}
	got, _, err := client().Bytes(context.Background(), 1000, s.URL+"/f")
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	_, _, err = client().Bytes(context.Background(), 999, s.URL+"/f")
	wantWords(t, err, "at most 999 bytes")
}

func TestJoin(t *testing.T) {
	for _, test := range []struct {
		base string
		elem []string
		want string
	}{
		{"https://m.example/core/os/x86_64", []string{"a-1:2.0+3-1-any.pkg.tar.zst"}, "https://m.example/core/os/x86_64/a-1%3A2.0%2B3-1-any.pkg.tar.zst"},
		{"https://m.example/", []string{"repos", "2024/01/02", "core.db"}, "https://m.example/repos/2024/01/02/core.db"},
		{"file:///srv/m", []string{"gtk+ é"}, "file:///srv/m/gtk%2B%20%C3%A9"},
		{"/srv/m", []string{"a:b+c", "d"}, "/srv/m/a:b+c/d"},
		{"m", []string{"x"}, "m/x"},
	} {
		if got := Join(test.base, test.elem...); got != test.want {
			t.Errorf("%s %q: %q, want %q", test.base, test.elem, got, test.want)
		}
	}
}

func TestLocalPath(t *testing.T) {
	for raw, want := range map[string]string{
		"/a/b": "/a/b", "a": "a", "file:///a%2Bb:c": "/a+b:c", "file://localhost/a": "/a",
		"file://other/a": "", "http://h/a": "", "": "", "file://": "",
	} {
		if got, ok := LocalPath(raw); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", raw, got, ok, want)
		}
	}
	if got := Show("https://me:secret@h/f"); strings.Contains(got, "secret") {
		t.Errorf("shows %q", got)
	}
}

func FuzzContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 0-4/10", "bytes 5-9/*", "bytes */10", "bytes 9-5/3", "bytes -1-5/6", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		start, total, err := contentRange(value)
		if err == nil && (start < 0 || total < 0 || total > 0 && start >= total) {
			t.Errorf("%q gives %d of %d", value, start, total)
		}
	})
}
