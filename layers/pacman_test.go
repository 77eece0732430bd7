package layers

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pacman is a real one that installs into a root of its own. It wants to be root.
type pacman struct {
	root string
	conf string
}

func newPacman(t *testing.T, noExtract []string) *pacman {
	t.Helper()
	if _, err := exec.LookPath("pacman"); err != nil {
		t.Skip("pacman is not installed (Debian: pacman-package-manager)")
	}
	if os.Getuid() != 0 {
		t.Skip("pacman installs for root only")
	}
	dir := tempDir(t)
	p := &pacman{root: filepath.Join(dir, "root"), conf: filepath.Join(dir, "pacman.conf")}
	conf := "[options]\nArchitecture = auto\nSigLevel = Never\nLocalFileSigLevel = Never\n"
	if len(noExtract) > 0 {
		conf += "NoExtract = " + strings.Join(noExtract, " ") + "\n"
	}
	if err := errors.Join(os.WriteFile(p.conf, []byte(conf), 0o644), os.MkdirAll(filepath.Join(p.root, "var/lib/pacman"), 0o755)); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pacman) run(args ...string) (string, error) {
	args = append([]string{"--root", p.root, "--config", p.conf, "--dbpath", filepath.Join(p.root, "var/lib/pacman"),
		"--cachedir", p.root + ".cache", "--hookdir", p.root + ".hooks", "--gpgdir", p.root + ".gpg", "--logfile", "/dev/null", "--noconfirm"}, args...)
	cmd := exec.Command("pacman", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// install installs package files without their scriptlets.
func (p *pacman) install(sources []Source, more ...string) (string, error) {
	args := append([]string{"-U", "--noscriptlet", "--nodeps", "--nodeps"}, more...)
	for _, src := range sources {
		args = append(args, src.Path)
	}
	return p.run(args...)
}

// TestFileRulesAsPacman holds the file rules against pacman's own. It has one
// --overwrite for all packages, so only those cases are tried in which the
// last package is the one that may.
func TestFileRulesAsPacman(t *testing.T) {
	for name, tt := range fileRules {
		var overwrite []string
		last := tt.pkgs[len(tt.pkgs)-1].name
		if len(tt.overwrite) > 1 || len(tt.overwrite) == 1 && tt.overwrite[last] == nil || strings.Contains(name, "root") {
			continue
		}
		for _, glob := range tt.overwrite[last] {
			overwrite = append(overwrite, "--overwrite", glob)
		}
		t.Run(name, func(t *testing.T) {
			p := newPacman(t, tt.noExtract)
			sources := writePackages(t, tempDir(t), tt.pkgs...)
			out, err := p.install(sources, overwrite...)
			if (err != nil) != (len(tt.conflicts) > 0) {
				t.Fatalf("%v: %s", err, out)
			}
			for _, conflict := range tt.conflicts {
				path, _, _ := strings.Cut(conflict, ":")
				if !strings.Contains(out, "/"+path+" exists in both") && !strings.Contains(out, "/"+path+"/ exists in both") {
					t.Errorf("pacman does not speak of %s: %s", path, out)
				}
			}
			if len(tt.conflicts) > 0 {
				return
			}
			for path, want := range tt.want {
				if got, err := os.ReadFile(filepath.Join(p.root, path)); err != nil || string(got) != want {
					t.Errorf("pacman makes %q of %s, not %q (%v)", got, path, want, err)
				}
			}
			for _, path := range tt.absent {
				if _, err := os.Lstat(filepath.Join(p.root, path)); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("pacman puts %s there (%v)", path, err)
				}
			}
		})
	}
}

// A tree is what pacman would have installed, path by path.
func TestTreeAsPacman(t *testing.T) {
	p := newPacman(t, nil)
	sources := writePackages(t, tempDir(t), hello,
		&pkg{name: "other", info: "backup = etc/other\nlicense = GPL\n", entries: []entry{exe("usr/bin/other", 0o755), file("etc/other", "1"), file("usr/lib/ünicode", "x")}})
	compareWithPacman(t, p, sources)
}

// The same with the packages to measure with.
func TestRealTreeAsPacman(t *testing.T) {
	compareWithPacman(t, newPacman(t, nil), realPackages(t))
}

func compareWithPacman(t *testing.T, p *pacman, sources []Source) {
	t.Helper()
	var more []string
	if os.Getenv(overwriteEnv) != "" {
		more = []string{"--overwrite", "*"}
	}
	out, err := p.install(sources, more...)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := testStore(t)
	tree, err := makeTree(context.Background(), s, sources)
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := inventory(t, tree.FS), inventory(t, p.root)
	for _, path := range ldconfigMakes {
		delete(theirs, path)
	}
	for path, want := range theirs {
		if got := mine[path]; got != want {
			t.Errorf("/%s is %v, with pacman %v", path, got, want)
		}
	}
	for path, got := range mine {
		if _, ok := theirs[path]; !ok {
			t.Errorf("/%s is %v, and pacman has none", path, got)
		}
	}
	compareDatabases(t, p, tree)
}

// ldconfigMakes is what pacman has after it has run ldconfig, which is for set-up to do.
var ldconfigMakes = []string{"etc/ld.so.cache", "var/cache/ldconfig/aux-cache"}

// inventory says of each path what both must agree on. The times of directories
// are left out: pacman's are those at which it put the last file in.
func inventory(t *testing.T, root string) map[string]sight {
	t.Helper()
	all := make(map[string]sight)
	for _, seen := range look(t, root) {
		if seen.mode&unix.S_IFMT == unix.S_IFDIR {
			seen.mtime = 0
		}
		all[seen.path] = seen
	}
	return all
}

// compareDatabases holds the local database against pacman's, and lets pacman
// read ours.
func compareDatabases(t *testing.T, p *pacman, tree *Tree) {
	t.Helper()
	theirs, err := filepath.Glob(filepath.Join(p.root, localDB, "*"))
	if err != nil {
		t.Fatal(err)
	}
	mine, _ := filepath.Glob(filepath.Join(tree.FS, localDB, "*"))
	if len(mine) != len(theirs) {
		t.Errorf("%d entries, pacman has %d", len(mine), len(theirs))
	}
	for _, entry := range theirs {
		files, _ := filepath.Glob(filepath.Join(entry, "*"))
		for _, file := range files {
			rel, _ := filepath.Rel(p.root, file)
			want, got := databaseFile(t, file), databaseFile(t, filepath.Join(tree.FS, rel))
			if got != want {
				t.Errorf("/%s:\n%s\nwith pacman:\n%s", rel, got, want)
			}
		}
	}
	other := *p
	other.root = tree.FS
	for _, arg := range []string{"-Q", "-Qk", "-Qkk", "-Ql"} {
		want, _ := p.run(arg)
		got, _ := other.run(arg)
		if got = strings.ReplaceAll(got, other.root, p.root); got != want {
			t.Errorf("pacman %s says:\n%.2000s\nof its own:\n%.2000s", arg, got, want)
		}
	}
}

// databaseFile leaves out when and how a package was installed.
func databaseFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(path) != "desc" {
		return string(data)
	}
	blocks := strings.Split(string(data), "\n\n")
	blocks = slices.DeleteFunc(blocks, func(b string) bool {
		return strings.HasPrefix(b, "%INSTALLDATE%") || strings.HasPrefix(b, "%VALIDATION%")
	})
	return strings.Join(blocks, "\n\n")
}
