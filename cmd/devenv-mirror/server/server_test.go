package server

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const pkg = "zlib-1:1.3.1+x-2-x86_64.pkg.tar.zst"

// serve starts a server for a small directory.
func serve(t *testing.T, rate int64, fault string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"core/os/x86_64/" + pkg: strings.Repeat("0123456789", 100), "core/os/x86_64/core.db": "db", ".keys/secret": "no",
		"archive/packages/.all/index.0.xz": "index", "core/os/x86_64/a&b <c>": "odd",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "core/out")); err != nil {
		t.Fatal(err)
	}
	var f *Fault
	if fault != "" {
		var err error
		if f, err = ParseFault(fault); err != nil {
			t.Fatal(err)
		}
	}
	h, err := New(dir, rate, f)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func get(t *testing.T, url string, header ...string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func TestFiles(t *testing.T) {
	url := serve(t, 0, "")
	file := url + "/core/os/x86_64/zlib-1%3A1.3.1+x-2-x86_64.pkg.tar.zst"
	resp, body, _ := get(t, file)
	if resp.StatusCode != 200 || len(body) != 1000 || resp.Header.Get("Last-Modified") == "" {
		t.Errorf("%d, %d bytes, %v", resp.StatusCode, len(body), resp.Header)
	}
	etag, modified := resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	for _, c := range []struct {
		header []string
		status int
		body   string
	}{
		{[]string{"Range", "bytes=10-14"}, 206, "01234"},
		{[]string{"Range", "bytes=995-"}, 206, "56789"},
		{[]string{"Range", "bytes=10-14", "If-Range", etag}, 206, "01234"},
		{[]string{"Range", "bytes=10-14", "If-Range", `"other"`}, 200, body},
		{[]string{"Range", "bytes=5000-"}, 416, "invalid range: failed to overlap\n"},
		{[]string{"If-None-Match", etag}, 304, ""},
		{[]string{"If-Modified-Since", modified}, 304, ""},
	} {
		if resp, got, _ := get(t, file, c.header...); resp.StatusCode != c.status || got != c.body {
			t.Errorf("%q: %d, %.40q", c.header, resp.StatusCode, got)
		}
	}
}

func TestWhatIsNotServed(t *testing.T) {
	url := serve(t, 0, "")
	for _, path := range []string{"/none", "/.keys/secret", "/core/out", "/../../etc/passwd", "/core/os/x86_64/core.db/x"} {
		if resp, body, _ := get(t, url+path); resp.StatusCode != 404 {
			t.Errorf("%s: %d %q", path, resp.StatusCode, body)
		}
	}
	if resp, body, _ := get(t, url+"/archive/packages/.all/index.0.xz"); resp.StatusCode != 200 || body != "index" {
		t.Errorf("the archive's index: %d", resp.StatusCode)
	}
	resp, err := http.Post(url+"/core/", "text/plain", nil)
	if err != nil || resp.StatusCode != 405 {
		t.Errorf("POST: %v, %v", resp, err)
	}
}

// The page must be what clients of Arch's archive know how to read.
func TestIndexLooksLikeNginx(t *testing.T) {
	url := serve(t, 0, "")
	if resp, _, _ := get(t, url+"/core/os"); resp.StatusCode != 301 || resp.Header.Get("Location") != "/core/os/" {
		t.Errorf("no redirection: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	_, body, _ := get(t, url+"/core/os/x86_64/")
	for _, want := range []string{
		"<h1>Index of /core/os/x86_64/</h1><hr><pre><a href=\"../\">../</a>\r\n",
		`<a href="zlib-1%3A1.3.1+x-2-x86_64.pkg.tar.zst">zlib-1:1.3.1+x-2-x86_64.pkg.tar.zst</a>`,
		`<a href="a&b%20%3Cc%3E">a&amp;b &lt;c&gt;</a>`,
		"                1000\r\n",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in\n%s", want, body)
		}
	}
	if _, body, _ = get(t, url+"/"); strings.Contains(body, ".keys") || !strings.Contains(body, `<a href="core/">core/</a>`) {
		t.Errorf("top:\n%s", body)
	}
	if _, body, _ = get(t, url+"/core/"); strings.Contains(body, "out") {
		t.Errorf("a link that leads out is listed:\n%s", body)
	}
}

func TestFaults(t *testing.T) {
	const file = "/core/os/x86_64/" + pkg
	t.Run("drop", func(t *testing.T) {
		url := serve(t, 0, "drop=300")
		if _, body, err := get(t, url+file); !errors.Is(err, io.ErrUnexpectedEOF) || len(body) != 300 {
			t.Errorf("%d bytes, %v", len(body), err)
		}
		if _, body, err := get(t, url+file, "Range", "bytes=900-"); err != nil || len(body) != 100 {
			t.Errorf("the rest: %d bytes, %v", len(body), err)
		}
	})
	t.Run("truncate", func(t *testing.T) {
		url := serve(t, 0, "truncate:*.zst")
		if _, body, err := get(t, url+file); err != nil || len(body) != 500 {
			t.Errorf("%d bytes, %v", len(body), err)
		}
		if _, body, err := get(t, url+"/core/os/x86_64/core.db"); err != nil || body != "db" {
			t.Errorf("core.db: %q, %v", body, err)
		}
	})
	t.Run("500", func(t *testing.T) {
		url := serve(t, 0, "500=2")
		for i, want := range []int{200, 500, 200, 500} {
			if resp, _, _ := get(t, url+file); resp.StatusCode != want {
				t.Errorf("request %d: %d, want %d", i+1, resp.StatusCode, want)
			}
		}
	})
	for _, bad := range []string{"", "none", "drop=x", "drop=0", "500=-1", "drop=5:["} {
		if _, err := ParseFault(bad); err == nil {
			t.Errorf("fault %q was taken", bad)
		}
	}
}

func TestRate(t *testing.T) {
	url := serve(t, 5000, "")
	start := time.Now()
	if _, body, err := get(t, url+"/core/os/x86_64/"+pkg); err != nil || len(body) != 1000 {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	if took := time.Since(start); took < 180*time.Millisecond {
		t.Errorf("1000 bytes at 5000 a second took %s", took)
	}
}
