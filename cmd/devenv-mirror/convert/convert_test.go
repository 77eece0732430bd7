package convert

import (
	"archive/tar"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"devenv/cmd/devenv-mirror/table"
)

const triplet = "x86_64-linux-gnu"

// unpack runs tar entries through a .deb's way into a tree. An entry is
// "path", "path=content", "path -> target", "path => hard link" or "path/".
func unpack(t *testing.T, entries ...string) Tree {
	t.Helper()
	skip, err := matcher(debianOnly)
	if err != nil {
		t.Fatal(err)
	}
	b := &body{tree: Tree{}, layout: layout{triplet}, name: "pkg", skip: skip, latest: 1 << 40, files: map[string]*Node{}}
	for _, e := range entries {
		h := &tar.Header{Name: e, Mode: 0o644, Typeflag: tar.TypeReg, ModTime: time.Unix(1000, 0)}
		content := ""
		if name, target, ok := strings.Cut(e, " -> "); ok {
			h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeSymlink
		} else if name, target, ok := strings.Cut(e, " => "); ok {
			h.Name, h.Linkname, h.Typeflag = name, "./"+target, tar.TypeLink
		} else if strings.HasSuffix(e, "/") {
			h.Name, h.Typeflag, h.Mode = strings.TrimSuffix(e, "/"), tar.TypeDir, 0o755
		} else if name, text, ok := strings.Cut(e, "="); ok {
			h.Name, content, h.Size = name, text, int64(len(text))
		}
		if err := b.add(h, strings.NewReader(content)); err != nil {
			t.Fatalf("%s: %v", e, err)
		}
	}
	return b.tree
}

// list is a tree's files and links in the form of unpack.
func list(t Tree) []string {
	var l []string
	for _, n := range t.Sorted() {
		switch n.Kind {
		case File:
			l = append(l, n.Path)
		case Symlink:
			l = append(l, n.Path+" -> "+n.Target)
		case Hardlink:
			l = append(l, n.Path+" => "+n.Target)
		}
	}
	return l
}

func expect(t *testing.T, tree Tree, want ...string) {
	t.Helper()
	if got := list(tree); !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestMergedUsr(t *testing.T) {
	expect(t, unpack(t,
		"bin/sh", "sbin/init", "usr/sbin/chroot", "usr/games/sl", "lib/systemd/x", "lib/x86_64-linux-gnu/libc.so.6",
		"usr/lib/x86_64-linux-gnu/perl/a", "usr/include/x86_64-linux-gnu/sys/types.h", "lib64/y"),
		"usr/bin/chroot", "usr/bin/init", "usr/bin/sh", "usr/bin/sl", "usr/include/x86_64-linux-gnu/sys/types.h", "usr/lib/libc.so.6",
		"usr/lib/perl/a", "usr/lib/systemd/x", "usr/lib/y")
}

func TestTopLevelLinksComeFromFilesystemAlone(t *testing.T) {
	tree := unpack(t, "bin/sh", "lib64/", "usr/lib/x86_64-linux-gnu/")
	for p := range tree {
		if top, _, _ := strings.Cut(p, "/"); top != "usr" {
			t.Errorf("%s is there", p)
		}
	}
}

func TestLinksKeepTheirMeaning(t *testing.T) {
	for entry, want := range map[string]string{
		"usr/lib/x86_64-linux-gnu/libz.so -> libz.so.1":                            "usr/lib/libz.so -> libz.so.1",
		"usr/lib/x86_64-linux-gnu/libz.so -> /lib/x86_64-linux-gnu/libz.so.1":      "usr/lib/libz.so -> libz.so.1",
		"usr/lib/gcc/x86_64-linux-gnu/12/l.so -> ../../../x86_64-linux-gnu/l.so.1": "usr/lib/gcc/x86_64-linux-gnu/12/l.so -> ../../../l.so.1",
		"usr/lib/x86_64-linux-gnu/a/b -> ../../../share/c":                         "usr/lib/a/b -> ../../share/c",
		"usr/share/a -> /etc/a":        "usr/share/a -> ../../etc/a",
		"var/run -> /run":              "var/run -> /run",
		"etc/x -> ../proc/self/mounts": "etc/x -> ../proc/self/mounts",
		"sbin/a -> /bin/b":             "usr/bin/a -> b",
		"usr/share/dir/self -> .":      "usr/share/dir/self -> .",
		"usr/share/dir/up -> ..":       "usr/share/dir/up -> ..",
	} {
		expect(t, unpack(t, entry), want)
	}
}

// Debian has the loader in the multiarch directory and a link in /lib64: both
// are usr/lib/ld-linux-x86-64.so.2 here, and the file wins.
func TestTheLoaderIsAFile(t *testing.T) {
	link, file := "lib64/ld.so -> /lib/x86_64-linux-gnu/ld.so", "lib/x86_64-linux-gnu/ld.so=ELF"
	expect(t, unpack(t, link, file), "usr/lib/ld.so")
	expect(t, unpack(t, file, link), "usr/lib/ld.so")
}

func TestDebiansOwnIsLeftOut(t *testing.T) {
	expect(t, unpack(t, "usr/share/doc/x/README", "etc/init.d/x", "usr/share/lintian/y", "usr/bin/x",
		"usr/share/x -> doc/x", "usr/bin/vi -> /etc/alternatives/vi"),
		"usr/bin/x")
}

func TestTwoContentsForOnePath(t *testing.T) {
	tree := unpack(t, "bin/a=1")
	if err := tree.put(&Node{Path: "usr/bin/a", Data: []byte("1")}); err != nil {
		t.Errorf("the same file twice: %v", err)
	}
	if err := tree.put(&Node{Path: "usr/bin/a", Data: []byte("2")}); err == nil {
		t.Error("two contents for one path")
	}
	if err := tree.put(&Node{Path: "usr/bin/a/b"}); err == nil {
		t.Error("a file under a file")
	}
}

func TestGroupsThatTheFileWillNotHave(t *testing.T) {
	tree := unpack(t)
	b := &body{tree: tree, layout: layout{triplet}, skip: func(string) bool { return false }, latest: 5, files: map[string]*Node{}}
	if err := b.add(&tar.Header{Name: "usr/bin/write", Mode: 0o2755, Gid: 5, Typeflag: tar.TypeReg, ModTime: time.Unix(9, 0)}, nil); err != nil {
		t.Fatal(err)
	}
	if n := tree["usr/bin/write"]; n.Mode != 0o755 || n.Mtime != 5 {
		t.Errorf("mode %o, time %d", n.Mode, n.Mtime)
	}
	if err := b.add(&tar.Header{Name: "dev/null", Typeflag: tar.TypeChar}, nil); err == nil {
		t.Error("a device node was taken")
	}
}

func TestHardLinksFollowTheFirstPath(t *testing.T) {
	tree := unpack(t, "usr/bin/m=x", "usr/bin/z => usr/bin/m", "usr/bin/a => usr/bin/m")
	tree.settleHardlinks()
	expect(t, tree, "usr/bin/a", "usr/bin/m => usr/bin/a", "usr/bin/z => usr/bin/a")

	tree = unpack(t, "usr/bin/m=x", "usr/bin/z => usr/bin/m", "usr/bin/y => usr/bin/m")
	if err := edit(tree, &table.Entry{Drop: []string{"usr/bin/m"}}, 1); err != nil {
		t.Fatal(err)
	}
	tree.settleHardlinks()
	expect(t, tree, "usr/bin/y", "usr/bin/z => usr/bin/y")
	if string(tree["usr/bin/y"].Data) != "x" {
		t.Error("the file's data went with it")
	}
}

func TestEdit(t *testing.T) {
	for name, c := range map[string]struct {
		entry *table.Entry
		want  []string
	}{
		"only": {&table.Entry{Only: []string{"usr/bin/gcc*"}}, []string{"usr/bin/gcc-12", "usr/bin/gcc-ar-12"}},
		"drop": {&table.Entry{Drop: []string{"usr/bin/**", "usr/share/man"}}, []string{"usr/lib/j/bin/java"}},
		"move": {
			&table.Entry{Move: map[string]string{"usr/lib/j": "usr/share/k/j"}, Drop: []string{"usr/bin", "usr/share/man"}},
			[]string{"usr/share/k/j/bin/java"},
		},
		"links": {
			&table.Entry{Links: map[string]string{"usr/bin/cc": "gcc"}, Only: []string{"usr/bin/gcc-12"}},
			[]string{"usr/bin/cc -> gcc", "usr/bin/gcc-12"},
		},
		"link-all": {
			&table.Entry{LinkAll: map[string]string{"usr/lib/*/bin/*": "usr/bin"}, Only: []string{"usr/lib/**"}},
			[]string{"usr/bin/java -> ../lib/j/bin/java", "usr/lib/j/bin/java"},
		},
		"unversion": {
			&table.Entry{Unversion: "-12", Drop: []string{"usr/lib"}},
			[]string{
				"usr/bin/gcc -> gcc-12", "usr/bin/gcc-12", "usr/bin/gcc-ar -> gcc-ar-12", "usr/bin/gcc-ar-12",
				"usr/share/man/man1/gcc-12.1.gz", "usr/share/man/man1/gcc.1.gz -> gcc-12.1.gz",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree := unpack(t, "usr/bin/gcc-12=x", "usr/bin/gcc-ar-12=y", "usr/share/man/man1/gcc-12.1.gz", "usr/lib/j/bin/java")
			if err := edit(tree, c.entry, 1000); err != nil {
				t.Fatal(err)
			}
			expect(t, tree, c.want...)
			for p, n := range tree {
				if n.Kind == Dir && !slices.ContainsFunc(slices.Collect(maps.Keys(tree)), func(q string) bool { return strings.HasPrefix(q, p+"/") }) {
					t.Errorf("directory %s was left empty", p)
				}
			}
		})
	}
}

func TestEditComplains(t *testing.T) {
	for _, e := range []*table.Entry{
		{Move: map[string]string{"usr/none": "usr/x"}},
		{Concat: map[string]string{"etc/all": "none/*"}},
		{Links: map[string]string{"usr/bin/a": "elsewhere"}},
	} {
		if err := edit(unpack(t, "usr/bin/a=1"), e, 1); err == nil {
			t.Errorf("no complaint of %+v", e)
		}
	}
}

func TestConcat(t *testing.T) {
	tree := unpack(t, "usr/share/ca/b.crt=B", "usr/share/ca/a.crt=A", "usr/share/ca/c.txt=C")
	if err := edit(tree, &table.Entry{Concat: map[string]string{"etc/all.crt": "usr/share/ca/*.crt"}}, 1); err != nil {
		t.Fatal(err)
	}
	if got := string(tree["etc/all.crt"].Data); got != "AB" {
		t.Errorf("got %q", got)
	}
}

func TestOverlay(t *testing.T) {
	tree := unpack(t, "etc/passwd=debian")
	err := overlay(tree, fstest.MapFS{
		"etc/passwd":   {Data: []byte("ours")},
		"usr/bin/tool": {Data: []byte("#!/bin/sh\n")},
		".modes":       {Data: []byte("0600 etc/passwd\n1777 tmp\n")},
	}, 7)
	if err != nil {
		t.Fatal(err)
	}
	if n := tree["etc/passwd"]; string(n.Data) != "ours" || n.Mode != 0o600 {
		t.Errorf("etc/passwd: %q, mode %o", n.Data, n.Mode)
	}
	if n := tree["usr/bin/tool"]; n.Mode != 0o755 {
		t.Errorf("usr/bin/tool has mode %o", n.Mode)
	}
	if n := tree["tmp"]; n == nil || n.Kind != Dir || n.Mode != 0o1777 {
		t.Errorf("tmp: %+v", n)
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"usr/bin/*", "usr/bin/x", true}, {"usr/bin/*", "usr/bin/x/y", false}, {"usr/**/x", "usr/x", true},
		{"usr/**/x", "usr/a/b/x", true}, {"usr/**", "usr/a/b", true}, {"usr/?", "usr/ab", false}, {"a+b", "a+b", true}, {"a.b", "axb", false},
	} {
		match, err := matcher([]string{c.pattern})
		if err != nil {
			t.Fatal(err)
		}
		if match(c.path) != c.want {
			t.Errorf("%s matches %s: %v", c.pattern, c.path, !c.want)
		}
	}
}

func TestLicenses(t *testing.T) {
	const dep5 = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nLicense: none\n\nFiles: debian/*\nLicense: MIT\n\n" +
		"Files: *\nCopyright: someone\nLicense: GPL-3+ or Artistic, and Expat\n text\n"
	for text, want := range map[string]string{
		dep5:                        "GPL-3.0-or-later,Artistic,MIT",
		"Format: x\nLicense: BSD\n": "custom",
		"free text\n":               "custom",
	} {
		tree := unpack(t, "usr/share/doc/libx/copyright="+text)
		expect(t, tree, "usr/share/licenses/pkg/libx")
		if got := strings.Join(Licenses(tree, "pkg"), ","); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if got := Licenses(Tree{}, "pkg"); !slices.Equal(got, []string{"custom"}) {
		t.Errorf("no copyright file: %q", got)
	}
}
