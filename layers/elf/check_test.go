package elf

import (
	"debug/elf"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// madeTree is a tree as a map from paths to where links lead, "" for others;
// directories are implied.
type madeTree map[string]string

func (m madeTree) lookup(p string) (string, bool) {
	p = relative(p)
	parts, done := strings.Split(p, "/"), ""
	for i := 0; i < len(parts) && i < 50; i++ {
		done = path.Join(done, parts[i])
		if to := m[done]; to != "" {
			if !strings.HasPrefix(to, "/") {
				to = path.Join("/", path.Dir(done), to)
			}
			return m.lookup(path.Join(append([]string{to}, parts[i+1:]...)...))
		}
	}
	for have := range m {
		if have == p || strings.HasPrefix(have, p+"/") {
			return p, true
		}
	}
	return "", false
}

func program(path string, needed ...string) Object {
	return Object{Path: path, Class: elf.ELFCLASS64, Machine: elf.EM_X86_64, Type: elf.ET_DYN, Interpreter: "/lib64/ld-linux-x86-64.so.2", Needed: needed}
}

func lib(path, soname string, needed ...string) Object {
	return Object{Path: path, Class: elf.ELFCLASS64, Machine: elf.EM_X86_64, Type: elf.ET_DYN, Soname: soname, Needed: needed}
}

func bits32(o Object) Object {
	o.Class, o.Machine = elf.ELFCLASS32, elf.EM_386
	if o.Interpreter != "" {
		o.Interpreter = "/lib/ld-linux.so.2"
	}
	return o
}

func with(o Object, change func(*Object)) Object {
	change(&o)
	return o
}

// glibc is the layer that everything needs, and tree what its links are.
func glibc() (*Record, madeTree) {
	libc := with(lib("usr/lib/libc.so.6", "libc.so.6"), func(o *Object) { o.Defines = []string{"GLIBC_2.2.5", "GLIBC_2.34"} })
	objects := []Object{
		libc, lib("usr/lib/ld-linux-x86-64.so.2", "ld-linux-x86-64.so.2"), program("usr/bin/bash", "libc.so.6"),
		bits32(lib("usr/lib32/libc.so.6", "libc.so.6")), bits32(lib("usr/lib32/ld-linux.so.2", "ld-linux.so.2")),
	}
	tree := madeTree{"lib": "usr/lib", "lib64": "usr/lib", "usr/lib64": "lib", "bin": "usr/bin", "usr/lib/ld-linux.so.2": "../lib32/ld-linux.so.2", "usr/bin/sh": "bash", "usr/bin/env": ""}
	for _, o := range objects {
		tree[o.Path] = ""
	}
	return &Record{objects}, tree
}

func TestCheck(t *testing.T) {
	script := func(path, interpreter, argument string) Object {
		return Object{Path: path, Interpreter: interpreter, Argument: argument}
	}
	for name, c := range map[string]struct {
		objects []Object
		links   madeTree
		conf    []string
		want    string // misses, one a line
	}{
		"all there": {objects: []Object{program("usr/bin/a", "libc.so.6", "libx.so.1"), lib("usr/lib/libx.so.1.2", "libx.so.1", "libc.so.6")}},
		"found by a link alone": {
			objects: []Object{program("usr/bin/a", "libx.so.1"), lib("usr/lib/libx-1.2.so", "")}, links: madeTree{"usr/lib/libx.so.1": "libx-1.2.so"}},
		"nowhere":           {objects: []Object{program("usr/bin/a", "libx.so.1")}, want: "1 usr/bin/a libx.so.1"},
		"only the newer":    {objects: []Object{program("usr/bin/a", "libx.so.1"), lib("usr/lib/libx.so.2", "libx.so.2")}, want: "1 usr/bin/a libx.so.1"},
		"dangling link":     {objects: []Object{program("usr/bin/a", "libx.so.1")}, links: madeTree{"usr/lib/libx.so.1": "libx.so.1.2"}, want: "1 usr/bin/a libx.so.1"},
		"text of that name": {objects: []Object{program("usr/bin/a", "libx.so")}, links: madeTree{"usr/lib/libx.so": ""}, want: "1 usr/bin/a libx.so"},
		"version missing": {
			objects: []Object{with(program("usr/bin/a", "libc.so.6"), func(o *Object) { o.Versions = []VersionNeed{{"libc.so.6", []string{"GLIBC_2.34", "GLIBC_2.38"}}} })},
			want:    "3 usr/bin/a libc.so.6 [GLIBC_2.38] usr/lib/libc.so.6"},
		"library without versions": {
			objects: []Object{with(program("usr/bin/a", "libx.so.1"), func(o *Object) { o.Versions = []VersionNeed{{"libx.so.1", []string{"X_1"}}} }), lib("usr/lib/libx.so.1", "libx.so.1")}},
		"32 bits": {objects: []Object{bits32(program("usr/bin/a", "libc.so.6")), bits32(lib("usr/lib32/libx.so.1", "libx.so.1", "libc.so.6"))}},
		"32 bits missing": {
			objects: []Object{bits32(program("usr/bin/a", "libx.so.1")), lib("usr/lib/libx.so.1", "libx.so.1")},
			want:    "2 usr/bin/a libx.so.1 usr/lib/libx.so.1"},
		"32 bits in the wrong directory, 64 in the right": {
			objects: []Object{program("usr/bin/a", "libx.so.1"), bits32(lib("usr/lib/libx.so.1", "libx.so.1")), lib("usr/lib64x/libx.so.1", "libx.so.1")}, conf: []string{"/usr/lib64x"}},
		"runpath": {
			objects: []Object{with(program("opt/a/bin/a", "libx.so.1"), func(o *Object) { o.RunPath = []string{"$ORIGIN/../lib"} }), lib("opt/a/lib/libx.so.1", "libx.so.1")}},
		"runpath in braces, through a link": {
			objects: []Object{with(program("opt/a/bin/a", "libx.so.1"), func(o *Object) { o.RunPath = []string{"${ORIGIN}/../l"} }), lib("opt/a/lib/libx.so.1", "libx.so.1")},
			links:   madeTree{"opt/a/l": "lib"}},
		"$LIB and $PLATFORM": {
			objects: []Object{with(program("usr/bin/a", "libx.so.1"), func(o *Object) { o.RPath = []string{"/opt/$LIB/$PLATFORM"} }), lib("opt/lib/x86_64/libx.so.1", "libx.so.1")}},
		"runpath makes rpath void": {
			objects: []Object{with(program("usr/bin/a", "libx.so.1"), func(o *Object) { o.RPath, o.RunPath = []string{"/opt/lib"}, []string{"/opt/none"} }), lib("opt/lib/libx.so.1", "libx.so.1")},
			want:    "6 usr/bin/a libx.so.1 opt/lib/libx.so.1"},
		"runpath is not inherited": {
			objects: []Object{with(program("usr/bin/a", "libx.so.1"), func(o *Object) { o.RunPath = []string{"/opt/lib"} }), lib("opt/lib/libx.so.1", "libx.so.1", "liby.so.1"), lib("opt/lib/liby.so.1", "liby.so.1")},
			want:    "6 opt/lib/libx.so.1 liby.so.1 opt/lib/liby.so.1"},
		"the nearest elsewhere": {
			objects: []Object{lib("opt/a/1/p.so", "", "libx.so.1"), lib("opt/a/2/libx.so.1", "libx.so.1"), lib("opt/b/libx.so.1", "libx.so.1")},
			want:    "6 opt/a/1/p.so libx.so.1 opt/a/2/libx.so.1"},
		"ld.so.conf": {objects: []Object{program("usr/bin/a", "libx.so.1"), lib("opt/lib/libx.so.1", "libx.so.1")}, conf: []string{"opt/lib"}},
		"needed by path": {
			objects: []Object{program("usr/bin/a", "/opt/libx.so", "$ORIGIN/liby.so"), lib("opt/libx.so", ""), lib("usr/bin/liby.so", "")}},
		"interpreter missing": {
			objects: []Object{with(program("usr/bin/a"), func(o *Object) { o.Interpreter = "/lib/ld-musl-x86_64.so.1" })}, want: "4 usr/bin/a /lib/ld-musl-x86_64.so.1"},
		"interpreter of another class": {
			objects: []Object{with(program("usr/bin/a"), func(o *Object) { o.Interpreter = "/lib/ld-linux.so.2" })}, want: "4 usr/bin/a /lib/ld-linux.so.2"},
		"foreign machine": {objects: []Object{with(program("usr/arm/bin/a", "libnone.so"), func(o *Object) { o.Machine = elf.EM_ARM })}},
		"debug symbols":   {objects: []Object{program("usr/lib/debug/usr/bin/a.debug", "libnone.so")}},
		"scripts": {
			objects: []Object{script("usr/bin/a", "/bin/sh", ""), script("usr/bin/b", "/usr/bin/python2", ""), script("usr/bin/c", "relative", ""),
				script("usr/bin/d", "/usr/bin/env", "bash"), script("usr/bin/e", "/usr/bin/env", "-S A=b perl -w"), script("usr/bin/f", "/usr/bin/env", "-S"), script("usr/bin/g", "/usr/bin/env", "-i bash")},
			want: "4 usr/bin/b /usr/bin/python2\n5 usr/bin/e perl"},
	} {
		t.Run(name, func(t *testing.T) {
			base, tree := glibc()
			for p, to := range c.links {
				tree[p] = to
			}
			for _, o := range c.objects {
				tree[o.Path] = ""
			}
			misses := Check([]Layer{{"glibc", base}, {"test", &Record{c.objects}}}, Config{Machine: elf.EM_X86_64, LibraryDirs: c.conf}, tree.lookup)
			var got []string
			for _, m := range misses {
				line := strings.Join(strings.Fields(strings.Join([]string{string('0' + rune(m.Kind)), m.Object.Path, m.Want, strings.Trim("["+strings.Join(m.Versions, " ")+"]", "[]"), m.Found}, " ")), " ")
				if len(m.Versions) > 0 {
					line = strings.Replace(line, m.Versions[0], "["+m.Versions[0]+"]", 1)
				}
				got = append(got, line)
				if m.Layer != "test" || !strings.Contains(m.String(), m.Want) {
					t.Errorf("layer %s, %s", m.Layer, m)
				}
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("misses\n%s\nwant\n%s", strings.Join(got, "\n"), c.want)
			}
		})
	}
}

func TestReadConf(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for name, c := range map[string]struct {
		tree fstest.MapFS
		want []string
	}{
		"none": {fstest.MapFS{}, nil},
		"arch": {fstest.MapFS{
			"etc/ld.so.conf":          file("# Dynamic linker configuration\ninclude /etc/ld.so.conf.d/*.conf\n"),
			"etc/ld.so.conf.d/b.conf": file("/usr/lib/b # why\n"),
			"etc/ld.so.conf.d/a.conf": file("/usr/lib32\n\n  /opt/x=libc6\n"),
			"etc/ld.so.conf.d/README": file("/no\n"),
		}, []string{"usr/lib32", "opt/x", "usr/lib/b"}},
		"relative, twice and in a circle": {fstest.MapFS{
			"etc/ld.so.conf":  file("include more/*.conf none.conf\n/a\n/a/\nhwcap 1 nosegneg\n"),
			"etc/more/a.conf": file("include ../ld.so.conf\n/b\n"),
		}, []string{"b", "a"}},
	} {
		got, err := ReadConf(c.tree)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

func TestTreeLookup(t *testing.T) {
	dir := t.TempDir()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(dir, "usr/lib/sub"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "usr/lib/real"), nil, 0o644))
	must(os.Symlink("/usr/lib", filepath.Join(dir, "lib")))
	must(os.Symlink("../../../../../../usr/lib/real", filepath.Join(dir, "usr/lib/up")))
	must(os.Symlink("/etc/passwd", filepath.Join(dir, "usr/lib/out")))
	must(os.Symlink("loop", filepath.Join(dir, "usr/lib/loop")))
	for _, walk := range []bool{false, true} {
		tree, err := OpenTree(dir)
		must(err)
		tree.walk = tree.walk || walk
		for p, want := range map[string]string{
			"usr/lib/real": "usr/lib/real", "/lib/real": "usr/lib/real", "lib/sub/../real": "usr/lib/real", "lib/up": "usr/lib/real",
			"lib": "usr/lib", "": ".", "/": ".", "lib/out": "", "lib/loop": "", "none": "", "usr/lib/real/x": "",
		} {
			if got, ok := tree.Lookup(p); got != want || ok != (want != "") {
				t.Errorf("walk %v: Lookup(%q) = %q, %v; want %q", walk, p, got, ok, want)
			}
		}
		must(tree.Close())
	}
	if _, err := OpenTree(filepath.Join(dir, "none")); err == nil {
		t.Error("no directory is no error")
	}
}
