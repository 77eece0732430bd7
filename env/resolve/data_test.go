package resolve

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"devenv/layers/alpm"
)

// dataSet is one folder of real databases, with its repositories in the order
// that its pacman.conf had.
type dataSet struct {
	name, arch string
	repos      []string
}

var dataSets = []dataSet{
	{"2014-08-x86_64", "x86_64", []string{"core", "extra", "community"}},
	{"2015-06-armv7h", "armv6h", []string{"core", "extra", "community", "alarm", "aur"}},
	{"2021-01-aarch64", "aarch64", []string{"core", "extra", "archlinuxcn"}},
}

// dir is where the set lies; the test is skipped where it is not there.
func (d dataSet) dir(t testing.TB) string {
	t.Helper()
	root := os.Getenv("DEVENV_TEST_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir, err := filepath.Abs(filepath.Join(root, d.name))
	if err == nil {
		_, err = os.Stat(dir)
	}
	if err != nil {
		t.Skipf("no real databases: %v; set DEVENV_TEST_DATA to where they lie", err)
	}
	return dir
}

// read reads a set, all repositories at the same time.
func (d dataSet) read(t testing.TB) []*Repo {
	t.Helper()
	dir := d.dir(t)
	repos, errs := make([]*Repo, len(d.repos)), make([]error, len(d.repos))
	var work sync.WaitGroup
	for i, name := range d.repos {
		work.Go(func() { repos[i], errs[i] = readRepo(dir, name) })
	}
	work.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return repos
}

func readRepo(dir, name string) (*Repo, error) {
	f, err := os.Open(filepath.Join(dir, name+".db"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pkgs, err := alpm.ReadDatabase(f)
	if err != nil {
		return nil, err
	}
	return &Repo{Name: name, Index: alpm.NewIndex(pkgs)}, nil
}

var loaded sync.Map // of a set's name to its repositories

// load reads a set once for all tests.
func (d dataSet) load(t testing.TB) []*Repo {
	t.Helper()
	if repos, ok := loaded.Load(d.name); ok {
		return repos.([]*Repo)
	}
	repos := d.read(t)
	loaded.Store(d.name, repos)
	return repos
}
