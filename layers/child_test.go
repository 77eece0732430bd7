package layers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"devenv/cache"
)

// Some promises are about other processes, that die, or are another user's. The
// test binary plays them: started with childEnv set to a name and a directory,
// it does that one thing.
const childEnv = "DEVENV_LAYERS_TEST_CHILD"

var children = map[string]func(dir string) error{
	"build":   buildChild,
	"rebuild": rebuildChild,
	"full":    fullChild,
}

func TestMain(m *testing.M) {
	name, dir, ok := strings.Cut(os.Getenv(childEnv), ":")
	if !ok {
		os.Exit(m.Run())
	}
	if err := children[name](dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is a process that does one thing in dir; it dies with the test.
func child(t *testing.T, name, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+name+":"+dir)
	return cmd
}

// writePackages puts package files into dir/packages.
func writePackages(t *testing.T, dir string, pkgs ...*pkg) []Source {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "packages"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i, p := range pkgs {
		name := fmt.Sprintf("%03d-%s", i, p.filename())
		if err := os.WriteFile(filepath.Join(dir, "packages", name), p.bytes(t), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sources, err := packagesIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

func packagesIn(dir string) ([]Source, error) {
	files, err := filepath.Glob(filepath.Join(dir, "packages", "*"))
	if err != nil {
		return nil, err
	}
	var sources []Source
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		sources = append(sources, Source{Filename: filepath.Base(file), Path: file, SHA256: sha(data)})
	}
	return sources, nil
}

// makeTree adds all packages in dir/packages and makes their tree, as an environment does.
func makeTree(ctx context.Context, s *Store, sources []Source) (*Tree, error) {
	return s.Weave(ctx, specOf(sources), s.AddAll(ctx, feed(sources...), 2))
}

func buildChild(dir string) error {
	c, err := cache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		return err
	}
	s, err := Open(c)
	if err != nil {
		return err
	}
	s.Later = os.Getpid()%2 == 0 // both ways must stand what happens to them
	sources, err := packagesIn(dir)
	if err != nil {
		return err
	}
	tree, err := makeTree(context.Background(), s, sources)
	if err == nil {
		fmt.Println(tree.ID)
	}
	return err
}

// rebuildChild throws everything away, builds it, and so on until it is killed.
func rebuildChild(dir string) error {
	c, err := cache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		return err
	}
	for {
		if err := buildChild(dir); err != nil {
			return err
		}
		s, err := Open(c)
		if err != nil {
			return err
		}
		if _, err := c.GC(context.Background(), cache.GCOptions{Layers: s.GC}); err != nil {
			return err
		}
	}
}

// fullChild builds on a disk that has too little room: a small tmpfs, mounted
// in a namespace of its own.
func fullChild(dir string) error {
	small := filepath.Join(dir, "cache")
	if err := os.Mkdir(small, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("small", small, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		return fmt.Errorf("%s: %w", cannotMount, err)
	}
	err := buildChild(dir)
	var full *cache.FullError
	if !errors.As(err, &full) {
		return fmt.Errorf("not the error of a full disk: %w", err)
	}
	fmt.Println(err)
	c, err := cache.Open(small)
	if err != nil {
		return err
	}
	s, err := Open(c)
	if err != nil {
		return err
	}
	for _, path := range []string{s.staging(), c.Path(cache.Tmp), c.Path(cache.Trees)} {
		if left, _ := os.ReadDir(path); len(left) > 0 {
			return fmt.Errorf("left in %s: %v", path, left)
		}
	}
	ids, err := s.List()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if damage, err := s.Verify(context.Background(), id); err != nil || len(damage) > 0 {
			return fmt.Errorf("layer %s: %v, %w", id, damage, err)
		}
	}
	return nil
}

const cannotMount = "cannot mount a tmpfs here"

// publicBinary copies the test binary to where any user can start it, and gives
// a directory beside it that belongs to that user.
func publicBinary(t *testing.T, uid int) (binary, home string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "devenv-layers-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cache.RemoveAll(dir) })
	binary, home = filepath.Join(dir, "test"), filepath.Join(dir, "home")
	in, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(binary, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close(), os.Mkdir(home, 0o700), os.Chown(home, uid, uid), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return binary, home
}
