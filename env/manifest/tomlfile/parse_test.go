package tomlfile

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestErrors compares every error text with testdata/errors.golden.
func TestErrors(t *testing.T) {
	var got strings.Builder
	for _, src := range []string{
		"a = 1\na = 2\n",
		"[x]\na = 1\n[x]\nb = 2\n",
		"[x]\na = 1\n  a = 2\na = 3\n",
		"a.b = 1\na = 2\n",
		"a = { b = 1 }\n[a]\nc = 1\n",
		"a = { b = 1, b = 2 }\n",
		"a = []\n[[a]]\n",
		"[a.b]\n[a]\nb.c = 1\n",
		"a = 1\n[a.b]\n",
		"a = foo\n",
		"a = True\n",
		"a = yes\n",
		"a = 14.2.1\n",
		"a == 1\n",
		"a =\n",
		"a\n",
		"foo bar = 2\n",
		"c++ = 2\n",
		"é = 1\n",
		"= 1\n",
		"a = \"x\nb = 2\n",
		"a = \"x",
		"a = '''x\ny\n",
		"a = 'é' x\n",
		"a = [1,\n",
		"a = [1 2]\n",
		"a = {b = 1",
		"[a\n",
		"[a]]\n",
		"\ta = \"\\q\"\n",
		"a = 'x\x01'\n",
		"a = \"\xff\"\n",
		"# \xff\n",
		"a = 1\rb = 2\n",
		"a = 01\n",
		strings.Repeat("# long\n", 99) + "a = ['" + strings.Repeat("x", 100) + "', \"\\q\", '" + strings.Repeat("y", 100) + "']\n",
	} {
		_, err := Parse("f.toml", "/f.toml", []byte(src))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: %v, want an *Error", src, err)
			continue
		}
		got.WriteString(err.Error() + "\n\n")
	}
	compareGolden(t, "errors.golden", got.String())
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update and look at the difference):\n%s", path, got)
	}
}

func TestPositions(t *testing.T) {
	src := "\xef\xbb\xbfa = \"äb\" # c\r\n[ t . \"u\" ] # d\r\nx = [ 'p', [1], { q = 2 } ]\r\nd.e = true\r\n[[l]]\n[[l]]\nz = 2026-11-20"
	d, err := Parse("f", "/f", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	get := func(path ...string) *Value {
		v := d.Root
		for _, p := range path {
			v = v.Get(p).Value
		}
		return v
	}
	text := func(s Span) string { return src[s.Start:s.End] }
	items := get("t", "u", "x").Items
	for _, c := range []struct {
		v         *Value
		pos, span string
	}{
		{get("a"), "f:1:6", `"äb"`},
		{get("t", "u", "x"), "f:3:5", "[ 'p', [1], { q = 2 } ]"},
		{items[0], "f:3:7", "'p'"},
		{items[2].Get("q").Value, "f:3:23", "2"},
		{get("t", "u", "d", "e"), "f:4:7", "true"},
		{get("t", "u"), "f:2:7", ""},
		{get("l").Items[1].Get("z").Value, "f:7:5", "2026-11-20"},
	} {
		if got := c.v.Pos().String(); got != c.pos || text(c.v.Span) != c.span {
			t.Errorf("at %s stands %q, want at %s %q", got, text(c.v.Span), c.pos, c.span)
		}
	}
	if got := get("a").PosIn(2).String(); got != "f:1:8" {
		t.Errorf("the second character of a stands at %s", got)
	}
	var lines []string
	for _, l := range d.Lines {
		lines = append(lines, strings.Join(l.Path, "/")+" "+text(l.Span))
	}
	want := []string{`a a = "äb"`, `t/u [ t . "u" ]`, `t/u/x x = [ 'p', [1], { q = 2 } ]`, "t/u/d/e d.e = true", "l [[l]]", "l [[l]]", "l/z z = 2026-11-20"}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("lines:\n%s\nwant:\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestErrList(t *testing.T) {
	var none Errors
	if none.Err() != nil {
		t.Error("no errors are an error")
	}
	a := &Error{Pos: Pos{"f", 2, 1}, Msg: "a"}
	b := &Error{Pos: Pos{"f", 1, 9}, Msg: "b", Err: os.ErrNotExist}
	err := Errors{a, b, a}.Err()
	if err.Error() != "f:1:9: b\nf:2:1: a" {
		t.Errorf("got %q", err)
	}
	if !errors.Is(err, os.ErrNotExist) || len(List(err)) != 2 || len(List(Errors{a}.Err())) != 1 || List(os.ErrExist) != nil {
		t.Error("the list's errors are not found")
	}
}

func TestTooLarge(t *testing.T) {
	if _, err := Parse("f", "/f", make([]byte, maxSize+1)); err == nil {
		t.Error("17 MiB were read")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a = 1\n[b.c]\nd = { e = ['x'] }\n", "[[a]]\n[[a.b]]\n", "a.b.c = \"\"\"\nx\"\"\"", "a={b=1,}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := Parse("f", "/f", src)
		if err != nil {
			for _, e := range List(err) {
				if len(src) > 0 && !e.Pos.IsValid() {
					t.Fatalf("no place: %v", e)
				}
			}
			return
		}
		for _, l := range d.Lines {
			if l.Span.Start >= l.Span.End || len(l.Keys) == 0 {
				t.Fatalf("%v has no extent", l)
			}
		}
		var peer map[string]any
		if _, err := toml.Decode(string(src), &peer); err == nil {
			comparePeer(t, "root", d.Root, peer)
		}
	})
}
