package alpm

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// testData is where real repository databases lie beside the checkout.
func testData(t testing.TB, elem ...string) string {
	dir := os.Getenv("DEVENV_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no real databases: %v; set DEVENV_TEST_DATA to where they lie", err)
	}
	return path
}

func TestReadDatabaseCounts(t *testing.T) {
	for name, want := range map[string]int{
		"2014-08-x86_64/core": 194, "2014-08-x86_64/extra": 3046, "2014-08-x86_64/community": 3354,
		"2015-06-armv7h/core": 209, "2015-06-armv7h/extra": 2968, "2015-06-armv7h/community": 3512,
		"2015-06-armv7h/alarm": 42, "2015-06-armv7h/aur": 78,
		"2021-01-aarch64/core": 287, "2021-01-aarch64/extra": 2992, "2021-01-aarch64/archlinuxcn": 849,
	} {
		f, err := os.Open(testData(t, name+".db"))
		if err != nil {
			t.Fatal(err)
		}
		pkgs, err := ReadDatabase(f)
		f.Close()
		if err != nil || len(pkgs) != want {
			t.Errorf("%s: %d packages, %v; want %d", name, len(pkgs), err, want)
		}
	}
}

func BenchmarkReadDatabase(b *testing.B) {
	var files [][]byte
	for _, repo := range []string{"core", "extra", "community"} {
		data, err := os.ReadFile(testData(b, "2014-08-x86_64", repo+".db"))
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, data)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, data := range files {
			if _, err := ReadDatabase(bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	}
}
