package shellhooks

import (
	"maps"
	"strings"
	"testing"
)

func apply(now map[string]string, d Diff) map[string]string {
	out := maps.Clone(now)
	for k := range d.Before {
		delete(out, k)
	}
	maps.Copy(out, d.After)
	return out
}

func must(t *testing.T, now map[string]string, next *Activation) map[string]string {
	t.Helper()
	d, err := Switch(now, next)
	if err != nil {
		t.Fatal(err)
	}
	return apply(now, d)
}

func TestLeavingRestoresExactly(t *testing.T) {
	a := &Activation{Key: "a", Path: []string{"/cache/a"}, Env: map[string]string{"CC": "gcc", "NEW": "\xff\xfe", "SAME": "s"}}
	b := &Activation{Key: "b", Path: []string{"/cache/b", "/cache/b2"}, Env: map[string]string{"CC": "clang"}}
	for _, host := range []map[string]string{
		{"PATH": "/usr/bin:/bin", "CC": "cc", "SAME": "s", "OTHER": "x"},
		{"PATH": "/usr/bin::/bin:"},
		{"PATH": ""},
		{},
		{"PATH": "/cache/a:/usr/bin"},
		{"PATH": "/bin", "CC": "\xc3\x28 raw bytes", "NEW": ""},
	} {
		in := must(t, host, a)
		if !strings.HasPrefix(in["PATH"]+":", "/cache/a:") || in["CC"] != "gcc" || in["NEW"] != "\xff\xfe" || in[diffVar] == "" {
			t.Errorf("in a project: %q", in)
		}
		if host["PATH"] == "" && in["PATH"] != "/cache/a" {
			t.Errorf("PATH %q has an entry for the working directory", in["PATH"])
		}
		if again, _ := Switch(in, a); len(again.Before)+len(again.After) > 0 {
			t.Errorf("nothing changed, yet %q", again)
		}
		over := must(t, in, b)
		if !strings.HasPrefix(over["PATH"]+":", "/cache/b:/cache/b2:") || over["CC"] != "clang" || over["NEW"] != host["NEW"] {
			t.Errorf("from one project to the next: %q", over)
		}
		for _, out := range []map[string]string{must(t, in, nil), must(t, over, nil), must(t, must(t, over, a), nil)} {
			if !maps.Equal(out, host) {
				t.Errorf("left behind:\n%q, want\n%q", out, host)
			}
		}
	}
}

func TestWhatTheUserChangedStays(t *testing.T) {
	host := map[string]string{"PATH": "/usr/bin", "CC": "cc", "A": "1"}
	in := must(t, host, &Activation{Key: "a", Path: []string{"/cache/a"}, Env: map[string]string{"CC": "gcc", "A": "2", "B": "3", "C": "4"}})
	in["PATH"] = "/home/u/venv/bin:" + in["PATH"]
	in["CC"] = "mine"
	in["MINE"] = "yes"
	delete(in, "A")
	delete(in, "B")
	want := map[string]string{"PATH": "/home/u/venv/bin:/usr/bin", "CC": "mine", "MINE": "yes"}
	if out := must(t, in, nil); !maps.Equal(out, want) {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestPathThatWasSetAnewIsMended(t *testing.T) {
	a := &Activation{Key: "a", Path: []string{"/cache/a"}}
	in := must(t, map[string]string{"PATH": "/usr/bin"}, a)
	in["PATH"] = "/usr/bin:/sbin" // as a login shell does
	in = must(t, in, a)
	if in["PATH"] != "/cache/a:/usr/bin:/sbin" {
		t.Errorf("PATH is %q", in["PATH"])
	}
	if out := must(t, in, nil); out["PATH"] != "/usr/bin:/sbin" || len(out) != 1 {
		t.Errorf("left behind: %q", out)
	}
}

func TestAnotherProgramsDiffIsTold(t *testing.T) {
	for _, text := range []string{"", "x", "!!!", "H4sIAAAAAAAA_w", record{Key: "k"}.encode()[:12], strings.Repeat("A", 1000)} {
		now := map[string]string{"PATH": "/bin", diffVar: text}
		d, err := Switch(now, nil)
		if err == nil || !strings.Contains(err.Error(), diffVar) {
			t.Errorf("%q: error %v", text, err)
		}
		if out := apply(now, d); !maps.Equal(out, map[string]string{"PATH": "/bin"}) {
			t.Errorf("%q: left behind %q", text, out)
		}
		if d, err = Switch(now, &Activation{Key: "a", Path: []string{"/a"}}); err == nil || d.After["PATH"] != "/a:/bin" {
			t.Errorf("%q: %v, %v", text, d, err)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add(record{Key: "k", Path: [][]byte{[]byte("/a")}, After: map[string][]byte{"A": []byte("\xff")}}.encode())
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := decodeRecord(s); err == nil {
			if _, err := decodeRecord(r.encode()); err != nil {
				t.Error(err)
			}
		}
	})
}
