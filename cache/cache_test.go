package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func open(t *testing.T) *Cache {
	t.Helper()
	c, err := Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestDir(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"DEVENV_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"},
		{map[string]string{"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/devenv"},
		{map[string]string{"XDG_CACHE_HOME": "b", "HOME": "/c"}, "/c/.cache/devenv"},
		{map[string]string{"HOME": "/c"}, "/c/.cache/devenv"},
	} {
		if got := Dir(func(key string) string { return test.env[key] }); got != test.want {
			t.Errorf("%v: %q, want %q", test.env, got, test.want)
		}
	}
	got := Dir(func(key string) string { return map[string]string{"DEVENV_CACHE_DIR": "x"}[key] })
	if !filepath.IsAbs(got) {
		t.Errorf("a relative DEVENV_CACHE_DIR gives %q", got)
	}
}

func TestOpenMakesAndFindsTheCache(t *testing.T) {
	c := open(t)
	again, err := Open(c.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if again.Dir() != c.Dir() {
		t.Errorf("found %s, made %s", again.Dir(), c.Dir())
	}
	info, err := os.Stat(c.Dir())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(c.Path(Tmp))
	if err != nil || len(left) != 0 {
		t.Errorf("left in tmp: %v, %v", left, err)
	}
	tag, err := os.ReadFile(filepath.Join(c.Dir(), "CACHEDIR.TAG"))
	if err != nil || !strings.HasPrefix(string(tag), "Signature: 8a477f597d28d172789f06886806bc55") {
		t.Errorf("tag %q, %v", tag, err)
	}
}

func TestOpenByManyAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "cache")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := Open(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestOpenRefuses(t *testing.T) {
	tests := map[string]struct {
		prepare func(t *testing.T, dir string)
		words   []string
	}{
		"a directory with other things": {
			func(t *testing.T, dir string) { mustWrite(t, dir+"/thesis.tex", "x") },
			[]string{"thesis.tex", "DEVENV_CACHE_DIR"},
		},
		"a newer format": {
			func(t *testing.T, dir string) { mustWrite(t, dir+"/format", "7\n") },
			[]string{"format 7", "newer", "update devenv"},
		},
		"a damaged format": {
			func(t *testing.T, dir string) { mustWrite(t, dir+"/format", "\x00\x00") },
			[]string{"format", "remove that file"},
		},
		"one that others may write to": {
			func(t *testing.T, dir string) {
				os.Mkdir(dir, 0o700)
				os.Chmod(dir, 0o770)
			},
			[]string{"other users", "chmod go-w"},
		},
		"a file": {
			func(t *testing.T, dir string) { mustWrite(t, dir, "x") },
			[]string{"not a directory"},
		},
		"another user's": {
			func(t *testing.T, dir string) {
				os.Mkdir(dir, 0o700)
				if err := os.Chown(dir, 65534, -1); err != nil {
					t.Skipf("skipped: only root can give a directory away: %v", err)
				}
			},
			[]string{"65534", "DEVENV_CACHE_DIR"},
		},
		"another user's link": {
			func(t *testing.T, dir string) {
				os.Mkdir(dir+".real", 0o700)
				os.Symlink(dir+".real", dir)
				if err := os.Lchown(dir, 65534, -1); err != nil {
					t.Skipf("skipped: only root can give a link away: %v", err)
				}
			},
			[]string{"65534"},
		},
		"sudo with the user's home": {
			func(t *testing.T, dir string) {
				t.Setenv("SUDO_UID", "65534")
				if err := os.Chown(filepath.Dir(dir), 65534, -1); err != nil || os.Geteuid() != 0 {
					t.Skipf("skipped: this is about root: %v", err)
				}
			},
			[]string{"65534", "sudo -H"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "cache")
			test.prepare(t, dir)
			_, err := Open(dir)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, word := range test.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
		})
	}
}

func TestOpenFollowsOnesOwnLink(t *testing.T) {
	base := t.TempDir()
	if err := os.Mkdir(base+"/big", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("big", base+"/cache"); err != nil {
		t.Fatal(err)
	}
	c, err := Open(base + "/cache")
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(c.Dir()) != "big" {
		t.Errorf("opened %s", c.Dir())
	}
}

func TestAnOlderFormatIsBroughtUpToDate(t *testing.T) {
	c := open(t)
	mustWrite(t, c.Package("00", "a.pkg.tar.zst"), "kept")
	mustWrite(t, c.Path(Trees, "t", "fs", "bin"), "derived")
	if found, err := c.readFormat(); err != nil || found != format {
		t.Fatal(found, err)
	}
	if err := c.upgrade(); err != nil { // of the present format: nothing to do
		t.Fatal(err)
	}
	if !exists(c.Path(Trees, "t")) {
		t.Error("a cache of this format lost a tree")
	}
	if err := c.rebuild(); err != nil {
		t.Fatal(err)
	}
	if !exists(c.Package("00", "a.pkg.tar.zst")) {
		t.Error("the package is gone")
	}
	if exists(c.Path(Trees, "t")) || !exists(c.Path(Trees)) {
		t.Error("the tree is still there, or its directory is not")
	}
}

func TestAKilledOpenIsCompleted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	for _, kind := range kinds[:3] {
		if err := os.MkdirAll(filepath.Join(dir, string(kind)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := c.readFormat(); err != nil || found != format {
		t.Error(found, err)
	}
}

func TestFullErrorSaysWhatToDo(t *testing.T) {
	err := Explain(fmt.Errorf("write: %w", errNoSpace), t.TempDir(), 3<<20)
	var full *FullError
	if !errors.As(err, &full) || full.Free < 0 {
		t.Fatalf("%v", err)
	}
	for _, word := range []string{"full", "3.0 MiB needed", "free", "devenv cache gc"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	if other := errors.New("x"); Explain(other, "/", 0) != other {
		t.Error("another error was changed")
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1<<20 - 1: "1.0 MiB", 1536 << 20: "1.5 GiB", 1 << 62: "4096.0 PiB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestAMissingDirectoryIsMade(t *testing.T) {
	c := open(t)
	if err := os.Remove(c.Path(Locals)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c.Dir()); err != nil || !exists(c.Path(Locals)) {
		t.Errorf("a kind's directory is not there: %v", err)
	}
}
