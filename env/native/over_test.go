package native

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What lies over the tree is seen in its place: in the directories that both
// have, in links, in patterns; and what it hides is gone.
func TestOver(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"tree/usr/share/schemas/one": "tree", "tree/usr/share/schemas/two": "tree", "tree/usr/share/alone": "tree", "tree/etc/conf": "tree",
		"over/usr/share/schemas/compiled": "over", "over/usr/share/schemas/two": "over", "over/usr/share/new/file": "over", "over/etc/ssl/bundle": "over",
		"old/usr/lib/libold.so.1": "old",
	} {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../etc/ssl/bundle", filepath.Join(dir, "over/usr/bundle")); err != nil {
		t.Fatal(err)
	}
	s := Spec{Tree: dir + "/tree", Over: []string{dir + "/over", dir + "/old"}, Home: dir + "/home"}
	v, err := s.view()
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{view: v, dir: dir + "/made", made: map[string]bool{}}
	if err := os.Mkdir(w.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := w.write(); err == nil || !strings.Contains(err.Error(), "has a command") { // the prefix is made before that
		t.Fatal(err)
	}
	if err := os.Rename(w.dir, s.Home); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"usr/share/schemas/one": "tree", "usr/share/schemas/two": "over", "usr/share/schemas/compiled": "over", "usr/share/alone": "tree",
		"usr/share/new/file": "over", "etc/conf": "tree", "etc/ssl/bundle": "over", "usr/bundle": "over", "usr/lib/libold.so.1": "old",
	} {
		text, err := os.ReadFile(filepath.Join(s.Home, root, path))
		if err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", path, text, err)
		}
	}
	if got := v.glob("/usr/share/schemas/*"); !slices.Equal(got, []string{"/usr/share/schemas/compiled", "/usr/share/schemas/one", "/usr/share/schemas/two"}) {
		t.Errorf("%q", got)
	}
}

func TestLackedLocale(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "C": "", "POSIX": "", "C.UTF-8": "", "../x": "",
		"xx_YY": "xx_YY", "xx_YY.UTF-8": "xx_YY.utf8", "xx_YY.ISO-8859-15@euro": "xx_YY.iso885915@euro", "xx_YY.8859-1": "xx_YY.iso88591", "xx@latin": "xx@latin",
	} {
		if got := lackedLocale(func(n string) string { return map[string]string{"LANG": name}[n] }); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	got := lackedLocale(func(n string) string {
		return map[string]string{"LANG": "aa_AA", "LC_CTYPE": "bb_BB", "LC_ALL": "xx_YY"}[n]
	})
	if got != "xx_YY" {
		t.Errorf("LC_ALL is not first: %q", got)
	}
}

// A locale-archive as locarchive.h lays it out, and what only looks like one.
func TestArchivedLocales(t *testing.T) {
	text := "de_DE.utf8\x00en_US.utf8\x00"
	head := []uint32{0xde020109, 1, 0, 0, 0, 56, uint32(len(text)), 100, 0, 0, 0, 0, 0, 0}
	var b bytes.Buffer
	binary.Write(&b, binary.NativeEndian, head)
	b.WriteString(text)
	if got := archived(bytes.NewReader(b.Bytes())); !slices.Equal(got, []string{"de_DE.utf8", "en_US.utf8"}) {
		t.Errorf("%q", got)
	}
	for _, broken := range [][]byte{nil, b.Bytes()[:20], b.Bytes()[:60], bytes.Repeat([]byte{0xff}, 100)} {
		if got := archived(bytes.NewReader(broken)); len(got) > 0 {
			t.Errorf("%x: %q", broken, got)
		}
	}
}

func TestUntraceable(t *testing.T) {
	bin := t.TempDir()
	if attaches(bin, nil) {
		t.Error("a shell without a tracer attaches to nothing")
	}
	if err := os.WriteFile(bin+"/strace", nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]bool{
		"": true, "strace -p 42": true, "strace -p42": true, "gdb --pid=42": true, "strace ls": false, "gdb ./a.out": false, "ls -p": false, bin + "/strace -fp 42": true, "strace -o p ls": false,
	} {
		if got := attaches(bin, strings.Fields(line)); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
	for scope, want := range map[string]string{"0": "", "1": "sysctl -w kernel.yama.ptrace_scope=0", "2": "run the tool as root", "3": "start anew"} {
		if got := refusal(scope); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q", scope, got)
		}
	}
}
