package archpkg

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"devenv/cmd/devenv-mirror/convert"
	"devenv/layers/alpm"
)

func sample() (*Meta, convert.Tree) {
	tree := convert.Tree{}
	for _, n := range []*convert.Node{
		{Path: "usr", Kind: convert.Dir, Mode: 0o755},
		{Path: "usr/bin", Kind: convert.Dir, Mode: 0o755},
		{Path: "usr/bin/a", Mode: 0o755, Data: []byte("program")},
		{Path: "usr/bin/b", Kind: convert.Hardlink, Mode: 0o755, Target: "usr/bin/a", Data: []byte("program")},
		{Path: "usr/bin/c", Kind: convert.Symlink, Mode: 0o777, Target: "a b"},
		{Path: "usr/bin/su", Mode: 0o4755, Data: []byte("su")},
		{Path: "usr/bin/with space#é", Mode: 0o644},
		{Path: "tmp", Kind: convert.Dir, Mode: 0o1777},
	} {
		n.Mtime = 1600000000
		tree[n.Path] = n
	}
	return &Meta{
		Name: "sample", Base: "base", Version: "1:2.3-4", Arch: "x86_64", Desc: "a sample", URL: "https://example.invalid",
		Packager: "nobody <nobody@example.invalid>", BuildDate: 1600000001, Licenses: []string{"MIT", "BSD"}, Groups: []string{"g"},
		Provides: []string{"libz.so=1-64"}, Conflicts: []string{"other"}, Replaces: []string{"old"}, Backup: []string{"etc/x"},
		Depends: []string{"glibc", "gcc-libs=12"}, OptDepends: []string{"x: why"}, Installed: []string{"glibc-2.36-1-x86_64"}, Source: "00",
	}, tree
}

func pack(t *testing.T) []byte {
	t.Helper()
	return packed(t, Fast)
}

func packed(t *testing.T, compress Compressor) []byte {
	t.Helper()
	m, tree := sample()
	var b bytes.Buffer
	if err := Write(&b, compress, m, tree, []byte("post_install() {\n  :\n}\n")); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSameInputSameBytes(t *testing.T) {
	if !bytes.Equal(pack(t), pack(t)) {
		t.Error("two packages of one input differ")
	}
}

// A package that zstd compressed has the same files in it; a zstd that dies is an
// error, not a short package.
func TestLevel(t *testing.T) {
	if _, err := exec.LookPath("zstd"); err != nil {
		t.Skip("zstd is not here; apt-get install zstd")
	}
	inside := func(b []byte) []byte {
		z, err := zstd.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		all, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if !bytes.Equal(inside(packed(t, Level(t.Context(), 20))), inside(pack(t))) {
		t.Error("other contents than those of Fast")
	}
	m, tree := sample()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := Write(io.Discard, Level(stopped, 20), m, tree, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

func TestHeadSaysWhatMetaSays(t *testing.T) {
	head, err := alpm.ReadPackageHead(bytes.NewReader(pack(t)))
	if err != nil {
		t.Fatal(err)
	}
	p := head.Info
	if p.Name != "sample" || p.Base != "base" || p.Version != "1:2.3-4" || p.InstalledSize != 9 || p.BuildDate != 1600000001 ||
		p.Depends[1].String() != "gcc-libs=12" || p.Provides[0].String() != "libz.so=1-64" || p.Licenses[1] != "BSD" {
		t.Errorf("%+v", p)
	}
	if head.Build == nil || len(head.Build.Installed) != 1 {
		t.Errorf("%+v", head.Build)
	}
}

// bsdtar lists the archive and reads .MTREE, as pacman does with libarchive.
func TestBsdtarReadsIt(t *testing.T) {
	if _, err := exec.LookPath("bsdtar"); err != nil {
		t.Skip("bsdtar is not here; apt-get install libarchive-tools")
	}
	file := filepath.Join(t.TempDir(), "x.pkg.tar.zst")
	if err := os.WriteFile(file, pack(t), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(stdin []byte, args ...string) string {
		cmd := exec.Command("bsdtar", args...)
		cmd.Stdin = bytes.NewReader(stdin)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("bsdtar %q: %v", args, err)
		}
		return string(out)
	}
	want := []string{".BUILDINFO", ".INSTALL", ".MTREE", ".PKGINFO", "tmp/", "usr/", "usr/bin/", "usr/bin/a", "usr/bin/b", "usr/bin/c", "usr/bin/su", "usr/bin/with space#é"}
	if got := strings.Split(strings.TrimSpace(run(nil, "-tf", file)), "\n"); !slices.Equal(got, want) {
		t.Errorf("listed %q", got)
	}
	long := run(nil, "-tvf", file)
	for _, want := range []string{"-rwsr-xr-x  0 root   root", "drwxrwxrwt  0 root   root", "usr/bin/c -> a b", "usr/bin/b link to usr/bin/a"} {
		if !strings.Contains(long, want) {
			t.Errorf("%q is not in\n%s", want, long)
		}
	}
	list := run([]byte(run(nil, "-xOf", file, ".MTREE")), "-tvf", "-")
	for _, want := range []string{"-rwsr-xr-x", "usr/bin/c -> a b", "with space#é", ".PKGINFO"} {
		if !strings.Contains(list, want) {
			t.Errorf("%q is not in the mtree\n%s", want, list)
		}
	}
}

func TestMtreeHoldsEveryPath(t *testing.T) {
	_, tree := sample()
	text, err := mtree(tree.Sorted())
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for e, err := range alpm.ReadMTREE(bytes.NewReader(text)) {
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, e.Path)
	}
	if len(paths) != len(tree) || !slices.ContainsFunc(paths, func(p string) bool { return strings.HasSuffix(p, "with space#é") }) {
		t.Errorf("%q", paths)
	}
}

func TestSonames(t *testing.T) {
	if entry("libz.so.1") != "libz.so=1-64" || entry("libstdc++.so.6") != "libstdc++.so=6-64" || entry("libx-1.2.so") != "" || entry("ld-linux-x86-64.so.2") != "" {
		t.Error("a soname is written otherwise than makepkg writes it")
	}
}

// The test program itself, where it is dynamic, and a library of the host.
func TestScanRealFiles(t *testing.T) {
	libs, err := filepath.Glob("/usr/lib/*-linux-gnu/libz.so.1.*")
	if err != nil || len(libs) == 0 {
		t.Skip("no libz.so.1 on this host to read")
	}
	data, err := os.ReadFile(libs[0])
	if err != nil {
		t.Fatal(err)
	}
	tree := convert.Tree{
		"usr/lib/private/libz.so.1.2": {Path: "usr/lib/private/libz.so.1.2", Data: data},
		"usr/lib/damaged":             {Path: "usr/lib/damaged", Data: data[:100]},
	}
	s := Scan(tree, func(string) bool { return true })
	if len(s.Provides) != 0 || !slices.Contains(s.Needs, "libc.so=6-64") {
		t.Errorf("private library: %+v", s)
	}
	tree["usr/lib/libz.so.1"] = &convert.Node{Path: "usr/lib/libz.so.1", Kind: convert.Symlink, Target: "private/libz.so.1.2"}
	if s = Scan(tree, func(string) bool { return false }); !slices.Equal(s.Provides, []string{"libz.so=1-64"}) || len(s.Needs) != 0 {
		t.Errorf("library in the path: %+v", s)
	}
}
