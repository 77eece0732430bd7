package setup

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the table of differences into docs/setup.md")

// differs are the paths in which an environment may differ from what pacman
// installs, and why: devenv is right there, or the kernel forbids the same.
// docs/setup.md has them as a table.
var differs = []struct{ pattern, why string }{
	{"dev/null", "pacman's root has no devices: what a scriptlet throws away becomes a file"},
	{"etc/group", "has the groups of sysusers.d, which pacman leaves to systemd-sysusers; without those it is the same"},
	{"etc/gshadow", "likewise"},
	{"etc/passwd", "likewise, the users"},
	{"etc/shadow", "likewise"},
	{"etc/shells", "the same lines: scriptlets of packages that do not need each other run in the order of names"},
	{"var/cache/fontconfig/*.cache-*", "holds the times of directories"},
	{"var/cache/ldconfig/aux-cache", "holds inode numbers of one machine"},
	{"var/lib/dbus/machine-id", "the host's identity, which is shown inside"},
	{"var/lib/pacman/local/*/desc", "the install date is the build date, so that equal packages make equal layers"},
	{"var/lib/pacman/sync", "pacman's copies of the mirror's databases: nothing is synchronised inside"},
	{"var/lib/pacman/sync/*", "likewise"},
}

// realPackages have scriptlets and hooks of all kinds between them: what they
// need comes, too.
var realPackages = strings.Fields(`filesystem bash coreutils sed grep gawk findutils diffutils tar gzip xz which file less procps-ng ca-certificates
	make perl python git pacman iputils dbus zsh fish dash openssh sudo texinfo util-linux
	glib2 gdk-pixbuf2 gtk3 fontconfig ttf-dejavu shared-mime-info desktop-file-utils`)

// TestRealPackagesAsPacman installs real packages of the local mirror, which
// DEVENV_TEST_MIRROR names, with `pacman -S` and with devenv, and compares the
// trees file by file: content, mode, target, and the time of what no scriptlet
// or hook has written.
func TestRealPackagesAsPacman(t *testing.T) {
	mirror := os.Getenv("DEVENV_TEST_MIRROR")
	if mirror == "" {
		t.Skip("DEVENV_TEST_MIRROR names no mirror: make mirror makes one")
	}
	if _, err := exec.LookPath("pacman"); err != nil || os.Getuid() != 0 {
		t.Skip("needs pacman (Debian: pacman-package-manager), and root for it")
	}
	start := time.Now()
	root, said, files := pacmanFromMirror(t, mirror)
	tree, r := devenvInstalls(t, &Spec{}, files...)
	for i := range r.Record.Failed {
		if !strings.Contains(said, "error: command failed") { // pacman's own fail there, too
			t.Errorf("failed: %s\npacman said: %s", r.Record.Failed[i].String(), said)
		}
	}
	theirs, ours := describe(t, root), describe(t, tree, r.FS)
	seen := map[string]int{}
	for _, p := range slices.Sorted(maps.Keys(merged(theirs, ours))) {
		if theirs[p] == ours[p] {
			continue
		}
		if why := explanation(p); why != "" {
			seen[why]++
		} else {
			t.Errorf("%s: pacman %q, devenv %q", p, theirs[p], ours[p])
		}
	}
	for _, d := range differs {
		if seen[d.pattern] == 0 {
			t.Errorf("%s differs nowhere: it needs no explanation", d.pattern)
		}
	}
	compareTimes(t, start, root, tree, r.FS)
	compareLinkerCaches(t, root, tree, r.FS)
	compareLines(t, root, tree, r.FS)
	t.Logf("%d packages compared, %d paths; %d differ: %v", len(files), len(theirs), sum(seen), seen)
	compareWithDocs(t)
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// explanation is the pattern of differs that covers a path, or "".
func explanation(p string) string {
	for _, d := range differs {
		if ok, _ := filepath.Match(d.pattern, p); ok {
			return d.pattern
		}
	}
	return ""
}

// pacmanFromMirror installs the packages and says which files of the mirror those
// were.
func pacmanFromMirror(t *testing.T, mirror string) (root, said string, files []string) {
	t.Helper()
	dir := t.TempDir()
	root, conf := filepath.Join(dir, "root"), filepath.Join(dir, "pacman.conf")
	text := "[options]\nArchitecture = x86_64\nSigLevel = Never\n[core]\nServer = file://" + mirror + "/$repo/os/$arch\n[extra]\nServer = file://" + mirror + "/$repo/os/$arch\n"
	if err := errors.Join(os.MkdirAll(root+"/var/lib/pacman", 0o755), os.WriteFile(conf, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	pacman := func(args ...string) string {
		cmd := exec.Command("pacman", append([]string{"--root", root, "--config", conf, "--dbpath", root + "/var/lib/pacman", "--cachedir", dir + "/cache",
			"--gpgdir", dir + "/gpg", "--logfile", "/dev/null", "--hookdir", root + "/etc/pacman.d/hooks", "--noconfirm"}, args...)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("pacman %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	said = pacman(append([]string{"-Sy"}, realPackages...)...)
	for line := range strings.Lines(pacman("-Q")) {
		name, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		found, _ := filepath.Glob(filepath.Join(mirror, "*/os/x86_64", name+"-"+version+"-*.pkg.tar.*"))
		found = slices.DeleteFunc(found, func(f string) bool { return strings.HasSuffix(f, ".sig") })
		if len(found) != 1 {
			t.Fatalf("%s %s: %v", name, version, found)
		}
		files = append(files, found[0])
	}
	return root, said, files
}

// compareTimes compares the times of files that pacman has not written itself
// since the test began, and that no step has written here.
func compareTimes(t *testing.T, start time.Time, pacman, tree, layer string) {
	t.Helper()
	compared := 0
	err := filepath.WalkDir(pacman, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(pacman, at)
		theirs, err := d.Info()
		if err != nil || theirs.ModTime().After(start) || explanation(rel) != "" {
			return err
		}
		if _, err := os.Lstat(filepath.Join(layer, rel)); err == nil {
			return nil
		}
		ours, err := os.Lstat(filepath.Join(tree, rel))
		if err != nil {
			return nil // told already
		}
		if compared++; !ours.ModTime().Equal(theirs.ModTime()) {
			t.Errorf("%s: pacman's time %v, devenv's %v", rel, theirs.ModTime(), ours.ModTime())
		}
		return nil
	})
	if err != nil || compared == 0 {
		t.Errorf("%d times compared: %v", compared, err)
	}
}

// compareLinkerCaches compares what ldconfig reads in both caches.
func compareLinkerCaches(t *testing.T, pacman, tree, layer string) {
	t.Helper()
	list := func(cache string) string {
		out, err := exec.Command("ldconfig", "-C", cache, "-p").Output()
		if err != nil {
			t.Fatalf("ldconfig -p of %s: %v", cache, err)
		}
		lines := slices.Collect(strings.Lines(string(out)))
		return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return !strings.Contains(l, "=>") }), "")
	}
	ours := filepath.Join(layer, "etc/ld.so.cache")
	if _, err := os.Lstat(ours); err != nil {
		ours = filepath.Join(tree, "etc/ld.so.cache")
	}
	if got, want := list(ours), list(filepath.Join(pacman, "etc/ld.so.cache")); got != want || got == "" {
		t.Errorf("the linker's cache names\n%s\npacman's\n%s", got, want)
	}
}

// compareLines wants every line of pacman's in the files that differ by more lines
// or by their order, and in /etc/shells no others.
func compareLines(t *testing.T, pacman, tree, layer string) {
	t.Helper()
	sorted := func(name string) []string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Sorted(strings.Lines(string(text)))
	}
	for _, name := range []string{"etc/group", "etc/gshadow", "etc/passwd", "etc/shadow", "etc/shells"} {
		ours, theirs := sorted(filepath.Join(layer, name)), sorted(filepath.Join(pacman, name))
		for _, line := range theirs {
			if !slices.Contains(ours, line) {
				t.Errorf("%s: pacman's %q is missing", name, line)
			}
		}
		if name == "etc/shells" && len(ours) != len(theirs) {
			t.Errorf("%s: %q, pacman's %q", name, ours, theirs)
		}
	}
}

// compareWithDocs holds the table in the documentation to the one here.
func compareWithDocs(t *testing.T) {
	t.Helper()
	const file, begin, end = "../../docs/setup.md", "<!-- differences: written by layers/setup's tests with -update -->\n", "<!-- end of differences -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	old, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no table of differences", file)
	}
	var table strings.Builder
	table.WriteString("| path | why it differs |\n|---|---|\n")
	for _, d := range differs {
		fmt.Fprintf(&table, "| `%s` | %s |\n", d.pattern, d.why)
	}
	if old == table.String() {
		return
	}
	if !*update {
		t.Errorf("%s has another table of differences: go test ./layers/setup -run TestRealPackagesAsPacman -update", file)
		return
	}
	if err := os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
