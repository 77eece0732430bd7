package cache

import (
	"os"
	"path/filepath"
	"testing"
)

func open(t *testing.T) *Cache {
	t.Helper()
	c, err := Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOpenMakesAndFindsTheCache(t *testing.T) {
	c := open(t)
	again, err := Open(c.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if again.Dir() != c.Dir() {
		t.Errorf("found %s, made %s", again.Dir(), c.Dir())
	}
	if info, err := os.Stat(c.Dir()); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(c.Path(Tmp))
	if err != nil || len(left) != 0 {
		t.Errorf("left in tmp: %v, %v", left, err)
	}
}
