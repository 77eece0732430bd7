package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"devenv/cache"
	"devenv/layers"
)

// makePackages makes them with makepkg, which works for an unprivileged user
// alone.
func makePackages(t *testing.T, names ...string) map[string]string {
	t.Helper()
	for _, tool := range []string{"makepkg", "pacman", "fakeroot", "bsdtar", "busybox"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is missing (Debian: makepkg, pacman-package-manager, fakeroot, libarchive-tools, busybox-static)", tool)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("pacman installs for root only")
	}
	dir, err := os.MkdirTemp("/tmp", "setup-makepkg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	found := map[string]string{}
	for _, p := range pkgbuilds {
		if !slices.Contains(names, p.name) {
			continue
		}
		work := filepath.Join(dir, p.name)
		build := fmt.Sprintf("pkgname=%s\npkgver=1.0\npkgrel=1\npkgdesc=test\narch=(any)\nlicense=(none)\noptions=(!strip !zipman)\n%s\n", p.name, p.more)
		err := errors.Join(os.Mkdir(work, 0o755), os.Chown(work, nobody, nobody), os.Chmod(dir, 0o755))
		if p.install != "" {
			build += "install=x.install\n"
			err = errors.Join(err, os.WriteFile(work+"/x.install", []byte(p.install), 0o644))
		}
		build += "package() {\n" + p.script + "\n}\n"
		if err = errors.Join(err, os.WriteFile(work+"/PKGBUILD", []byte(build), 0o644)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("makepkg", "--nodeps", "--force")
		cmd.Dir = work
		cmd.Env = append(os.Environ(), "HOME="+work, "PKGEXT=.pkg.tar.zst", "SOURCE_DATE_EPOCH=1700000000", "LC_ALL=C.UTF-8")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("makepkg %s: %v\n%s", p.name, err, out)
		}
		files, _ := filepath.Glob(work + "/*.pkg.tar.zst")
		if len(files) != 1 {
			t.Fatalf("makepkg %s made %v", p.name, files)
		}
		found[p.name] = files[0]
	}
	return found
}

// pacmanInstalls installs packages into a root of their own, one transaction
// after the other, and gives what it said.
func pacmanInstalls(t *testing.T, transactions ...[]string) (root, said string) {
	t.Helper()
	root, said, err := pacmanTries(t, transactions...)
	if err != nil {
		t.Fatalf("pacman: %v\n%s", err, said)
	}
	return root, said
}

// pacmanTries is pacmanInstalls until the first transaction that fails.
func pacmanTries(t *testing.T, transactions ...[]string) (root, said string, err error) {
	t.Helper()
	dir := t.TempDir()
	root = filepath.Join(dir, "root")
	conf := filepath.Join(dir, "pacman.conf")
	err = errors.Join(os.MkdirAll(root+"/var/lib/pacman", 0o755), os.WriteFile(conf, []byte("[options]\nArchitecture = auto\nSigLevel = Never\nLocalFileSigLevel = Never\n"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	for _, files := range transactions {
		cmd := exec.Command("pacman", append([]string{"--root", root, "--config", conf, "--dbpath", root + "/var/lib/pacman", "--cachedir", dir + "/cache",
			"--gpgdir", dir + "/gpg", "--logfile", "/dev/null", "--hookdir", root + "/etc/pacman.d/hooks", "--noconfirm", "-U"}, files...)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		out, err := cmd.CombinedOutput()
		said += string(out)
		if err != nil {
			return root, said, err
		}
	}
	return root, said, nil
}

// devenvInstalls makes layers, tree and set-up of package files.
func devenvInstalls(t *testing.T, spec *Spec, files ...string) (tree string, r *Result) {
	t.Helper()
	tree, r, err := devenvTries(t, spec, files...)
	if err != nil {
		t.Fatal(err)
	}
	return tree, r
}

// devenvTries is devenvInstalls with set-up's error.
func devenvTries(t *testing.T, spec *Spec, files ...string) (tree string, r *Result, err error) {
	t.Helper()
	c, err := cache.Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := layers.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	var treeSpec layers.TreeSpec
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		l, err := store.Add(t.Context(), layers.Source{Filename: filepath.Base(f), SHA256: hex.EncodeToString(sum[:]), Path: f})
		if err != nil {
			t.Fatal(err)
		}
		treeSpec.Layers = append(treeSpec.Layers, l.ID)
		p := Package{Info: l.Info}
		if install, ok := l.Scriptlet(); ok {
			p.Scriptlet = install
		}
		for _, f := range l.Owned() {
			if f.Kind == layers.Directory {
				f.Path += "/"
			}
			p.Paths = append(p.Paths, f.Path)
		}
		spec.Packages = append(spec.Packages, p)
	}
	made, err := store.Tree(t.Context(), treeSpec)
	if err != nil {
		t.Fatal(err)
	}
	spec.Tree, spec.TreeID = made.FS, made.ID
	r, err = Run(t.Context(), c, spec)
	return made.FS, r, err
}

// describe lists a tree: kind, mode, size and content or target of each path.
func describe(t *testing.T, roots ...string) map[string]string {
	t.Helper()
	list := map[string]string{}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, _ := filepath.Rel(root, p)
			info, err := d.Info()
			if err != nil {
				return err
			}
			switch {
			case isWhiteout(info):
				delete(list, rel)
			case d.IsDir():
				list[rel] = info.Mode().String()
			case info.Mode()&fs.ModeSymlink != 0:
				to, _ := os.Readlink(p)
				list[rel] = "-> " + to
			default:
				text, err := os.ReadFile(p)
				if err != nil {
					return err
				}
				sum := sha256.Sum256(text)
				list[rel] = fmt.Sprintf("%v %d %x", info.Mode(), info.Size(), sum[:6])
				// What no step has written keeps its package's time.
				if rel == "usr/share/pay/yes" {
					list[rel] += info.ModTime().UTC().String()
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// explained are the paths in which devenv's tree may differ from pacman's.
var explained = map[string]string{
	"var/lib/pacman/local/*/desc":  "the install date is the build date, so that equal packages make equal layers",
	"var/lib/pacman/local/*/files": "paths are sorted",
	"var/lib/pacman/sync":          "pacman's own directory for databases: nothing is synchronised inside",
	"var/lib/pacman":               "made by the test for pacman",
	"var/lib":                      "made by the test for pacman",
}

func isExplained(path string, explained map[string]string) bool {
	for pattern := range explained {
		if ok, _ := filepath.Match(pattern, path); ok {
			return true
		}
	}
	return false
}

func compareTrees(t *testing.T, pacman, devenv, explained map[string]string) {
	t.Helper()
	paths := slices.Sorted(maps.Keys(pacman))
	for p := range devenv {
		if _, ok := pacman[p]; !ok {
			paths = append(paths, p)
		}
	}
	for _, p := range paths {
		if pacman[p] != devenv[p] && !isExplained(p, explained) {
			t.Errorf("%s: pacman %q, devenv %q", p, pacman[p], devenv[p])
		}
	}
}

// TestAsPacman holds scriptlets and hooks to what real pacman makes of the same
// packages. Hooks come first there, since it reads those for before a
// transaction before it unpacks.
func TestAsPacman(t *testing.T) {
	files := makePackages(t, "box", "hooks", "payload", "payoff", "keys", "faulty")
	root, said := pacmanInstalls(t, []string{files["box"], files["hooks"], files["keys"]}, []string{files["payload"], files["payoff"], files["faulty"]})
	tree, r := devenvInstalls(t, &Spec{}, files["payload"], files["payoff"], files["hooks"], files["faulty"], files["keys"], files["box"])
	want, err := os.ReadFile(root + "/log")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if got := content(t, r, "log"); got != string(want) {
		t.Errorf("pacman logged:\n%s\ndevenv:\n%s\npacman said:\n%s", want, got, said)
	}
	compareTrees(t, describe(t, root), describe(t, tree, r.FS), explained)
	var failed []string
	for _, f := range r.Record.Failed {
		failed = append(failed, f.Step+": "+f.Problem)
	}
	wantFailed := []string{
		"hook 04-fails.hook: exit status 1",
		"pre_install of payoff 1.0-1: exit status 3",
		"post_install of payload 1.0-1: exit status 1",
		"hook 16-lacks.hook: not run, since it depends on absent, which is not installed: add it to [packages]",
		"hook 27-abort.hook: exit status 1",
		"hook 30-fails.hook: exit status 1",
		"hook 44-absent.hook: cannot be run: fork/exec /bin/absent: no such file or directory",
	}
	if !slices.Equal(failed, wantFailed) {
		t.Errorf("failed: %q", failed)
	}
	if n := strings.Count(said, "error: command failed") + strings.Count(said, "error: unable to run hook"); n != len(wantFailed) {
		t.Errorf("pacman finds %d faults: %s", n, said)
	}
	compareFaults(t, said, r.Record.Warnings)
}

var (
	faultInLine = regexp.MustCompile(`(?m)^(?:error|warning): hook \S+/(\S+\.hook) line (\d+): (invalid \w+|overwriting previous definition of \w+)`)
	faultInHook = regexp.MustCompile(`(?m)^(?:error|warning): (.+?)(?: in hook)?: \S+/(\S+\.hook)$`)
)

// compareFaults wants a word of devenv's for each of pacman's about a hook, of the
// same file and line, and no others.
func compareFaults(t *testing.T, said string, warnings []string) {
	t.Helper()
	want := map[string]bool{}
	for _, m := range faultInLine.FindAllStringSubmatch(said, -1) {
		want[m[1]+":"+m[2]+": "+m[3]] = true
	}
	for _, m := range faultInHook.FindAllStringSubmatch(said, -1) {
		want[m[2]+": "+m[1]] = true
	}
	if len(want) != 18 {
		t.Errorf("pacman has %d words about hooks: %q", len(want), slices.Sorted(maps.Keys(want)))
	}
	for fault := range want {
		if !slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(strings.ToLower(w), strings.ToLower(fault)) }) {
			t.Errorf("pacman says %q, devenv: %q", fault, warnings)
		}
	}
	if len(warnings) != len(want) {
		t.Errorf("%d warnings, pacman has %d: %q", len(warnings), len(want), warnings)
	}
}

// TestVetoAsPacman: a hook of before the transaction that must not fail stops both.
func TestVetoAsPacman(t *testing.T) {
	files := makePackages(t, "box", "veto", "vetoed")
	root, said, err := pacmanTries(t, []string{files["box"], files["veto"]}, []string{files["vetoed"]})
	if err == nil || !strings.Contains(said, "not this one") || !strings.Contains(said, "failed to run transaction hooks") {
		t.Errorf("pacman went on (%v): %s", err, said)
	}
	if _, err := os.Lstat(root + "/usr/share/vetoed"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("pacman has put something in: %v", err)
	}
	_, _, err = devenvTries(t, &Spec{}, files["box"], files["veto"], files["vetoed"])
	var abort *AbortError
	if !errors.As(err, &abort) || !strings.Contains(err.Error(), "01-veto.hook") || !strings.Contains(err.Error(), "not this one") || !strings.Contains(err.Error(), "exit status 2") {
		t.Errorf("devenv: %v", err)
	}
}
