package unpack

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// benchPackages are the packages of DEVENV_TEST_PACKAGES, or one that is like
// many of them together: 4,000 files of some kilobytes in 200 directories.
func benchPackages(b *testing.B) []string {
	if dir := os.Getenv("DEVENV_TEST_PACKAGES"); dir != "" {
		files, err := filepath.Glob(filepath.Join(dir, "*.pkg.tar*"))
		if err != nil || len(files) == 0 {
			b.Fatalf("no packages in %s, %v", dir, err)
		}
		return files
	}
	rnd := rand.New(rand.NewPCG(8, 9))
	a := start()
	for d := range 200 {
		dir := fmt.Sprintf("usr/lib/dir%d/", d)
		a = a.dir(dir, 0o755)
		for f := range 20 {
			body := make([]byte, rnd.IntN(16<<10))
			for i := range body {
				body[i] = byte(rnd.IntN(20))
			}
			a = a.file(fmt.Sprintf("%sfile%d", dir, f), string(body), 0o644)
		}
	}
	file := filepath.Join(b.TempDir(), "a-1-1-any.pkg.tar.zst")
	if err := os.WriteFile(file, zstded(a.bytes(b)), 0o644); err != nil {
		b.Fatal(err)
	}
	return []string{file}
}

// benchEach times unpacking all packages with one, each into a directory of its
// own below DEVENV_TEST_SCRATCH, or where temporary files are.
func benchEach(b *testing.B, one func(file, dir string) error) {
	files := benchPackages(b)
	b.ReportAllocs()
	for b.Loop() {
		top, err := os.MkdirTemp(os.Getenv("DEVENV_TEST_SCRATCH"), "unpack")
		if err != nil {
			b.Fatal(err)
		}
		for i, file := range files {
			dir := filepath.Join(top, fmt.Sprint(i))
			if err := os.Mkdir(dir, 0o755); err != nil {
				b.Fatal(err)
			}
			if err := one(file, dir); err != nil {
				b.Fatalf("%s: %v", file, err)
			}
		}
		b.StopTimer()
		os.RemoveAll(top)
		b.StartTimer()
	}
}

func BenchmarkUnpack(b *testing.B) {
	benchEach(b, func(file, dir string) error {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = Unpack(b.Context(), f, dir, Options{})
		return err
	})
}

// BenchmarkBsdtar is the floor of plain unpacking.
func BenchmarkBsdtar(b *testing.B) {
	bsdtar, err := exec.LookPath("bsdtar")
	if err != nil {
		b.Skip("bsdtar is not installed (Debian: libarchive-tools): no peer to compare with")
	}
	benchEach(b, func(file, dir string) error {
		return exec.Command(bsdtar, "-xpf", file, "-C", dir).Run()
	})
}
