package layers

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"devenv/cache"
)

func TestDelete(t *testing.T) {
	s := testStore(t)
	kept := mustAdd(t, s, &pkg{name: "kept", entries: []entry{file("usr/x", "x")}})
	gone := mustAdd(t, s, hello)
	tree := mustTree(t, s, TreeSpec{Layers: []string{kept.ID, gone.ID}})
	if err := s.Delete(context.Background(), gone.ID, ID("never there")); err != nil {
		t.Fatal(err)
	}
	if s.Has(gone.ID) || !s.Has(kept.ID) {
		t.Error("not the one that was meant")
	}
	if _, err := os.Lstat(filepath.Dir(gone.Dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its files are there: %v", err)
	}
	if body, err := os.ReadFile(filepath.Join(tree.FS, "etc/hello.conf")); err != nil || len(body) == 0 {
		t.Errorf("the tree has lost it: %v", err)
	}
	checkNoRubbish(t, s, 1)
	if again := mustAdd(t, s, hello); again.ID != gone.ID {
		t.Error("added anew under another id")
	}
}

func TestGC(t *testing.T) {
	s := testStore(t)
	used := mustAdd(t, s, &pkg{name: "used", entries: []entry{file("usr/x", "x")}})
	unused := mustAdd(t, s, hello)
	tree := mustTree(t, s, TreeSpec{Layers: []string{used.ID}})
	if err := s.cache.RecordUse(t.TempDir(), cache.Uses{Layers: []string{used.ID}, Trees: []string{tree.ID}}); err != nil {
		t.Fatal(err)
	}
	for _, dryRun := range []bool{true, false} {
		report, err := s.cache.GC(context.Background(), cache.GCOptions{DryRun: dryRun, Layers: s.GC})
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Removed) != 1 || report.Removed[0].Name != unused.ID || report.Freed < 4096 {
			t.Errorf("removed %+v", report)
		}
		if s.Has(unused.ID) != dryRun || !s.Has(used.ID) {
			t.Errorf("dry run %v: unused there %v, used there %v", dryRun, s.Has(unused.ID), s.Has(used.ID))
		}
	}
	checkNoRubbish(t, s, 1)
}

// leaveHalfMade puts there what a process that was killed leaves.
func leaveHalfMade(t *testing.T, s *Store) {
	t.Helper()
	dir := filepath.Join(s.staging(), "123", "dir", "closed")
	err := errors.Join(
		os.MkdirAll(dir, 0o755),
		os.WriteFile(filepath.Join(dir, "file"), nil, 0o644),
		os.Chmod(dir, 0o500),
		os.WriteFile(filepath.Join(s.staging(), "123", "staging.lock"), nil, 0o644))
	if err != nil {
		t.Fatal(err)
	}
}

func TestSweepWhenOpened(t *testing.T) {
	s := testStore(t)
	leaveHalfMade(t, s)
	release, err := s.Hold(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	reopen(t, s.cache)
	if left, _ := os.ReadDir(s.staging()); len(left) != 1 {
		t.Error("swept while somebody held the layers")
	}
	release()
	reopen(t, s.cache)
	if left, _ := os.ReadDir(s.staging()); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	if left, _ := os.ReadDir(s.cache.Path(cache.Tmp)); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestSweepAll(t *testing.T) {
	s := testStore(t)
	layer := mustAdd(t, s, hello)
	leaveHalfMade(t, s)
	err := errors.Join(
		os.WriteFile(s.recordPath(ID("gone")), nil, 0o600),
		os.WriteFile(s.recordPath(".tmp"), nil, 0o600),
		os.MkdirAll(s.dir(ID("unlisted")), 0o755))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	checkNoRubbish(t, s, 1)
	if !s.Has(layer.ID) {
		t.Error("the layer went too")
	}
}

// What a layer is made of may be lost one by one: it is not there then, and is
// made anew when it is asked for.
func TestMendPartsOfLayer(t *testing.T) {
	src := hello.bytes(t)
	id := ID(sha(src))
	for name, lose := range map[string]func(s *Store) error{
		"record":         func(s *Store) error { return os.Remove(s.recordPath(id)) },
		"record damaged": func(s *Store) error { return flip(s.recordPath(id)) },
		"record empty":   func(s *Store) error { return os.Truncate(s.recordPath(id), 0) },
		"files":          func(s *Store) error { return cache.RemoveAll(s.dir(id)) },
		"directory":      func(s *Store) error { return cache.RemoveAll(filepath.Dir(s.dir(id))) },
		"list":           func(s *Store) error { return os.Truncate(s.cache.Path(cache.Store, "overlay-layers/layers.json"), 0) },
		"links":          func(s *Store) error { return cache.RemoveAll(s.cache.Path(cache.Store, "overlay/l")) },
	} {
		t.Run(name, func(t *testing.T) {
			s := testStore(t)
			mustAdd(t, s, hello)
			if err := lose(s); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond) // the list is read again when its time has changed
			if _, err := s.Layer(id); name != "links" && !errors.Is(err, ErrNoLayer) {
				t.Errorf("it is there without: %v", err)
			}
			layer, err := s.Add(context.Background(), Source{Filename: "hello", SHA256: sha(src), Reader: bytes.NewReader(src)})
			if err != nil {
				t.Fatal(err)
			}
			if damage, err := s.Verify(context.Background(), layer.ID); err != nil || len(damage) > 0 {
				t.Errorf("%v, %v", damage, err)
			}
		})
	}
}

// Some file systems leave a list cut short by a power cut. Only a process that
// comes later finds it so.
func TestMendList(t *testing.T) {
	dir := tempDir(t)
	sources := writePackages(t, dir, hello)
	build := func() {
		t.Helper()
		if out, err := child(t, "build", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	build()
	for _, list := range []string{"overlay-layers/layers.json", "run/overlay-layers/mountpoints.json"} {
		list := filepath.Join(dir, "cache/store", list)
		data, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(list, data[:len(data)-1], 0o600); err != nil {
			t.Fatal(err)
		}
		build()
	}
	c, err := cache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	s := reopen(t, c)
	if _, err := makeTree(context.Background(), s, sources); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, s)
	if err := s.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	checkNoRubbish(t, s, 1)
}
