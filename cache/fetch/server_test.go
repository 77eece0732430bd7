package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is a mirror of one file, under any path, whose answers go wrong one
// after the other as its faults say; then it behaves.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	body   []byte
	etag   string
	date   time.Time
	faults []fault
	asked  []*http.Request
}

// fault answers one request wrongly, or reports that it leaves it alone.
type fault func(s *server, w http.ResponseWriter, r *http.Request) (done bool)

func serve(t *testing.T, body []byte, faults ...fault) *server {
	t.Helper()
	s := &server{body: body, etag: `"one"`, date: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), faults: faults}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r)
	var f fault
	if len(s.faults) > 0 {
		f, s.faults = s.faults[0], s.faults[1:]
	}
	body, etag, date := s.body, s.etag, s.date
	s.mu.Unlock()
	if f != nil && f(s, w, r) {
		return
	}
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", date, bytes.NewReader(body))
}

func (s *server) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*http.Request(nil), s.asked...)
}

func (s *server) set(body []byte, etag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body, s.etag, s.date = body, etag, s.date.Add(time.Hour)
}

// The faults.

func status(code int, header ...string) fault {
	return func(_ *server, w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		return true
	}
}

// drop breaks the connection after n bytes of what was asked for.
func drop(n int) fault {
	return func(s *server, w http.ResponseWriter, r *http.Request) bool {
		var start int
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &start)
		w.Header().Set("ETag", s.etag)
		w.Header().Set("Content-Length", fmt.Sprint(len(s.body)-start))
		if start > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(s.body)-1, len(s.body)))
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Write(s.body[start:min(start+n, len(s.body))])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// early ends the answer after n bytes as though that were all, as servers
// without Content-Length do.
func early(n int) fault {
	return func(s *server, w http.ResponseWriter, _ *http.Request) bool {
		hijacked, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return false
		}
		fmt.Fprintf(buf, "HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n%s", s.body[:n])
		buf.Flush()
		hijacked.Close()
		return true
	}
}

func body(code int, text []byte, header ...string) fault {
	return func(_ *server, w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		w.Write(text)
		return true
	}
}

// stallAfter sends n bytes and then nothing, until the client leaves.
func stallAfter(n int) fault {
	return func(s *server, w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Length", fmt.Sprint(len(s.body)))
		w.Write(s.body[:n])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}
}

func repeat(n int, f fault) []fault {
	faults := make([]fault, n)
	for i := range faults {
		faults[i] = f
	}
	return faults
}

// Material.

func noise(n int) []byte {
	src := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	src.Read(b)
	return b
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func client() *Client {
	return New(Options{Backoff: time.Millisecond, Stall: 250 * time.Millisecond, Connect: time.Second})
}

func wantFile(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes that are not the %d wanted", path, len(got), len(want))
	}
	wantOnly(t, path)
}

// wantOnly checks that nothing half made is beside path.
func wantOnly(t *testing.T, path string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := f.Name(); name != filepath.Base(path) && name != filepath.Base(path)+".meta" {
			t.Errorf("%s was left", name)
		}
	}
}

func wantNothing(t *testing.T, dir string) {
	t.Helper()
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		t.Errorf("%s was left", f.Name())
	}
}

func wantWords(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}
