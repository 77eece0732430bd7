package layers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"devenv/layers/alpm"
)

func mustTree(t testing.TB, s *Store, spec TreeSpec) *Tree {
	t.Helper()
	tree, err := s.Tree(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// addAll adds packages and gives the spec that has them in this order.
func addAll(t testing.TB, s *Store, pkgs ...*pkg) (spec TreeSpec) {
	t.Helper()
	for _, p := range pkgs {
		spec.Layers = append(spec.Layers, mustAdd(t, s, p).ID)
	}
	return spec
}

// sight is what can be seen of a path.
type sight struct {
	path  string
	mode  uint32 // with the kind
	mtime int64  // seconds
	what  string // size and sum, or target
}

// look sees all that is below dir, but for the local database.
func look(t testing.TB, dir string) (all []sight) {
	t.Helper()
	fd, err := unix.Open(dir, unix.O_PATH, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if within(rel, localDB) {
			return fs.SkipDir
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		seen := sight{path: rel, mode: st.Mode, mtime: int64(st.Mtim.Sec)}
		switch kindOf(&st) {
		case Symlink:
			seen.what, err = os.Readlink(path)
		case Regular:
			var sum uint32
			sum, err = sumFile(fd, rel)
			seen.what = fmt.Sprintf("%d bytes, %x", st.Size, sum)
		}
		all = append(all, seen)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTree(t *testing.T) {
	s := testStore(t)
	other := &pkg{name: "other", entries: []entry{
		exe("usr/bin/other", 0o755),
		dir("srv/shared", 0o700),
		{path: "opt/", mode: 0o1777, time: 1234567890},
	}}
	spec := addAll(t, s, hello, other)
	tree := mustTree(t, s, spec)
	if again := mustTree(t, s, spec); again.ID != tree.ID || tree.ID != spec.ID() {
		t.Errorf("trees %v and %v", tree, again)
	}
	for path, want := range map[string]uint32{
		"usr/bin/hello": unix.S_IFREG | 0o755, "usr/bin/secret": unix.S_IFREG | 0o4111, "usr/bin/other": unix.S_IFREG | 0o755,
		"srv/shared": unix.S_IFDIR | 0o2775, "var/closed": unix.S_IFDIR | 0o500, "proc": unix.S_IFDIR | 0o555, "opt": unix.S_IFDIR | 0o1777,
		"usr/bin/hi": unix.S_IFLNK | 0o777,
	} {
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(tree.FS, path), &st); err != nil || st.Mode != want {
			t.Errorf("%s has mode %o, want %o (%v)", path, st.Mode, want, err)
		}
		wantTime := int64(builtAt)
		if path == "opt" {
			wantTime = 1234567890
		}
		if int64(st.Mtim.Sec) != wantTime {
			t.Errorf("%s is of %d, want %d", path, st.Mtim.Sec, wantTime)
		}
	}
	if a, b := inode(t, tree.FS, "usr/bin/hello"), inode(t, tree.FS, "usr/bin/again"); a != b {
		t.Error("the hard link is none in the tree")
	}
	if a, b := inode(t, tree.FS, "usr/bin/hello"), inode(t, s.dir(spec.Layers[0]), "usr/bin/hello"); a != b {
		t.Error("the tree has a copy")
	}
	version, err := os.ReadFile(filepath.Join(tree.FS, localDB, "ALPM_DB_VERSION"))
	if err != nil || string(version) != alpm.LocalVersion {
		t.Errorf("version of the local database %q, %v", version, err)
	}
	read, err := s.TreeSpec(tree.ID)
	if err != nil || read.ID() != tree.ID {
		t.Errorf("spec %v, %v", read, err)
	}
}

func inode(t *testing.T, elem ...string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(filepath.Join(elem...), &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// The rules are pacman's: TestAsPacman holds them against the real one.
var fileRules = map[string]struct {
	pkgs      []*pkg
	noExtract []string
	overwrite map[string][]string
	conflicts []string // "path: first, second"; none: it fits
	want      map[string]string
	absent    []string
}{
	"apart": {
		pkgs: []*pkg{{name: "a", entries: []entry{file("usr/a", "a")}}, {name: "b", entries: []entry{file("usr/b", "b")}}},
		want: map[string]string{"usr/a": "a", "usr/b": "b"},
	},
	"same file": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("usr/x", "same")}}, {name: "b", entries: []entry{file("usr/x", "same")}}},
		conflicts: []string{"usr/x: a, b"},
	},
	"three": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("x", "a")}}, {name: "b", entries: []entry{file("x", "b")}}, {name: "c", entries: []entry{file("x", "c")}}},
		conflicts: []string{"x: a, b", "x: a, c", "x: b, c"},
	},
	"links": {
		pkgs:      []*pkg{{name: "a", entries: []entry{symlink("x", "y")}}, {name: "b", entries: []entry{symlink("x", "y")}}},
		conflicts: []string{"x: a, b"},
	},
	"directory against file": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("x/y", "a")}}, {name: "b", entries: []entry{file("x", "b")}}},
		conflicts: []string{"x: a, b"},
	},
	"directory against link to it": {
		pkgs:      []*pkg{{name: "a", entries: []entry{dir("usr/lib", 0o755), symlink("lib", "usr/lib")}}, {name: "b", entries: []entry{file("lib/foo", "b")}}},
		conflicts: []string{"lib: a, b"},
	},
	"overwrite": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("usr/x", "a"), file("usr/y", "a")}}, {name: "b", entries: []entry{file("usr/x", "b")}}},
		overwrite: map[string][]string{"b": {"usr/*"}},
		want:      map[string]string{"usr/x": "b", "usr/y": "a"},
	},
	"overwrite with the root": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("usr/x", "a")}}, {name: "b", entries: []entry{symlink("usr/x", "/dev/null")}}},
		overwrite: map[string][]string{"b": {"/usr/*"}},
		want:      map[string]string{"usr/x": ""},
	},
	"overwrite by the first": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("usr/x", "a")}}, {name: "b", entries: []entry{file("usr/x", "b")}}},
		overwrite: map[string][]string{"a": {"usr/x"}},
		want:      map[string]string{"usr/x": "a"},
	},
	"overwrite by both": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("usr/x", "a")}}, {name: "b", entries: []entry{file("usr/x", "b")}}},
		overwrite: map[string][]string{"a": {"usr/x"}, "b": {"*"}},
		want:      map[string]string{"usr/x": "b"},
	},
	"overwrite but not that": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("usr/x", "a")}}, {name: "b", entries: []entry{file("usr/x", "b")}}},
		overwrite: map[string][]string{"b": {"usr/*", "!usr/x"}},
		conflicts: []string{"usr/x: a, b"},
	},
	"overwrite of two others": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("x", "a")}}, {name: "b", entries: []entry{file("x", "b")}}, {name: "c", entries: []entry{file("x", "c")}}},
		overwrite: map[string][]string{"b": {"x"}},
		conflicts: []string{"x: a, c"},
	},
	"overwrite no directory": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("x/y", "a")}}, {name: "b", entries: []entry{file("x", "b")}}},
		overwrite: map[string][]string{"a": {"*"}, "b": {"*"}},
		conflicts: []string{"x: a, b"},
	},
	"no-extract": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("usr/share/man/man1/a.1", "a"), file("usr/share/info/a", "a")}}},
		noExtract: []string{"usr/share/man/*"},
		want:      map[string]string{"usr/share/info/a": "a"},
		absent:    []string{"usr/share/man"},
	},
	"no-extract but for one": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("usr/share/man/man1/a.1", "a"), file("usr/share/man/man1/b.1", "b")}}},
		noExtract: []string{"usr/share/man/*", "!usr/share/man/man1/b.1"},
		want:      map[string]string{"usr/share/man/man1/b.1": "b"},
		absent:    []string{"usr/share/man/man1/a.1"},
	},
	"no-extract hides no conflict": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("usr/x", "a")}}, {name: "b", entries: []entry{file("usr/x", "b")}}},
		noExtract: []string{"usr/x"},
		conflicts: []string{"usr/x: a, b"},
	},
	"no-extract of what is overwritten": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("usr/x", "a")}}, {name: "b", entries: []entry{file("usr/x", "b")}}},
		noExtract: []string{"usr/x"},
		overwrite: map[string][]string{"b": {"usr/x"}},
		absent:    []string{"usr/x"},
	},
	"no-extract of the database is not heard": {
		pkgs:      []*pkg{{name: "a", entries: []entry{file("usr/x", "a")}}},
		noExtract: []string{"var/*"},
		want:      map[string]string{"usr/x": "a", localDB + "/ALPM_DB_VERSION": alpm.LocalVersion},
	},
}

func TestFileRules(t *testing.T) {
	for name, tt := range fileRules {
		t.Run(name, func(t *testing.T) {
			s := testStore(t)
			spec := addAll(t, s, tt.pkgs...)
			spec.NoExtract, spec.Overwrite = tt.noExtract, tt.overwrite
			conflicts, err := s.Conflicts(spec)
			if err != nil || len(conflicts) != len(tt.conflicts) {
				t.Errorf("conflicts %v, %v", conflicts, err)
			}
			tree, err := s.Tree(context.Background(), spec)
			var refused *ConflictError
			if errors.As(err, &refused) != (len(tt.conflicts) > 0) || err != nil && refused == nil {
				t.Fatal(err)
			}
			if refused != nil {
				if got := conflictsOf(refused); !slices.Equal(got, tt.conflicts) {
					t.Errorf("conflicts %q, want %q", got, tt.conflicts)
				}
				if left, _ := s.Trees(); len(left) > 0 {
					t.Errorf("a tree is there: %v", left)
				}
				return
			}
			for path, want := range tt.want {
				if got, err := os.ReadFile(filepath.Join(tree.FS, path)); err != nil || string(got) != want {
					t.Errorf("%s is %q, want %q (%v)", path, got, want, err)
				}
			}
			for _, path := range tt.absent {
				if _, err := os.Lstat(filepath.Join(tree.FS, path)); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s is there (%v)", path, err)
				}
			}
		})
	}
}

func conflictsOf(err *ConflictError) (list []string) {
	for _, c := range err.Conflicts {
		list = append(list, fmt.Sprintf("%s: %s, %s", c.Path, c.First, c.Second))
	}
	return list
}

// A tree must not depend on the order in which its layers become ready.
func TestWeaveInAnyOrder(t *testing.T) {
	s := testStore(t)
	spec := addAll(t, s,
		hello,
		&pkg{name: "a", entries: []entry{dir("opt/d", 0o700), file("opt/d/x", "a"), file("opt/y", "a"), file("srv/z", "a")}},
		&pkg{name: "b", entries: []entry{{path: "opt/d/", mode: 0o755, time: 7}, file("opt/d/x", "b"), file("opt/y", "b")}},
		&pkg{name: "c", entries: []entry{{path: "opt/", mode: 0o711, time: 5}, file("opt/d/x", "c"), symlink("srv/z", "elsewhere")}})
	spec.Overwrite = map[string][]string{"b": {"opt/d/x"}, "a": {"*"}}
	want := look(t, mustTree(t, s, spec).FS)
	for range 10 {
		if err := os.Rename(s.cache.Tree(spec.ID()), filepath.Join(tempDir(t), "old")); err != nil {
			t.Fatal(err)
		}
		order := rand.Perm(len(spec.Layers))
		tree, err := s.Weave(context.Background(), spec, func(yield func(*Layer, error) bool) {
			for _, i := range order {
				if !yield(s.Layer(spec.Layers[i])) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := look(t, tree.FS); !slices.Equal(got, want) {
			t.Fatalf("in order %v:\n%v\nwant:\n%v", order, got, want)
		}
	}
}

func TestConflictMessage(t *testing.T) {
	e := &ConflictError{}
	for i := range 12 {
		e.Conflicts = append(e.Conflicts, Conflict{Path: fmt.Sprintf("usr/%02d", i), First: "gcc", Second: "clang"})
	}
	text := e.Error()
	for _, want := range []string{"/usr/00: in gcc and in clang", "/usr/09", "and 2 more", `[packages.clang] overwrite = ["usr/00"]`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "usr/10") {
		t.Errorf("all of them in:\n%s", text)
	}
}

// Where the file system has no hard links the tree is a copy, and looks the same.
func TestTreeOfCopies(t *testing.T) {
	s := testStore(t)
	spec := addAll(t, s, hello)
	linked := mustTree(t, s, spec)
	root := filepath.Join(tempDir(t), "fs")
	w, err := newWeaver(context.Background(), root, spec)
	if err != nil {
		t.Fatal(err)
	}
	w.copying.Store(true)
	err = w.weave(func(yield func(*Layer, error) bool) { yield(s.Layer(spec.Layers[0])) })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := look(t, root), look(t, linked.FS); !slices.Equal(got, want) {
		t.Errorf("copied:\n%v\nlinked:\n%v", got, want)
	}
	if inode(t, root, "usr/bin/hello") == inode(t, linked.FS, "usr/bin/hello") {
		t.Error("it is linked after all")
	}
	for err, want := range map[error]bool{unix.EXDEV: true, unix.EPERM: true, unix.EMLINK: true, unix.EOPNOTSUPP: true, unix.ENOSPC: false, unix.ENOENT: false} {
		w := &weaver{}
		if w.mustCopy(err) != want {
			t.Errorf("%v: copy is %v", err, !want)
		}
		if err == unix.EMLINK && w.copying.Load() {
			t.Error("one inode is full, and all are copied")
		}
	}
}

func TestTreeOfDamagedLayer(t *testing.T) {
	s := testStore(t)
	spec := addAll(t, s, hello)
	if err := os.Remove(filepath.Join(s.dir(spec.Layers[0]), "usr/bin/hi")); err != nil {
		t.Fatal(err)
	}
	_, err := s.Tree(context.Background(), spec)
	var damage *DamageError
	if !errors.As(err, &damage) || damage.Path != "usr/bin/hi" || damage.Layer != spec.Layers[0] {
		t.Errorf("got %v", err)
	}
	if left, _ := s.Trees(); len(left) > 0 {
		t.Errorf("a tree is there: %v", left)
	}
	_, err = s.Tree(context.Background(), TreeSpec{Layers: []string{ID("x")}})
	if !errors.Is(err, ErrNoLayer) {
		t.Errorf("got %v", err)
	}
}
