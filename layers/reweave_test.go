package layers

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"devenv/cache"
)

// layersOf yields the layers of a spec, as AddAll does.
func layersOf(s *Store, spec TreeSpec) iter.Seq2[*Layer, error] {
	return func(yield func(*Layer, error) bool) {
		for _, id := range spec.Layers {
			if !yield(s.Layer(id)) {
				return
			}
		}
	}
}

// randomPackages share directories of different modes, and some files.
func randomPackages(t *testing.T, rng *rand.Rand, s *Store) (ids []string) {
	t.Helper()
	modes := []int64{0o755, 0o755, 0o700, 0o555, 0o1777, 0o2750, 0o500}
	for i := range 14 {
		p := &pkg{name: fmt.Sprintf("p%02d", i), entries: []entry{file(fmt.Sprintf("usr/own/p%d/f", i), "x")}}
		for j := range 6 {
			if rng.IntN(2) == 0 {
				p.entries = append(p.entries, entry{path: fmt.Sprintf("d%d/", j), mode: modes[rng.IntN(len(modes))], time: int64(1 + rng.IntN(9))})
				p.entries = append(p.entries, file(fmt.Sprintf("d%d/p%d", j, i), "x"), file(fmt.Sprintf("d%d/sub%d/p%d", j, rng.IntN(3), i), "x"))
			}
			if rng.IntN(3) == 0 {
				p.entries = append(p.entries, file(fmt.Sprintf("shared/f%d", j), fmt.Sprint(i)))
			}
		}
		ids = append(ids, mustAdd(t, s, p).ID)
	}
	return ids
}

func randomSpec(rng *rand.Rand, ids []string) (spec TreeSpec) {
	spec.Overwrite = make(map[string][]string)
	for i, id := range ids {
		if rng.IntN(8) > 0 {
			spec.Layers = append(spec.Layers, id)
		}
		spec.Overwrite[fmt.Sprintf("p%02d", i)] = []string{"shared/*"}
	}
	if rng.IntN(3) == 0 {
		spec.NoExtract = []string{fmt.Sprintf("d%d/*", rng.IntN(6))}
	}
	return spec
}

// A tree that was made of another is as if it had been made anew.
func TestReweave(t *testing.T) {
	s := testStore(t)
	rng := rand.New(rand.NewPCG(1, 2))
	ids := randomPackages(t, rng, s)
	changed := 0
	for range 12 {
		from, to := randomSpec(rng, ids), randomSpec(rng, ids)
		if from.ID() == to.ID() {
			continue
		}
		fresh := mustTree(t, s, to)
		want, db := look(t, fresh.FS), databaseOf(t, fresh)
		removeTree(t, s, fresh)
		old := mustTree(t, s, from)
		kept := inode(t, old.FS)
		tree, err := s.Reweave(context.Background(), old.ID, to, layersOf(s, to))
		if err != nil {
			t.Fatal(err)
		}
		if inode(t, tree.FS) == kept {
			changed++
		}
		if got := look(t, tree.FS); !slices.Equal(got, want) {
			t.Fatalf("from %v to %v:\n%v\nwant\n%v", from, to, got, want)
		}
		if got := databaseOf(t, tree); !slices.Equal(got, db) {
			t.Fatalf("database %v, want %v", got, db)
		}
		if damage, err := s.VerifyTree(context.Background(), tree.ID); err != nil || len(damage) > 0 {
			t.Fatalf("%v, %v", damage, err)
		}
		removeTree(t, s, tree)
		if old, ok := s.FindTree(from); ok {
			removeTree(t, s, old)
		}
	}
	if changed < 6 {
		t.Errorf("only %d trees were changed and not made anew", changed)
	}
	checkNoRubbish(t, s, len(ids))
}

func databaseOf(t *testing.T, tree *Tree) (names []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(tree.FS, localDB, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	return names
}

func removeTree(t *testing.T, s *Store, tree *Tree) {
	t.Helper()
	if err := cache.RemoveAll(tree.Dir); err != nil {
		t.Fatal(err)
	}
}

// What is in use is left alone.
func TestReweaveOfHeld(t *testing.T) {
	s := testStore(t)
	from := addAll(t, s, hello)
	to := from
	to.Layers = append(slices.Clone(from.Layers), mustAdd(t, s, &pkg{name: "more", entries: []entry{file("usr/more", "x")}}).ID)
	old := mustTree(t, s, from)
	release, err := s.cache.Hold(cache.Trees, old.ID)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		tree, err := s.Reweave(context.Background(), old.ID, to, layersOf(s, to))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(old.FS); err != nil {
			t.Error("the old tree is gone")
		}
		removeTree(t, s, tree)
	}
	release()
	if _, err := s.Reweave(context.Background(), old.ID, to, layersOf(s, to)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old.Dir); err == nil {
		t.Error("the old tree is still there")
	}
	if _, err := os.Stat(s.cache.HoldPath(cache.Trees, old.ID)); err == nil {
		t.Error("its lock is still there")
	}
	gone := ID("no tree")
	if _, err := s.Reweave(context.Background(), gone, from, layersOf(s, from)); err != nil {
		t.Error(err)
	}
}
