package unpack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"golang.org/x/sys/unix"

	"devenv/layers/alpm"
)

const pkgInfo = "pkgname = a\npkgver = 1-1\nbackup = etc/a.conf\nbackup = etc/none\nbackup = etc/link\n"

// archive is made entry by entry.
type archive []tar.Header

var stamp = time.Date(2024, 2, 3, 4, 5, 6, 123456789, time.UTC)

func (a archive) file(name, body string, mode int64) archive {
	return append(a, tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(body)), ModTime: stamp, Uname: body})
}

func (a archive) dir(name string, mode int64) archive {
	return append(a, tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: mode, ModTime: stamp.Add(time.Hour)})
}

func (a archive) link(kind byte, name, target string) archive {
	return append(a, tar.Header{Name: name, Typeflag: kind, Linkname: target, Mode: 0o777, ModTime: stamp.Add(-time.Hour)})
}

func (a archive) global() archive {
	return append(a, tar.Header{Name: "pax_global_header", Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}})
}

func (a archive) bytes(t testing.TB) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range a {
		body := h.Uname // carried there by file
		h.Uname = ""
		h.Format = tar.FormatPAX
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, body)
	}
	w.Close()
	return b.Bytes()
}

func start() archive { return archive{}.file(".PKGINFO", pkgInfo, 0o644) }

func zstded(data []byte) []byte {
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func xzed(data []byte) []byte {
	var b bytes.Buffer
	w, _ := xz.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func unpackTo(dir string, data []byte, opts Options) (*Result, error) {
	return Unpack(context.Background(), bytes.NewReader(data), dir, opts)
}

var big = strings.Repeat("0123456789abcdef", 50_000)

// sample has a bit of everything that real packages have.
func sample() archive {
	return archive{}.
		global().file(".BUILDINFO", "format = 2\npkgname = a\n", 0o644).
		file(".CHANGELOG", "changes", 0o644).
		file(".INSTALL", "post_install() { :; }", 0o644).
		file(".MTREE", "mtree", 0o644).
		file(".PKGINFO", pkgInfo, 0o644).
		file(".NEWFANGLED", "skipped", 0o644).
		dir("etc/", 0o755).file("etc/a.conf", "conf", 0o600).link(tar.TypeSymlink, "etc/link", "a.conf").
		dir("srv/", 0o555).dir("srv/closed/", 0o700).file("srv/closed/f", "f", 0o400).
		dir("tmp/", 0o1777).
		dir("usr/", 0o755).dir("usr/bin/", 0o755).
		file("usr/bin/su", "#!/bin/sh\n", 0o4755).file("usr/bin/wall", "\x7fELF..", 0o2755).
		link(tar.TypeLink, "usr/bin/hard", "usr/bin/su").link(tar.TypeLink, "usr/bin/hard2", "usr/bin/hard").
		link(tar.TypeSymlink, "usr/bin/soft", "/usr/bin/../bin/su").
		link(tar.TypeSymlink, "usr/bin/dangling", "../../../../etc/passwd").
		file("usr/lib/implied/A::B c.pm", "perl", 0o644).
		file("usr/empty", "", 0o644).file("usr/big", "\x7fELF"+big, 0o755).
		dir("usr/lib/", 0o750).
		file("usr/é\xff", "bytes", 0o644)
}

func TestUnpackKeepsWhatPackagesHave(t *testing.T) {
	data := sample().bytes(t)
	for kind, packed := range map[string][]byte{"plain": data, "zstd": zstded(data), "gzip": gzipped(data), "xz": xzed(data)} {
		t.Run(kind, func(t *testing.T) { checkSample(t, packed, false) })
	}
	t.Run("without openat2", func(t *testing.T) { checkSample(t, zstded(data), true) })
}

func checkSample(t *testing.T, packed []byte, walk bool) {
	dir := t.TempDir()
	var mu sync.Mutex
	inspected := make(map[string]string)
	hash := sha256.New()
	tr, err := openTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.close()
	tr.walk = walk
	r, err := unpackInto(context.Background(), tr, io.TeeReader(bytes.NewReader(packed), hash), Options{
		Inspect: func(f File, content io.ReaderAt) {
			b, err := io.ReadAll(io.NewSectionReader(content, 0, f.Size+10))
			mu.Lock()
			defer mu.Unlock()
			inspected[f.Path] = fmt.Sprint(len(b), err, f.Mode)
		},
	})
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "srv"), 0o755) })
	if err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256(packed); !bytes.Equal(hash.Sum(nil), want[:]) {
		t.Error("the package was not read to its end")
	}
	if r.Info.Name != "a" || r.Build.Name != "a" || string(r.Scriptlet) != "post_install() { :; }" || string(r.MTREE) != "mtree" || string(r.Changelog) != "changes" {
		t.Errorf("metadata: %+v", r)
	}
	if want := []alpm.Backup{{Path: "etc/a.conf", MD5: "3a8e4c06e471595f6eb262bb9b5582d9"}, {Path: "etc/none", MD5: noHash}, {Path: "etc/link", MD5: "3a8e4c06e471595f6eb262bb9b5582d9"}}; os.Getuid() == 0 && fmt.Sprint(r.Backup) != fmt.Sprint(want) {
		t.Errorf("backup: %v, want %v", r.Backup, want)
	}
	if want := map[string]string{"usr/bin/su": "10 <nil> 2541", "usr/bin/wall": "6 <nil> 1517", "usr/big": fmt.Sprint(len(big)+4, " <nil> 493")}; fmt.Sprint(inspected) != fmt.Sprint(want) {
		t.Errorf("inspected %v, want %v", inspected, want)
	}
	checkListing(t, dir, r)
	checkTree(t, dir)
}

func checkListing(t *testing.T, dir string, r *Result) {
	var got []string
	for _, f := range r.Files {
		got = append(got, f.Path)
	}
	want := "etc/ etc/a.conf etc/link srv/ srv/closed/ srv/closed/f tmp/ usr/ usr/bin/ usr/bin/su usr/bin/wall usr/bin/hard usr/bin/hard2 " +
		"usr/bin/soft usr/bin/dangling usr/lib/implied/A::B c.pm usr/empty usr/big usr/lib/ usr/é\xff"
	if strings.Join(got, " ") != want {
		t.Errorf("files %q, want %q", got, want)
	}
	if want := int64(4 + 1 + 10 + 6 + 4 + 4 + len(big) + 5); r.Bytes != want {
		t.Errorf("%d bytes, want %d", r.Bytes, want)
	}
	for _, name := range []string{".PKGINFO", ".NEWFANGLED", ".MTREE"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is in the tree", name)
		}
	}
}

func checkTree(t *testing.T, dir string) {
	for name, want := range map[string]string{
		"etc": "drwxr-xr-x", "etc/a.conf": "-rw-------", "srv": "dr-xr-xr-x", "srv/closed": "drwx------", "srv/closed/f": "-r--------",
		"tmp": "dtrwxrwxrwx", "usr/bin/su": "urwxr-xr-x", "usr/bin/wall": "grwxr-xr-x", "usr/bin/hard": "urwxr-xr-x",
		"usr/bin/hard2": "urwxr-xr-x", "usr/bin/soft": "Lrwxrwxrwx", "usr/bin/dangling": "Lrwxrwxrwx", "usr/lib": "drwxr-x---",
		"usr/lib/implied": "drwxr-xr-x", "usr/lib/implied/A::B c.pm": "-rw-r--r--", "usr/empty": "-rw-r--r--", "usr/big": "-rwxr-xr-x",
		"usr/é\xff": "-rw-r--r--",
	} {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Mode().String() != want {
			t.Errorf("%s: mode %v, want %s", name, info.Mode(), want)
		}
		when := stamp
		switch {
		case name == "usr/lib/implied":
			continue
		case info.IsDir():
			when = stamp.Add(time.Hour)
		case info.Mode()&os.ModeSymlink != 0:
			when = stamp.Add(-time.Hour)
		}
		if !info.ModTime().Equal(when) {
			t.Errorf("%s: time %v, want %v", name, info.ModTime(), when)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "usr/bin/su")); err == nil && info.Sys().(*syscall.Stat_t).Nlink != 3 {
		t.Errorf("%d links, want 3", info.Sys().(*syscall.Stat_t).Nlink)
	}
	if to, err := os.Readlink(filepath.Join(dir, "usr/bin/soft")); to != "/usr/bin/../bin/su" {
		t.Errorf("link to %q, %v", to, err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "usr/big")); string(b) != "\x7fELF"+big {
		t.Errorf("big file: %d bytes, %v", len(b), err)
	}
}

// TestUnpackUnprivileged runs the test above as nobody, to whom modes mean
// something.
func TestUnpackUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root: the other tests are unprivileged already")
	}
	dir, err := os.MkdirTemp("", "unpack")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "unpack.test")
	self, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = errors.Join(os.WriteFile(binary, self, 0o755), os.Mkdir(filepath.Join(dir, "tmp"), 0o755),
			os.Chown(filepath.Join(dir, "tmp"), 65534, 65534), os.Chmod(dir, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-test.run=^(TestUnpackKeepsWhatPackagesHave|TestUnpackRefuses|TestUnpackNeedsAWritableDirectory|TestUnpackXattrs)$")
	cmd.Dir = dir
	cmd.Env = []string{"TMPDIR=" + filepath.Join(dir, "tmp")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}

func TestUnpackNoExtract(t *testing.T) {
	data := start().dir("usr/", 0o755).dir("usr/share/", 0o750).dir("usr/share/man/", 0o755).
		file("usr/share/man/a", "a", 0o644).link(tar.TypeLink, "usr/share/man/b", "usr/share/man/a").
		link(tar.TypeSymlink, "usr/share/man/c", "a").file("usr/share/keep/x", "x", 0o644).bytes(t)
	patterns := alpm.Patterns{"usr/share/*", "!usr/share/keep/*"}
	dir := t.TempDir()
	r, err := unpackTo(dir, data, Options{NoExtract: patterns.Match})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Files) != 7 {
		t.Errorf("%d files are listed, want all 7", len(r.Files))
	}
	if _, err := os.Lstat(filepath.Join(dir, "usr/share/man")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("usr/share/man: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "usr/share/keep/x")); err != nil {
		t.Error(err)
	}
	half := start().file("usr/a", "a", 0o644).link(tar.TypeLink, "usr/b", "usr/a").bytes(t)
	_, err = unpackTo(t.TempDir(), half, Options{NoExtract: alpm.Patterns{"usr/a"}.Match})
	if !errors.Is(err, ErrNotExtracted) {
		t.Errorf("link to what is not extracted: %v", err)
	}
}

func TestUnpackXattrs(t *testing.T) {
	a := start().file("usr/a", "a", 0o444).file("usr/b", "b", 0o644)
	a[1].PAXRecords = map[string]string{"SCHILY.xattr.user.devenv": "one", "LIBARCHIVE.xattr.user.devenv": "b25l", "SCHILY.fflags": "extents"}
	a[2].PAXRecords = map[string]string{"LIBARCHIVE.xattr.security.nonsense%20name": "dHdv"}
	dir := t.TempDir()
	r, err := unpackTo(dir, a.bytes(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	value := make([]byte, 10)
	n, err := unix.Getxattr(filepath.Join(dir, "usr/a"), "user.devenv", value)
	switch {
	case err == unix.ENOTSUP || err == unix.ENODATA:
		if len(r.Xattrs) == 0 {
			t.Errorf("user.devenv is not set and not reported")
		}
	case err != nil || string(value[:n]) != "one":
		t.Errorf("user.devenv is %q, %v", value[:max(n, 0)], err)
	}
	found := false
	for _, x := range r.Xattrs {
		found = found || x.Path == "usr/b" && x.Name == "security.nonsense name" && string(x.Value) == "two"
	}
	if os.Getuid() != 0 && !found {
		t.Errorf("what could not be set: %+v", r.Xattrs)
	}
	if info, err := os.Stat(filepath.Join(dir, "usr/a")); err != nil || info.Mode() != 0o444 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestUnpackLeavesHoles(t *testing.T) {
	data := start().file("usr/zeros", strings.Repeat("\x00", 4<<20)+"x", 0o644).file("usr/only", strings.Repeat("\x00", 1<<20), 0o644).bytes(t)
	dir := t.TempDir()
	if _, err := unpackTo(dir, zstded(data), Options{}); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int64{"usr/zeros": 4<<20 + 1, "usr/only": 1 << 20} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Size() != size || info.Sys().(*syscall.Stat_t).Blocks*512 > 1<<19 {
			t.Errorf("%s: %+v, %v", name, info.Sys(), err)
		}
	}
}
