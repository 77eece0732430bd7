package unpack

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

func BenchmarkUnpack(b *testing.B) {
	dir := os.Getenv("DEVENV_TEST_PACKAGES")
	if dir == "" {
		b.Skip("set DEVENV_TEST_PACKAGES to a directory of packages")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.pkg.tar*"))
	for b.Loop() {
		top, err := os.MkdirTemp(os.Getenv("DEVENV_TEST_SCRATCH"), "unpack")
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				b.Fatal(err)
			}
			to := filepath.Join(top, filepath.Base(name))
			if err := os.Mkdir(to, 0o755); err != nil {
				b.Fatal(err)
			}
			if _, err := Unpack(context.Background(), bytes.NewReader(data), to, Options{}); err != nil {
				b.Fatalf("%s: %v", name, err)
			}
		}
		b.StopTimer()
		os.RemoveAll(top)
		b.StartTimer()
	}
}
