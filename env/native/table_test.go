package native

import (
	"bytes"
	"encoding/pem"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"devenv/layers"
	"devenv/layers/alpm"
	"devenv/layers/elf"
)

// The table is data: what could be wrong with it is found here.
func TestTable(t *testing.T) {
	for i, r := range table {
		if len(r.programs)+len(r.libs) == 0 {
			t.Errorf("row %d is for nobody", i)
		}
		for _, p := range slices.Concat(r.programs, r.unless, r.having) {
			if _, err := path.Match(p, "x"); err != nil {
				t.Errorf("row %d: %q: %v", i, p, err)
			}
		}
		for _, v := range r.vars {
			if v.op != unset && len(v.paths) == 0 && v.trail == "" {
				t.Errorf("row %d: %s is set to nothing", i, v.name)
			}
			for _, p := range v.paths {
				if p != certificates && p != fonts && !strings.HasPrefix(p, "@/") {
					t.Errorf("row %d: %s: %q is no path of the tree", i, v.name, p)
				}
				if strings.HasPrefix(v.name, "LD_") {
					t.Errorf("row %d: %s reaches the children, which are the host's", i, v.name)
				}
			}
		}
	}
}

// An old glibc is not asked for the host's locales.
func TestOldGlibcsLocales(t *testing.T) {
	for _, tt := range []struct {
		files, lacks string
		unset        bool
	}{
		{"usr/lib/libc-2.19.so usr/lib/locale/C.UTF-8/LC_CTYPE", "", true},
		{"usr/lib/libc-2.26.so", "de_DE.utf8", true},
		{"usr/lib/libc-2.26.so usr/lib/locale/de_DE.utf8/LC_CTYPE", "de_DE.utf8", false},
		{"usr/lib/libc-2.27.so usr/lib/locale/C.UTF-8/LC_CTYPE", "", false},
		{"usr/lib/libc.so.6 usr/lib/locale/C.UTF-8/LC_CTYPE", "", false},
	} {
		s := Spec{Tree: t.TempDir(), Home: "/home", Host: Host{Has: []string{localeDir + "/*"}, Lacks: tt.lacks}}
		for f := range strings.FieldsSeq(tt.files) {
			if err := os.MkdirAll(filepath.Join(s.Tree, filepath.Dir(f)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(s.Tree, f), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		v, err := s.view()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range v.needs("/usr/bin/make", &elf.Object{}).changes {
			if c.op == unset {
				got = append(got, c.name)
			}
		}
		if unset := slices.Contains(got, "LANG") && slices.Contains(got, "LC_ALL") && slices.Contains(got, "LC_CTYPE"); unset != tt.unset {
			t.Errorf("%s: unset are %q", tt.files, got)
		}
	}
}

func TestAlternatives(t *testing.T) {
	got := alternatives("/usr/{lib,share}/x")
	if !slices.Equal(got, []string{"/usr/lib/x", "/usr/share/x"}) || len(alternatives("/usr/x")) != 1 {
		t.Errorf("%q", got)
	}
}

func TestCheck(t *testing.T) {
	for file, cannot := range map[string]bool{
		"usr/lib/gcc/x86_64-pc-linux-gnu/14/cc1": true, "usr/lib/gcc/x86_64-pc-linux-gnu/14/cc1plus": true, "usr/bin/clang-18": true,
		"usr/lib/zsh/5.9/zsh/zle.so": true, "usr/bin/gdb": false, "usr/lib/gcc/x86_64-pc-linux-gnu/14/libgcc.a": false, "usr/share/doc/usr/bin/clang": false,
	} {
		p := Package{Record: &layers.Record{Info: &alpm.PkgInfo{Package: alpm.Package{Name: "p"}}, Files: []layers.File{{Path: file, Mode: 0o755}}}}
		if err := Check(p); (err != nil) != cannot {
			t.Errorf("%s: %v", file, err)
		}
	}
	sudo := Package{Record: &layers.Record{Info: &alpm.PkgInfo{Package: alpm.Package{Name: "sudo"}}, Files: []layers.File{{Path: "usr/bin/sudo", Mode: 0o4755}}}}
	if Check(sudo) == nil {
		t.Error("sudo cannot be setuid")
	}
}

// Of p11-kit's files only what is trusted counts.
func TestTrusted(t *testing.T) {
	cert := func(s string) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(s)}))
	}
	file := "# comment\n[p11-kit-object-v1]\nlabel: \"good\"\ntrusted: true\n" + cert("good") +
		"[p11-kit-object-v1]\nlabel: \"mail\"\ntrusted: false\n" + cert("mail") +
		"[p11-kit-object-v1]\nx-distrusted: true\n" + cert("bad") +
		"[p11-kit-object-v1]\ntrusted: true\nnss-mozilla-ca-policy: true\n" + cert("too")
	if got := trusted([]byte(file)); string(got) != cert("good")+cert("too") {
		t.Errorf("%s", got)
	}
	if got := trusted([]byte("text\n" + cert("plain"))); !bytes.Equal(got, []byte(cert("plain"))) {
		t.Errorf("%s", got)
	}
}
