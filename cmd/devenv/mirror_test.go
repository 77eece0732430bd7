package main_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// pkg is a small package to make.
type pkg struct {
	name, version string
	lines         []string // further lines of .PKGINFO, "depend = x"
	files         []file
}

// file is one entry of a package; a path that ends with "/" is a directory.
type file struct {
	path string
	data string
	link string
	mode int64
	typ  byte // if it is none of the above
}

var busyboxApplets = []string{"sh", "ash", "cat", "ls", "echo", "env", "id", "true", "false", "pwd", "touch", "rm", "mkdir", "head", "grep", "ps", "sleep", "kill", "wc", "readlink", "stat", "cp", "test", "printenv", "sort", "tty"}

// makeMirror makes a mirror and an archive of two days.
func makeMirror(dir string) error {
	path, err := exec.LookPath("busybox")
	if err != nil {
		return fmt.Errorf("busybox is missing (Debian: busybox-static)")
	}
	busybox, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	box := pkg{name: "busybox", version: "1.35.0-1", lines: []string{"provides = sh"}, files: []file{
		{path: "usr/"}, {path: "usr/bin/"}, {path: "usr/bin/busybox", data: string(busybox), mode: 0o755},
		{path: "bin", link: "usr/bin"}, {path: "etc/"}, {path: "etc/box.conf", data: "a\n"}, {path: "var/"}, {path: "var/lib/"}, {path: "opt/"}, {path: "tmp/"},
	}}
	for _, a := range busyboxApplets {
		box.files = append(box.files, file{path: "usr/bin/" + a, link: "busybox"})
	}
	tool := func(version, says string, lines ...string) pkg {
		return pkg{name: "tool", version: version, lines: lines, files: []file{
			{path: "usr/"}, {path: "usr/bin/"}, {path: "usr/bin/tool", data: "#!/bin/sh\necho tool " + says + " \"$@\"\n", mode: 0o755},
		}}
	}
	partner := func(version string) pkg {
		return pkg{name: "tool-libs", version: version, files: []file{{path: "usr/"}, {path: "usr/lib/"}, {path: "usr/lib/tool-" + version, data: version}}}
	}
	single := func(name, path string, lines ...string) pkg {
		return pkg{name: name, version: "1.0-1", lines: lines, files: []file{{path: "usr/"}, {path: path, data: name}}}
	}
	old := []pkg{box, tool("1.0-1", "old", "depend = tool-libs=1.0-1"), partner("1.0-1")}
	now := []pkg{
		box, tool("2.0-1", "new", "depend = tool-libs=2.0-1", "group = tools"), partner("2.0-1"),
		single("gadget", "usr/gadget", "conflict = gizmo", "group = tools"), single("gizmo", "usr/gizmo", "conflict = gadget"),
		single("clash-a", "usr/clash"), single("clash-b", "usr/clash"),
		{name: "cc", version: "1.0-1", files: []file{{path: "usr/"}, {path: "usr/lib/"}, {path: "usr/lib/gcc/"}, {path: "usr/lib/gcc/x/"}, {path: "usr/lib/gcc/x/1/"}, {path: "usr/lib/gcc/x/1/cc1", data: "cc1", mode: 0o755}, {path: "usr/bin/"}, {path: "usr/bin/cc", data: "#!/bin/sh\n", mode: 0o755}}},
		{name: "evil-up", version: "1-1", files: []file{{path: "usr/"}, {path: "usr/../../evil", data: "x"}}},
		{name: "evil-abs", version: "1-1", files: []file{{path: "/tmp/evil", data: "x"}}},
		{name: "evil-link", version: "1-1", files: []file{{path: "usr/"}, {path: "usr/out", link: "/tmp"}, {path: "usr/out/evil", data: "x"}}},
		{name: "evil-node", version: "1-1", files: []file{{path: "dev/"}, {path: "dev/null", typ: tar.TypeChar}}},
		{name: "odd:name+plus", version: "1:2.0-1", files: []file{{path: "usr/"}, {path: "usr/a b::c", data: "odd\n"}}},
	}
	now[len(now)-1].name = "odd+name"
	for day, pkgs := range map[string][]pkg{"2024/01/02": old, "2024/02/02": now, "": now} {
		repo := filepath.Join(dir, "core/os/x86_64")
		if day != "" {
			repo = filepath.Join(dir, "archive/repos", day, "core/os/x86_64")
		}
		if err := makeRepo(repo, dir+"/archive/packages", pkgs); err != nil {
			return err
		}
	}
	return exec.Command("chmod", "-R", "a+rX", dir).Run()
}

// makeRepo writes packages and their database, as repo-add(8) would.
func makeRepo(dir, archive string, pkgs []pkg) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var db, files []entry
	for _, p := range pkgs {
		b, err := p.build()
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s-%s-x86_64.pkg.tar.zst", p.name, p.version)
		kept := filepath.Join(archive, p.name[:1], p.name)
		if err := os.MkdirAll(kept, 0o755); err != nil {
			return err
		}
		for _, d := range []string{dir, kept} {
			if err := os.WriteFile(filepath.Join(d, name), b, 0o644); err != nil {
				return err
			}
		}
		desc := fmt.Sprintf("%%FILENAME%%\n%s\n\n%%NAME%%\n%s\n\n%%VERSION%%\n%s\n\n%%DESC%%\nThe %s of the tests\n\n%%CSIZE%%\n%d\n\n%%ISIZE%%\n1\n\n%%SHA256SUM%%\n%x\n\n%%ARCH%%\nx86_64\n\n%%BUILDDATE%%\n1700000000\n\n",
			name, p.name, p.version, p.name, len(b), sha256.Sum256(b))
		for key, field := range map[string]string{"depend": "DEPENDS", "conflict": "CONFLICTS", "provides": "PROVIDES", "group": "GROUPS"} {
			var values []string
			for _, l := range p.lines {
				if v, ok := strings.CutPrefix(l, key+" = "); ok {
					values = append(values, v)
				}
			}
			if len(values) > 0 {
				desc += "%" + field + "%\n" + strings.Join(values, "\n") + "\n\n"
			}
		}
		db = append(db, entry{p.name + "-" + p.version + "/desc", desc})
		list := "%FILES%\n"
		for _, f := range p.files {
			list += f.path + "\n"
		}
		files = append(files, entry{p.name + "-" + p.version + "/desc", desc}, entry{p.name + "-" + p.version + "/files", list})
	}
	for name, entries := range map[string][]entry{"core.db": db, "core.files": files} {
		slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
		b, err := archiveOf(entries)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

type entry struct{ name, data string }

// archiveOf is a gzip-compressed tar of text files.
func archiveOf(entries []entry) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	for _, e := range entries {
		if err := t.WriteHeader(&tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.data)), ModTime: time.Unix(1700000000, 0)}); err != nil {
			return nil, err
		}
		if _, err := t.Write([]byte(e.data)); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// build gives the package file.
func (p pkg) build() ([]byte, error) {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, err
	}
	t := tar.NewWriter(z)
	info := fmt.Sprintf("pkgname = %s\npkgbase = %s\npkgver = %s\npkgdesc = The %s of the tests\nsize = 1\narch = x86_64\nbuilddate = 1700000000\n%s\n", p.name, p.name, p.version, p.name, strings.Join(p.lines, "\n"))
	for _, f := range append([]file{{path: ".PKGINFO", data: info}}, p.files...) {
		h := &tar.Header{Name: f.path, Mode: f.mode, Size: int64(len(f.data)), ModTime: time.Unix(1700000000, 0), Typeflag: tar.TypeReg}
		switch {
		case f.typ != 0:
			h.Typeflag = f.typ
		case f.link != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.link
		case strings.HasSuffix(f.path, "/"):
			h.Typeflag = tar.TypeDir
		}
		if h.Mode == 0 {
			h.Mode = 0o644
			if h.Typeflag == tar.TypeDir {
				h.Mode = 0o755
			}
		}
		if err := t.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := t.Write([]byte(f.data)); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
