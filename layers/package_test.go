package layers

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// pkg is a package to be made for a test, in the form that makepkg gives one.
type pkg struct {
	name    string
	version string // 1-1 where empty
	info    string // further lines of .PKGINFO
	build   string // .BUILDINFO
	install string // .INSTALL
	noMTREE bool
	entries []entry
}

// entry is a file of a package; its parent directories are made when missing.
type entry struct {
	path string // a directory's ends in a slash
	mode int64
	body string
	link string // a symbolic link's target
	hard string // a hard link's target
	time int64  // seconds; builtAt where 0
}

const builtAt = 1700000000

func dir(path string, mode int64) entry { return entry{path: path + "/", mode: mode} }
func file(path, body string) entry      { return entry{path: path, mode: 0o644, body: body} }
func exe(path string, mode int64) entry {
	return entry{path: path, mode: mode, body: "#!/bin/sh\n: " + path + "\n"}
}
func symlink(path, target string) entry  { return entry{path: path, link: target} }
func hardLink(path, target string) entry { return entry{path: path, hard: target} }
func (p *pkg) fullVersion() string       { return or(p.version, "1-1") }
func (p *pkg) filename() string          { return p.name + "-" + p.fullVersion() + "-any.pkg.tar.zst" }
func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// bytes packs p.
func (p *pkg) bytes(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	put := func(h *tar.Header, body string) {
		h.Size = int64(len(body))
		h.ModTime = or(h.ModTime, time.Unix(builtAt, 0))
		h.Format = tar.FormatPAX
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	put(&tar.Header{Name: ".PKGINFO", Mode: 0o644, Typeflag: tar.TypeReg}, p.pkginfo())
	if p.build != "" {
		put(&tar.Header{Name: ".BUILDINFO", Mode: 0o644, Typeflag: tar.TypeReg}, p.build)
	}
	if p.install != "" {
		put(&tar.Header{Name: ".INSTALL", Mode: 0o644, Typeflag: tar.TypeReg}, p.install)
	}
	entries := p.withParents()
	if !p.noMTREE {
		put(&tar.Header{Name: ".MTREE", Mode: 0o644, Typeflag: tar.TypeReg}, mtree(t, entries))
	}
	for _, e := range entries {
		put(e.header(), e.body)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (p *pkg) pkginfo() string {
	return fmt.Sprintf("pkgname = %s\npkgbase = %s\npkgver = %s\npkgdesc = made for a test\nbuilddate = %d\nsize = 1\narch = any\n%s",
		p.name, p.name, p.fullVersion(), builtAt, p.info)
}

// withParents adds the directories that no entry names, as makepkg has them.
func (p *pkg) withParents() []entry {
	var all []entry
	seen := make(map[string]bool)
	for _, e := range p.entries {
		seen[strings.TrimSuffix(e.path, "/")+"/"] = true
	}
	for _, e := range p.entries {
		for i, c := range strings.TrimSuffix(e.path, "/") {
			if parent := e.path[:i+1]; c == '/' && !seen[parent] {
				seen[parent] = true
				all = append(all, entry{path: parent, mode: 0o755})
			}
		}
		all = append(all, e)
	}
	return all
}

func (e *entry) header() *tar.Header {
	h := &tar.Header{Name: e.path, Mode: e.mode, Typeflag: tar.TypeReg, ModTime: time.Unix(or(e.time, builtAt), 0)}
	switch {
	case strings.HasSuffix(e.path, "/"):
		h.Typeflag = tar.TypeDir
	case e.link != "":
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, e.link, 0o777
	case e.hard != "":
		h.Typeflag, h.Linkname = tar.TypeLink, e.hard
	}
	return h
}

// mtree lists entries as bsdtar does for makepkg.
func mtree(t testing.TB, entries []entry) string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	fmt.Fprintf(z, "#mtree\n/set type=file uid=0 gid=0 mode=644\n")
	for _, e := range entries {
		when := or(e.time, builtAt)
		switch path := "./" + strings.TrimSuffix(e.path, "/"); {
		case strings.HasSuffix(e.path, "/"):
			fmt.Fprintf(z, "%s time=%d.0 mode=%o type=dir\n", path, when, e.mode)
		case e.link != "":
			fmt.Fprintf(z, "%s time=%d.0 mode=777 type=link link=%s\n", path, when, e.link)
		case e.hard == "":
			fmt.Fprintf(z, "%s time=%d.0 mode=%o size=%d md5digest=%x sha256digest=%s\n", path, when, e.mode, len(e.body), md5.Sum([]byte(e.body)), sha([]byte(e.body)))
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func sha(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// source packs p into a Source that is read from memory.
func (p *pkg) source(t testing.TB) Source {
	t.Helper()
	data := p.bytes(t)
	return Source{Filename: p.filename(), SHA256: sha(data), Reader: bytes.NewReader(data)}
}
