package mirror

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"devenv/cache"
	"devenv/cache/fetch"
)

// smallXZ does without the default's large dictionary.
var smallXZ = xz.WriterConfig{DictCap: 1 << 16}

// site is a mirror and its archive: a directory laid out as Arch's are, and a
// server that lists directories as nginx does.
type site struct {
	t    *testing.T
	dir  string
	http *httptest.Server

	mu    sync.Mutex
	asked []string // METHOD PATH RANGE
	deny  map[string]int
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), deny: make(map[string]int)}
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	return s
}

// places are the three ways to name a site.
func (s *site) places() map[string]string {
	return map[string]string{"directory": s.dir, "file URL": "file://" + s.dir, "http": s.http.URL}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URL.EscapedPath()+" "+r.Header.Get("Range")))
	code := s.deny[r.URL.Path]
	s.mu.Unlock()
	if code != 0 {
		w.WriteHeader(code)
		return
	}
	file := filepath.Join(s.dir, r.URL.Path)
	info, err := os.Stat(file)
	switch {
	case err != nil:
		w.WriteHeader(http.StatusNotFound)
	case !info.IsDir():
		http.ServeFile(w, r, file)
	case !strings.HasSuffix(r.URL.Path, "/"):
		http.Redirect(w, r, r.URL.EscapedPath()+"/", http.StatusMovedPermanently)
	default:
		w.Header().Set("Content-Type", "text/html")
		autoindex(w, r.URL.Path, file)
	}
}

// autoindex writes what nginx does: hidden files left out, names escaped in links
// and cut short in the text.
func autoindex(w io.Writer, title, dir string) {
	fmt.Fprintf(w, "<html>\r\n<head><title>Index of %s</title></head>\r\n<body>\r\n<h1>Index of %[1]s</h1><hr><pre><a href=\"../\">../</a>\r\n", title)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		info, err := os.Stat(filepath.Join(dir, e.Name()))
		if err != nil || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		name, size := e.Name(), fmt.Sprint(info.Size())
		if info.IsDir() {
			name, size = name+"/", "-"
		}
		shown := name
		if len(shown) > 50 {
			shown = shown[:47] + "..&gt;"
		}
		href := strings.NewReplacer("+", "%2B", ":", "%3A").Replace((&url.URL{Path: name}).EscapedPath())
		fmt.Fprintf(w, "<a href=\"%s\">%s</a>%*s %s %19s\r\n", href, shown, max(0, 51-len(shown)), "", info.ModTime().UTC().Format("02-Jan-2006 15:04"), size)
	}
	io.WriteString(w, "</pre><hr></body>\r\n</html>\r\n")
}

// took gives the requests since the last call.
func (s *site) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

func (s *site) forbid(path string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deny[path] = code
}

func (s *site) write(file string, data []byte) {
	s.t.Helper()
	file = filepath.Join(s.dir, file)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// pkg is a package to be put somewhere.
type pkg struct {
	name, version, arch string
	suffix              string // ".pkg.tar.zst" if empty
	built               time.Time
	padding             int // bytes of .MTREE before .PKGINFO
	claims              string
}

func (p pkg) filename() string {
	arch, suffix := p.arch, p.suffix
	if arch == "" {
		arch = "x86_64"
	}
	if suffix == "" {
		suffix = ".pkg.tar.zst"
	}
	return p.name + "-" + p.version + "-" + arch + suffix
}

// file is the package file itself.
func (p pkg) file(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	var packed io.WriteCloser
	var err error
	switch {
	case strings.HasSuffix(p.suffix, ".xz"):
		packed, err = smallXZ.NewWriter(&out)
	case strings.HasSuffix(p.suffix, ".gz"):
		packed = gzip.NewWriter(&out)
	default:
		packed, err = zstd.NewWriter(&out)
	}
	if err != nil {
		t.Fatal(err)
	}
	tw := tar.NewWriter(packed)
	add := func(name string, data []byte) {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	noise := make([]byte, 150_000)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	add(".BUILDINFO", fmt.Appendf(nil, "format = 2\npkgname = %s\npkgver = %s\ninstalled = glibc-2.38-1-x86_64\n", p.name, p.version))
	if p.padding > 0 {
		add(".MTREE", bytes.Repeat(noise, p.padding/len(noise)+1))
	}
	name := p.name
	if p.claims != "" {
		name = p.claims
	}
	arch := p.arch
	if arch == "" {
		arch = "x86_64"
	}
	add(".PKGINFO", fmt.Appendf(nil, "pkgname = %s\npkgver = %s\narch = %s\nbuilddate = %d\ndepend = glibc\n", name, p.version, arch, p.built.Unix()))
	add("usr/bin/"+p.name, bytes.Repeat([]byte("program"), 20_000))
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// publish puts a package file into the archive and gives it.
func (s *site) publish(p pkg) []byte {
	s.t.Helper()
	data := p.file(s.t)
	s.write(path.Join("archive/packages", p.name[:1], p.name, p.filename()), data)
	s.write(path.Join("archive/packages", p.name[:1], p.name, p.filename()+".sig"), []byte("signature of "+p.filename()))
	return data
}

// database is a sync database of packages.
func dbOf(t *testing.T, pkgs ...pkg) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	tw := tar.NewWriter(zw)
	for _, p := range pkgs {
		data := p.file(t)
		sum := sha256.Sum256(data)
		desc := fmt.Appendf(nil, "%%FILENAME%%\n%s\n\n%%NAME%%\n%s\n\n%%VERSION%%\n%s\n\n%%CSIZE%%\n%d\n\n%%SHA256SUM%%\n%s\n\n%%ARCH%%\nx86_64\n\n",
			p.filename(), p.name, p.version, len(data), hex.EncodeToString(sum[:]))
		if err := tw.WriteHeader(&tar.Header{Name: p.name + "-" + p.version + "/desc", Mode: 0o644, Size: int64(len(desc))}); err != nil {
			t.Fatal(err)
		}
		tw.Write(desc)
	}
	tw.Close()
	zw.Close()
	return out.Bytes()
}

// today puts a repository on the mirror, on a day one into the archive.
func (s *site) today(repo string, pkgs ...pkg) {
	s.t.Helper()
	s.write(path.Join(repo, "os/x86_64", repo+".db"), dbOf(s.t, pkgs...))
}

func (s *site) day(day, repo string, pkgs ...pkg) {
	s.t.Helper()
	s.write(path.Join("archive/repos", strings.ReplaceAll(day, "-", "/"), repo, "os/x86_64", repo+".db"), dbOf(s.t, pkgs...))
}

func (s *site) index(lines ...string) {
	s.t.Helper()
	var out bytes.Buffer
	w, err := smallXZ.NewWriter(&out)
	if err != nil {
		s.t.Fatal(err)
	}
	io.WriteString(w, strings.Join(lines, "\n")+"\n")
	w.Close()
	s.write("archive/packages/.all/index.0.xz", out.Bytes())
}

func openCache(t *testing.T) *cache.Cache {
	t.Helper()
	c, err := cache.Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mirrorAt is a mirror of a site by one of its places, as another process would make it.
func mirrorAt(c *cache.Cache, place string, repos ...string) *Mirror {
	return mirrorWith(c, place, fetch.Options{Backoff: time.Millisecond, Attempts: 2}, repos...)
}

func mirrorWith(c *cache.Cache, place string, opt fetch.Options, repos ...string) *Mirror {
	return New(c, fetch.New(opt), Config{
		Servers: []string{place + "/$repo/os/$arch"},
		Archive: place + "/archive",
		Arch:    "x86_64",
		Repos:   repos,
	})
}

func everywhere(t *testing.T, s *site, f func(t *testing.T, place string)) {
	for name, place := range s.places() {
		t.Run(name, func(t *testing.T) { f(t, place) })
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
