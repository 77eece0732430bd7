package shellhooks

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDecisions(t *testing.T) {
	dir, project := filepath.Join(t.TempDir(), "data"), t.TempDir()
	toml := filepath.Join(project, "devenv.toml")
	include := filepath.Join(project, "more.toml")
	write(t, project, map[string]string{"devenv.toml": "[packages]\n"})
	print := func() string {
		t.Helper()
		f, err := Fingerprint(toml, include)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	expect := func(want Decision, when string) {
		t.Helper()
		if got := Decided(dir, toml, print()); got != want {
			t.Errorf("%s: %d, want %d", when, got, want)
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	expect(Undecided, "at first")
	first := print()
	do(Allow(dir, toml, first))
	expect(Allowed, "after allow")
	for _, f := range Decisions(dir, toml, first)[1:] {
		if fi, err := os.Stat(f); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, fi, err)
		}
	}
	write(t, project, map[string]string{"devenv.toml": "[packages]\nmake = \"*\"\n"})
	expect(Undecided, "after a change")
	do(Allow(dir, toml, print()))
	expect(Allowed, "after the second allow")
	write(t, project, map[string]string{"more.toml": "[env]\nLD_PRELOAD = \"/tmp/x\"\n"})
	expect(Undecided, "after an included file appeared")
	do(Deny(dir, toml))
	expect(Denied, "after deny")
	if Decided(dir, toml, first) != Denied || Decided(dir, filepath.Join(project, "other.toml"), first) != Undecided {
		t.Error("deny holds for every state of that project, and takes back what was allowed")
	}
	do(Allow(dir, toml, print()))
	expect(Allowed, "after deny and allow")
}

func TestAllowDir(t *testing.T) {
	for _, c := range []struct{ data, home, want string }{
		{"/data", "/home/u", "/data/devenv"},
		{"relative", "/home/u", "/home/u/.local/share/devenv"},
		{"", "/home/u", "/home/u/.local/share/devenv"},
		{"", "", ""},
	} {
		if got := AllowDir(func(n string) string { return map[string]string{"XDG_DATA_HOME": c.data, "HOME": c.home}[n] }); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
