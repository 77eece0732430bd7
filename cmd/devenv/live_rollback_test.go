package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rollbacks are packages of the mirror whose partners' libraries have other names
// today, and what they say when they run.
var rollbacks = []struct{ pin, old, note, library string }{
	{
		`ledger = "3.3.0"`, "boost-libs-1.74.0",
		"ledger gets the libraries of boost-libs 1.74.0-21, which it was built with, beside today's", "libboost_filesystem.so.1.74.0",
	},
	{ // which library is whose is not in its name
		`clang = "16.*"`, "llvm-libs-16.0.6",
		"clang gets the libraries of llvm-libs 16.0.6-15.1, which it was built with, beside today's", "libLLVM-16.so.1",
	},
}

var rolledCommands = map[string][]string{
	"ledger": {"bash", "-c", `printf '2024/01/01 food\n  Expenses  12 EUR\n  Cash\n' | ledger -f - balance Expenses`},
	"clang":  {"bash", "-c", `echo 'int main(void) { return 7; }' > r.c; clang r.c -o r; ./r; echo "$? by $(clang -dumpversion)"`},
}

var rolledOutputs = map[string]string{"ledger": "              12 EUR  Expenses\n", "clang": "7 by 16.0.6\n"}

// TestRolledBackAloneRuns: one line of devenv.toml rolls a package back whose
// partner has moved on, and the package runs, with today's libraries beside its
// own. Without the compatibility layer it would not start.
func TestRolledBackAloneRuns(t *testing.T) {
	if p := newRealPlace(t, "", "ledger", "clang"); p == nil || !asNobody(t) {
		return
	}
	for _, c := range rollbacks {
		name, _, _ := strings.Cut(c.pin, " ")
		t.Run(name, func(t *testing.T) {
			p := newRealPlace(t, `base = ["filesystem", "bash", "coreutils"]`+"\n[packages]\n"+c.pin+"\n")
			built := p.must("build")
			if n := strings.Count(built.err, "beside today's"); n != 1 || !strings.Contains(built.err, c.note+"\n") {
				t.Errorf("said:\n%s", built.err)
			}
			if r := p.must(append([]string{"run", "--"}, rolledCommands[name]...)...); r.out != rolledOutputs[name] {
				t.Errorf("%v", r)
			}
			lock := p.read("devenv.lock")
			at := strings.Index(lock, `file = "`+c.old)
			if at < 0 || !strings.Contains(lock[at:min(len(lock), at+300)], `compat = "`+name+`"`) {
				t.Errorf("no %s for %s in the lock", c.old, name)
			}
			// The lock says it all: what is made of it alone is the same, silently.
			if err := os.RemoveAll(p.dir + "/cache/setups"); err != nil {
				t.Fatal(err)
			}
			if r := p.must("build", "--frozen"); strings.Contains(r.err, "beside today's") || p.read("devenv.lock") != lock {
				t.Errorf("from the lock alone: %v", r)
			}
			// Only what has a number in its name is there.
			old := p.oldLibraries()
			if !slices.Contains(old, c.library) {
				t.Errorf("old libraries: %q", old)
			}
			for _, library := range old {
				if !strings.HasPrefix(library, "lib") || !strings.Contains(library, ".so.") && !strings.HasSuffix(library, "-16.so") {
					t.Errorf("%s is in the compatibility layer", library)
				}
			}
			p.emptyCompatibilityLayer()
			if r := p.try(append([]string{"run", "--"}, "bash", "-c", "exec "+name+" --version")...); r.code != 127 || !strings.Contains(r.err, "error while loading shared libraries: lib") {
				t.Errorf("without the old libraries: %v", r)
			}
		})
	}
}

// compatibilityLayers are the directories of old libraries: such alone have both.
func (p *realPlace) compatibilityLayers() (dirs []string) {
	p.t.Helper()
	found, err := filepath.Glob(p.dir + "/cache/setups/*/misses.json")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, f := range found {
		if fs := filepath.Join(filepath.Dir(f), "fs"); isDir(fs) {
			dirs = append(dirs, fs)
		}
	}
	if len(dirs) == 0 {
		p.t.Fatal("there is no compatibility layer")
	}
	return dirs
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func (p *realPlace) oldLibraries() (names []string) {
	for _, dir := range p.compatibilityLayers() {
		filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if err != nil {
				p.t.Fatal(err)
			}
			if !d.IsDir() {
				names = append(names, d.Name())
			}
			return nil
		})
	}
	return names
}

// emptyCompatibilityLayer takes the old libraries away, behind devenv's back.
func (p *realPlace) emptyCompatibilityLayer() {
	for _, dir := range p.compatibilityLayers() {
		entries, err := os.ReadDir(dir)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, e := range entries {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

// TestRolledBackTooFar: what no old library cures ends the build, with all that a
// person must know to go on, and a change that does work.
func TestRolledBackTooFar(t *testing.T) {
	if p := newRealPlace(t, "", "clang", "llvm-libs"); p == nil || !asNobody(t) {
		return
	}
	// Today's clang with libraries of long ago: there is nothing newer to put beside
	// those.
	p := newRealPlace(t, "base = []\n[packages]\nclang = \"*\"\nllvm-libs = \"16.*\"\n")
	r := p.try("build")
	if r.code != 1 {
		t.Errorf("%v", r)
	}
	for _, want := range []string{
		"devenv.toml:4:1: ", "clang 19.1.7-3.1: ", " needs libLLVM.so.19.1, which is nowhere; llvm-libs 16.0.6-15.1 has usr/lib/", "what would work: ", `llvm-libs = "19.1.7-3.1"`,
	} {
		if !strings.Contains(r.err, want) {
			t.Errorf("no %q in:\n%v", want, r)
		}
	}
	if left, _ := filepath.Glob(p.dir + "/cache/tmp/*"); len(left) > 0 {
		t.Errorf("half-made: %q", left)
	}
	if strings.Contains(p.read("devenv.lock"), "compat") {
		t.Error("the lock has libraries that do not help")
	}
	if r := p.try("run", "--", "clang", "--version"); r.code != 1 {
		t.Errorf("it was entered: %v", r)
	}
	p.write("devenv.toml", "base = []\n[packages]\nclang = \"*\"\nllvm-libs = \"19.1.7-3.1\"\n")
	if got := p.must("run", "--", "clang", "-dumpversion").out; got != "19.1.7\n" {
		t.Errorf("with the change: %q", got)
	}
}
