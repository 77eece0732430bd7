package layers

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"devenv/cache"
	"devenv/layers/unpack"
)

// testStore is a store of the test's own, in a cache of its own.
func testStore(t testing.TB) *Store {
	t.Helper()
	c, err := cache.Open(filepath.Join(tempDir(t), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return reopen(t, c)
}

// tempDir is a t.TempDir in which directories may be read-only.
func tempDir(t testing.TB) string {
	dir := t.TempDir()
	t.Cleanup(func() { cache.RemoveAll(dir) })
	return dir
}

func reopen(t testing.TB, c *cache.Cache) *Store {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustAdd(t testing.TB, s *Store, p *pkg) *Layer {
	t.Helper()
	layer, err := s.Add(context.Background(), p.source(t))
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// hello has one of everything that packages have.
var hello = &pkg{
	name: "hello", version: "1:2.10-3", info: "depend = glibc\nbackup = etc/hello.conf\n",
	build:   "format = 2\npkgname = hello\ninstalled = gcc-14.2.1-1-x86_64\n",
	install: "post_install() { :; }\n",
	entries: []entry{
		file("etc/hello.conf", "greeting = hello\n"),
		exe("usr/bin/hello", 0o755),
		exe("usr/bin/secret", 0o4111),
		symlink("usr/bin/hi", "hello"),
		hardLink("usr/bin/again", "usr/bin/hello"),
		file("usr/share/doc/with space/a::b", "x"),
		file("usr/share/empty", ""),
		dir("var/closed", 0o500),
		file("var/closed/inside", "in a directory that nobody may write to"),
		dir("srv/shared", 0o2775),
		dir("proc", 0o555),
	},
}

func TestAdd(t *testing.T) {
	s := testStore(t)
	src := hello.source(t)
	id := ID(src.SHA256)
	if s.Has(id) {
		t.Fatal("there before it was added")
	}
	layer, err := s.Add(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	if layer.ID != id || layer.Name() != "hello" || layer.SHA256 != src.SHA256 {
		t.Errorf("layer is %+v", layer)
	}
	checkHello(t, layer)
	again, err := reopen(t, s.cache).Layer(id)
	if err != nil {
		t.Fatal(err)
	}
	checkHello(t, again)
	if ids, err := s.List(); err != nil || len(ids) != 1 || ids[0] != id {
		t.Errorf("listed %v, %v", ids, err)
	}
	if left, _ := os.ReadDir(s.staging()); len(left) > 0 {
		t.Errorf("left in staging: %v", left)
	}
}

func checkHello(t *testing.T, layer *Layer) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(layer.Dir, "usr/share/doc/with space/a::b"))
	if err != nil || string(body) != "x" {
		t.Errorf("%q, %v", body, err)
	}
	for path, want := range map[string]File{
		"usr/bin/secret": {Mode: 0o4111, Kind: Regular, Size: 28},
		"usr/bin/hi":     {Mode: 0o777, Kind: Symlink, Link: "hello"},
		"usr/bin/again":  {Mode: 0o755, Kind: Regular, Size: 27, Link: "usr/bin/hello"},
		"var/closed":     {Mode: 0o500, Kind: Directory},
		"srv/shared":     {Mode: 0o2775, Kind: Directory},
	} {
		got, ok := layer.Find(path)
		if !ok {
			t.Errorf("%s is not in the record", path)
			continue
		}
		if got.MTime != builtAt*1e9 {
			t.Errorf("%s is of %d", path, got.MTime)
		}
		want.Path, want.MTime = path, got.MTime
		want.Size, got.Size = 0, 0
		if *got != want {
			t.Errorf("record has %+v, want %+v", *got, want)
		}
	}
	if path, ok := layer.Scriptlet(); !ok || path != "var/lib/pacman/local/hello-1:2.10-3/install" {
		t.Errorf("scriptlet %q, %v", path, ok)
	}
	libraries, err := layer.ELF()
	if err != nil {
		t.Fatal(err)
	}
	var scripts []string
	for _, o := range libraries.Objects {
		scripts = append(scripts, o.Path+" "+o.Interpreter)
	}
	if want := []string{"usr/bin/again /bin/sh", "usr/bin/hello /bin/sh", "usr/bin/secret /bin/sh"}; !slices.Equal(scripts, want) {
		t.Errorf("scripts %q, want %q", scripts, want)
	}
	details, err := layer.Details()
	if err != nil || details.Build == nil || len(details.Build.Installed) != 1 {
		t.Errorf("details %+v, %v", details, err)
	}
}

func TestAddRefuses(t *testing.T) {
	good := hello.bytes(t)
	outside := &pkg{name: "outside", entries: []entry{{path: "../escaped", mode: 0o644, body: "x"}}}
	through := &pkg{name: "through", entries: []entry{symlink("out", "/tmp"), file("out/there", "x")}}
	ownDB := &pkg{name: "db", entries: []entry{file("var/lib/pacman/local/db-1-1/desc", "forged")}}
	tests := map[string]struct {
		data  []byte
		want  string // SHA-256; that of data if empty
		check func(error) bool
	}{
		"outside":    {outside.bytes(t), "", func(err error) bool { return errors.Is(err, unpack.ErrEscape) }},
		"through":    {through.bytes(t), "", func(err error) bool { return errors.Is(err, unpack.ErrSymlink) }},
		"database":   {ownDB.bytes(t), "", func(err error) bool { return err != nil }},
		"truncated":  {good[:len(good)/2], "", func(err error) bool { return err != nil }},
		"cut":        {good[:len(good)/2], sha(good), isHashError},
		"other":      {good, sha(nil), isHashError},
		"no archive": {[]byte("<html>404</html>"), "", func(err error) bool { return err != nil }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := testStore(t)
			kept := mustAdd(t, s, &pkg{name: "kept", entries: []entry{file("usr/x", "x")}})
			sum := or(tt.want, sha(tt.data))
			layer, err := s.Add(context.Background(), Source{Filename: name + ".pkg", SHA256: sum, Reader: bytes.NewReader(tt.data)})
			if layer != nil || !tt.check(err) {
				t.Fatalf("got %v, %v", layer, err)
			}
			t.Log(err)
			if s.Has(ID(sum)) {
				t.Error("it is in the store")
			}
			if ids, err := s.List(); err != nil || len(ids) != 1 || ids[0] != kept.ID {
				t.Errorf("the store has %v, %v", ids, err)
			}
			if left, _ := os.ReadDir(s.staging()); len(left) > 0 {
				t.Errorf("left in staging: %v", left)
			}
		})
	}
}

func isHashError(err error) bool {
	var hash *HashError
	return errors.As(err, &hash)
}
