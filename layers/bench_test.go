package layers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"devenv/cache"
)

// packagesEnv names a directory of real packages, all of which fit together.
const packagesEnv = "DEVENV_TEST_PACKAGES"

// overwriteEnv names one that may overwrite anything, where they do not quite.
const overwriteEnv = "DEVENV_TEST_OVERWRITE"

// realPackages are the packages to measure with, the largest first.
func realPackages(t testing.TB) []Source {
	t.Helper()
	dir := os.Getenv(packagesEnv)
	if dir == "" {
		t.Skip("set " + packagesEnv + " to a directory of packages")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.pkg.tar.*[a-z0-9]"))
	if err != nil {
		t.Fatal(err)
	}
	var sources []Source
	sizes := make(map[string]int64)
	for _, file := range files {
		if filepath.Ext(file) == ".sig" {
			continue
		}
		size, sum := hashFile(t, file)
		sizes[file] = size
		sources = append(sources, Source{Filename: filepath.Base(file), Path: file, SHA256: sum})
	}
	slices.SortFunc(sources, func(a, b Source) int { return cmp.Compare(sizes[b.Path], sizes[a.Path]) })
	return sources
}

func hashFile(t testing.TB, name string) (size int64, sum string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return size, hex.EncodeToString(h.Sum(nil))
}

func specOf(sources []Source) (spec TreeSpec) {
	for _, src := range sources {
		spec.Layers = append(spec.Layers, ID(src.SHA256))
	}
	if name := os.Getenv(overwriteEnv); name != "" {
		spec.Overwrite = map[string][]string{name: {"*"}}
	}
	return spec
}

// BenchmarkCold makes layers and tree of all packages in an empty cache, with
// and without waiting for the disk. Caches are kept until the end: ext4 is slow to make
// files where others have just been removed.
func BenchmarkCold(b *testing.B) {
	sources := realPackages(b)
	dir, err := os.MkdirTemp(os.Getenv("DEVENV_TEST_CACHE"), "cold")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cache.RemoveAll(dir) })
	for name, later := range map[string]bool{"later": true, "waiting": false} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				own, err := os.MkdirTemp(dir, name)
				if err != nil {
					b.Fatal(err)
				}
				c, err := cache.Open(filepath.Join(own, "cache"))
				if err != nil {
					b.Fatal(err)
				}
				s := reopen(b, c)
				s.Later = later
				if _, err := makeTree(context.Background(), s, sources); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTree makes the tree alone.
func BenchmarkTree(b *testing.B) {
	sources := realPackages(b)
	s := testStore(b)
	for _, err := range s.AddAll(context.Background(), feed(sources...), runtime.GOMAXPROCS(0)) {
		if err != nil {
			b.Fatal(err)
		}
	}
	spec := specOf(sources)
	for b.Loop() {
		tree, err := s.Tree(context.Background(), spec)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		cache.RemoveAll(tree.Dir)
		b.StartTimer()
	}
}

// BenchmarkRead reads the records of all layers.
func BenchmarkRead(b *testing.B) {
	sources := realPackages(b)
	s := testStore(b)
	for _, err := range s.AddAll(context.Background(), feed(sources...), runtime.GOMAXPROCS(0)) {
		if err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		for _, src := range sources {
			if _, err := s.Layer(ID(src.SHA256)); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkReweave adds one package to a tree, and takes it out again.
func BenchmarkReweave(b *testing.B) {
	sources := realPackages(b)
	s := testStore(b)
	for _, err := range s.AddAll(context.Background(), feed(sources...), runtime.GOMAXPROCS(0)) {
		if err != nil {
			b.Fatal(err)
		}
	}
	with := specOf(sources)
	without := with
	without.Layers = with.Layers[1:]
	from, to := without, with
	mustTree(b, s, from)
	for b.Loop() {
		if _, err := s.Reweave(context.Background(), from.ID(), to, layersOf(s, to)); err != nil {
			b.Fatal(err)
		}
		if _, ok := s.FindTree(from); ok {
			b.Fatal("made anew")
		}
		from, to = to, from
	}
}
