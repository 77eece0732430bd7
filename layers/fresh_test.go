package layers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"devenv/cache"
)

// laterStore has a layer and a tree that have not been waited for.
func laterStore(t *testing.T) (s *Store, spec TreeSpec) {
	t.Helper()
	if bootID() == "" {
		t.Skip("the kernel does not name its boots: /proc/sys/kernel/random/boot_id cannot be read")
	}
	s = testStore(t)
	s.Later = true
	spec = addAll(t, s, hello, &pkg{name: "more", entries: []entry{file("usr/more", "more")}})
	mustTree(t, s, spec)
	return s, spec
}

// restart makes the store look as if all of it were of an older boot.
func restart(t *testing.T, s *Store) *Store {
	t.Helper()
	if err := os.Rename(s.fresh(bootID()), s.fresh("an-older-one")); err != nil {
		t.Fatal(err)
	}
	return reopen(t, s.cache)
}

func notes(s *Store) []string {
	found, _ := filepath.Glob(s.fresh("*", "*"))
	return found
}

func TestFreshCountsAtOnce(t *testing.T) {
	s, spec := laterStore(t)
	if len(notes(s)) != 3 || !s.Unsettled() {
		t.Errorf("notes %q", notes(s))
	}
	other := reopen(t, s.cache)
	for _, id := range spec.Layers {
		if !other.Has(id) {
			t.Error("another process does not have the layer")
		}
	}
	if _, ok := other.FindTree(spec); !ok {
		t.Error("another process does not have the tree")
	}
	if err := other.Settle(); err != nil {
		t.Fatal(err)
	}
	if left := notes(s); len(left) > 0 || s.Unsettled() {
		t.Errorf("notes %q", left)
	}
	for _, s := range []*Store{s, other, reopen(t, s.cache)} {
		if _, ok := s.FindTree(spec); !ok || !s.Has(spec.Layers[0]) {
			t.Error("gone when it was settled")
		}
	}
	checkNoRubbish(t, s, 2)
	if err := s.Settle(); err != nil {
		t.Error(err)
	}
}

func TestFreshIsSettledLater(t *testing.T) {
	s, _ := laterStore(t)
	long := time.Now().Add(-2 * settleAge)
	if err := os.Chtimes(s.fresh(bootID()), long, long); err != nil {
		t.Fatal(err)
	}
	reopen(t, s.cache)
	for range 200 {
		if !s.Unsettled() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("nobody has settled it")
}

// A machine that was shut down properly has lost nothing.
func TestFreshOutlastsRestart(t *testing.T) {
	s, spec := laterStore(t)
	s = restart(t, s)
	if left := notes(s); len(left) > 0 {
		t.Errorf("notes %q", left)
	}
	if _, ok := s.FindTree(spec); !ok || !s.Has(spec.Layers[0]) || !s.Has(spec.Layers[1]) {
		t.Error("something is gone")
	}
	checkNoRubbish(t, s, 2)
}

// A power cut leaves names without bytes, and bytes without names.
func TestFreshAfterPowerCut(t *testing.T) {
	for name, tt := range map[string]struct {
		lose   func(s *Store, spec TreeSpec) error
		layers int // that are still there
	}{
		"bytes": {func(s *Store, spec TreeSpec) error {
			return rewrite(filepath.Join(s.dir(spec.Layers[0]), "usr/bin/hello"), "")
		}, 1},
		"a file": {func(s *Store, spec TreeSpec) error {
			return os.Remove(filepath.Join(s.dir(spec.Layers[0]), "usr/bin/hi"))
		}, 1},
		"a layer":  {func(s *Store, spec TreeSpec) error { return cache.RemoveAll(filepath.Dir(s.dir(spec.Layers[0]))) }, 1},
		"a record": {func(s *Store, spec TreeSpec) error { return os.Truncate(s.fresh(bootID(), spec.Layers[0]), 0) }, 1},
		"the list": {func(s *Store, spec TreeSpec) error {
			return os.Truncate(s.cache.Path(cache.Store, "overlay-layers/layers.json"), 0)
		}, 0},
		"in the tree": {func(s *Store, spec TreeSpec) error { return os.Remove(filepath.Join(s.tree(spec.ID()).FS, "usr/more")) }, 2},
		"the spec": {func(s *Store, spec TreeSpec) error {
			return os.Truncate(filepath.Join(s.tree(spec.ID()).Dir, specFile), 0)
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s, spec := laterStore(t)
			if err := tt.lose(s, spec); err != nil {
				t.Fatal(err)
			}
			s = restart(t, s)
			if left := notes(s); len(left) > 0 {
				t.Errorf("notes %q", left)
			}
			if _, ok := s.FindTree(spec); ok {
				t.Error("the tree is there")
			}
			there := 0
			for _, id := range spec.Layers {
				if s.Has(id) {
					there++
				}
			}
			if there != tt.layers {
				t.Errorf("%d layers are there, want %d", there, tt.layers)
			}
			again := addAll(t, s, hello, &pkg{name: "more", entries: []entry{file("usr/more", "more")}})
			tree := mustTree(t, s, again)
			if damage, err := s.VerifyTree(context.Background(), tree.ID); err != nil || len(damage) > 0 {
				t.Errorf("%v, %v", damage, err)
			}
			checkWhole(t, s)
			if err := s.Sweep(context.Background()); err != nil {
				t.Fatal(err)
			}
			checkNoRubbish(t, s, 2)
		})
	}
}

// What cannot be compared with anything is thrown away, unless it is held.
func TestFreshOfOtherKinds(t *testing.T) {
	s, _ := laterStore(t)
	publish := func(id string) string {
		t.Helper()
		dir, release, err := s.cache.Temp("setup")
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if won, err := s.PublishLater(cache.Setups, dir, id); err != nil || !won {
			t.Fatal(won, err)
		}
		return s.cache.Setup(id)
	}
	lost, held := publish("a1"), publish("b2")
	dir, release, err := s.cache.Temp("setup")
	if err != nil {
		t.Fatal(err)
	}
	if won, err := s.PublishLater(cache.Setups, dir, "a1"); err != nil || won {
		t.Errorf("published twice: %v, %v", won, err)
	}
	release()
	free, err := s.cache.Hold(cache.Setups, "b2")
	if err != nil {
		t.Fatal(err)
	}
	s = restart(t, s)
	if _, err := os.Stat(lost); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is there: %v", err)
	}
	if _, err := os.Stat(held); err != nil {
		t.Errorf("taken from one who has it: %v", err)
	}
	free()
	reopen(t, s.cache)
	if _, err := os.Stat(held); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is there: %v", err)
	}
	if left := notes(s); len(left) > 0 {
		t.Errorf("notes %q", left)
	}
}
