package layers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"devenv/cache"
)

// harm are ways to damage hello's layer; each says what verification must find.
var harm = map[string]struct {
	do   func(dir string) error
	path string
	says string
}{
	"missing":   {func(dir string) error { return os.Remove(dir + "/usr/bin/hi") }, "usr/bin/hi", "missing"},
	"content":   {func(dir string) error { return rewrite(dir+"/etc/hello.conf", "greeting = HELLO\n") }, "etc/hello.conf", "other content"},
	"size":      {func(dir string) error { return rewrite(dir+"/etc/hello.conf", "") }, "etc/hello.conf", "0 bytes instead of 17"},
	"time":      {func(dir string) error { return os.Chtimes(dir+"/etc/hello.conf", time.Now(), time.Now()) }, "etc/hello.conf", "another time"},
	"mode":      {func(dir string) error { return os.Chmod(dir+"/usr/bin/secret", 0o755) }, "usr/bin/secret", "mode 0755 instead of 4111"},
	"directory": {func(dir string) error { return os.Chmod(dir+"/proc", 0o700) }, "proc", "mode 0700 instead of 0755"},
	"kind": {func(dir string) error {
		return errors.Join(os.Remove(dir+"/proc"), os.WriteFile(dir+"/proc", nil, 0o644))
	}, "proc", "another kind"},
	"link":      {func(dir string) error { return relink(dir + "/usr/bin/hi") }, "usr/bin/hi", "leads elsewhere"},
	"hard link": {func(dir string) error { return unlink(dir + "/usr/bin/again") }, "usr/bin/again", "no longer the same file as /usr/bin/hello"},
	"extra":     {func(dir string) error { return os.MkdirAll(dir+"/usr/lib/new/deep", 0o755) }, "usr/lib", "not the package's"},
	"database": {func(dir string) error {
		return rewrite(dir+"/"+localDB+"/hello-1:2.10-3/desc", strings.Repeat("x", 200))
	}, localDB + "/hello-1:2.10-3/desc", "instead of"},
	"own database": {func(dir string) error { return flip(dir + "/" + localDB + "/hello-1:2.10-3/files") }, localDB + "/hello-1:2.10-3/files", "other content"},
}

// rewrite changes a file's bytes and not its time.
func rewrite(path, body string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(path, []byte(body), 0), os.Chtimes(path, info.ModTime(), info.ModTime()))
}

func flip(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[len(data)/2] ^= 1
	return rewrite(path, string(data))
}

func relink(path string) error {
	ts := unix.NsecToTimespec(builtAt * 1e9)
	return errors.Join(os.Remove(path), os.Symlink("again", path),
		unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW))
}

// unlink gives a hard link an inode of its own, with the same bytes.
func unlink(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	at := time.Unix(builtAt, 0)
	return errors.Join(os.Remove(path), os.WriteFile(path, data, 0o755), os.Chmod(path, 0o755), os.Chtimes(path, at, at))
}

func TestVerify(t *testing.T) {
	for name, tt := range harm {
		t.Run(name, func(t *testing.T) {
			s := testStore(t)
			layer := mustAdd(t, s, hello)
			if damage, err := s.Verify(context.Background(), layer.ID); err != nil || len(damage) > 0 {
				t.Fatalf("sound, but: %v, %v", damage, err)
			}
			if err := tt.do(layer.Dir); err != nil {
				t.Fatal(err)
			}
			damage, err := s.Verify(context.Background(), layer.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range damage {
				if d.Path == tt.path && strings.Contains(d.Problem, tt.says) && d.Layer == layer.ID {
					return
				}
			}
			t.Errorf("found %v", damage)
		})
	}
}

// A package of long ago has no .MTREE; its files are summed when they are unpacked.
func TestVerifyWithoutMTREE(t *testing.T) {
	s := testStore(t)
	old := *hello
	old.noMTREE = true
	layer := mustAdd(t, s, &old)
	if damage, err := s.Verify(context.Background(), layer.ID); err != nil || len(damage) > 0 {
		t.Fatalf("sound, but: %v, %v", damage, err)
	}
	if err := flip(filepath.Join(layer.Dir, "etc/hello.conf")); err != nil {
		t.Fatal(err)
	}
	damage, err := s.Verify(context.Background(), layer.ID)
	if err != nil || len(damage) != 1 || damage[0].Path != "etc/hello.conf" {
		t.Errorf("found %v, %v", damage, err)
	}
}

func TestVerifyTree(t *testing.T) {
	tests := map[string]struct {
		do   func(dir string) error
		path string
		says string
	}{
		"missing":   {harm["missing"].do, "usr/bin/hi", "missing"},
		"mode":      {func(dir string) error { return os.Chmod(dir+"/proc", 0o700) }, "proc", "mode 0700 instead of 0555"},
		"other":     {func(dir string) error { return unlink(dir + "/usr/bin/again") }, "usr/bin/again", ""},
		"changed":   {func(dir string) error { return os.Remove(dir + "/usr/share/empty") }, "usr/share", "another time"},
		"extra":     {func(dir string) error { return os.WriteFile(dir+"/usr/bin/new", nil, 0o644) }, "usr/bin/new", "in none of its layers"},
		"directory": {func(dir string) error { return errors.Join(os.Remove(dir+"/proc"), os.Symlink("usr", dir+"/proc")) }, "proc", "no directory"},
		"database":  {func(dir string) error { return os.WriteFile(dir+"/"+dbVersion, []byte("8\n"), 0o644) }, dbVersion, "other content"},
		"spec":      {func(dir string) error { return os.Remove(filepath.Join(dir, "..", specFile)) }, specFile, "cannot be read"},
		"all":       {func(dir string) error { return cache.RemoveAll(dir) }, "fs", "missing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := testStore(t)
			tree := mustTree(t, s, addAll(t, s, hello))
			if damage, err := s.VerifyTree(context.Background(), tree.ID); err != nil || len(damage) > 0 {
				t.Fatalf("sound, but: %v, %v", damage, err)
			}
			if err := tt.do(tree.FS); err != nil {
				t.Fatal(err)
			}
			damage, err := s.VerifyTree(context.Background(), tree.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range damage {
				if d.Path == tt.path && strings.Contains(d.Problem, tt.says) && d.Tree == tree.ID {
					return
				}
			}
			if name != "other" { // the same bytes under the same mode and time: as a copy would be
				t.Errorf("found %v", damage)
			}
		})
	}
}

func TestVerifyTreeWithoutLayer(t *testing.T) {
	s := testStore(t)
	spec := addAll(t, s, hello)
	tree := mustTree(t, s, spec)
	if err := s.Delete(context.Background(), spec.Layers...); err != nil {
		t.Fatal(err)
	}
	damage, err := s.VerifyTree(context.Background(), tree.ID)
	if err != nil || len(damage) != 1 || damage[0].Layer != spec.Layers[0] {
		t.Errorf("found %v, %v", damage, err)
	}
}
