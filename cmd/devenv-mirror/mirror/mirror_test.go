package mirror

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"devenv/cmd/devenv-mirror/table"
)

// aptWorld is a repository of .debs made for a test, and an apt that knows
// nothing else. It needs no network.
type aptWorld struct{ dir string }

func newAptWorld(t *testing.T) *aptWorld {
	t.Helper()
	needTools(t)
	if runtime.GOARCH != "amd64" {
		t.Skip("the test's packages are for amd64")
	}
	w := &aptWorld{t.TempDir()}
	for _, dir := range []string{"repo", "lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(w.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.file(t, "sources.list", fmt.Sprintf("deb [trusted=yes] file:%s/repo ./\n", w.dir))
	w.file(t, "apt.conf", fmt.Sprintf(`Dir::Etc::sourcelist "%[1]s/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "%[1]s/lists";
Dir::State::status "/dev/null";
Dir::Cache "%[1]s/cache";
APT::Sandbox::User "root";
APT::Architecture "amd64";
`, w.dir))
	t.Setenv("APT_CONFIG", filepath.Join(w.dir, "apt.conf"))
	return w
}

// needTools skips what a mirror's tools are needed for.
func needTools(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("apt, gpg and repo-add take their time, and -short was asked for")
	}
	if err := CheckTools(0); err != nil {
		t.Skip(err)
	}
}

func (w *aptWorld) file(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// deb adds a package: control fields and files (path → content).
func (w *aptWorld) deb(t *testing.T, name, version, fields string, files map[string]string) {
	t.Helper()
	root := t.TempDir()
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: nobody <n@example.invalid>\n%sDescription: %[1]s for a test\n", name, version, fields)
	all := map[string]string{"DEBIAN/control": control}
	for p, content := range files {
		all[p] = content
	}
	for p, content := range all {
		p = filepath.Join(root, p)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			if err := os.Symlink(target, p); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(p, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	os.RemoveAll(filepath.Join(w.dir, "repo", name+".deb"))
	command(t, nil, "dpkg-deb", "--root-owner-group", "--build", root, filepath.Join(w.dir, "repo", name+".deb"))
}

// update makes the repository's index and lets apt read it.
func (w *aptWorld) update(t *testing.T) {
	t.Helper()
	debs, err := filepath.Glob(filepath.Join(w.dir, "repo", "*.deb"))
	if err != nil {
		t.Fatal(err)
	}
	var index strings.Builder
	for _, deb := range debs {
		data, err := os.ReadFile(deb)
		if err != nil {
			t.Fatal(err)
		}
		sum, _, _ := strings.Cut(command(t, nil, "sha256sum", deb), " ")
		fmt.Fprintf(&index, "%s\nFilename: ./%s\nSize: %d\nSHA256: %s\n\n", strings.TrimSpace(command(t, nil, "dpkg-deb", "-f", deb)), filepath.Base(deb), len(data), sum)
	}
	w.file(t, "repo/Packages", index.String())
	command(t, nil, "apt-get", "-q", "update")
}

func command(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(append(os.Environ(), "LC_ALL=C.UTF-8"), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

const testTable = `
[[day]]
date = "2022-11-20"
repos = ["core", "extra", "community"]
[[day]]
date = "2023-09-10"
repos = ["core", "extra"]
[[day]]
date = "2024-06-12"
repos = ["core", "extra"]
[series.tool]
pick = "tool-#"
[sets]
base = []
[package.filesystem]
repo = "core"
version = "1-1"
links = { "bin" = "usr/bin", "lib" = "usr/lib", "lib64" = "usr/lib", "usr/lib/{triplet}" = "." }
[package.lib]
repo = "core"
debs = ["lib1"]
epoch = 1
depends = ["filesystem"]
[package.tool]
debs = ["tool-{tool}"]
unversion = "-{tool}"
groups = ["tools"]
depends = ["lib"]
[package.old]
repo = "community"
debs = ["old"]
gone = "2024-06-12"
`

// build makes a world with a library, a tool in two versions and one program
// that the last day has no more, and a mirror of it.
func build(t *testing.T) (*aptWorld, Options) {
	t.Helper()
	w := newAptWorld(t)
	w.deb(t, "lib1", "1:1.0+b~rc-1", "", map[string]string{
		"lib/x86_64-linux-gnu/liblib.so.1.0": "library", "usr/lib/x86_64-linux-gnu/liblib.so": "-> /lib/x86_64-linux-gnu/liblib.so.1.0",
		"etc/lib.conf": "setting", "DEBIAN/conffiles": "/etc/lib.conf\n", "usr/share/doc/lib1/copyright": "all",
	})
	w.deb(t, "tool-1", "1.5-2", "Depends: lib1\n", map[string]string{"usr/bin/tool-1": "#!/bin/sh\n", "usr/share/tool/::odd name": "x"})
	w.deb(t, "tool-2", "2.5-1", "Depends: lib1, helper\n", map[string]string{"usr/bin/tool-2": "#!/bin/sh\n"})
	w.deb(t, "helper", "7-1", "", map[string]string{"usr/share/helper": "x"})
	w.deb(t, "old", "3-1", "", map[string]string{"usr/games/old": "x"})
	w.update(t)
	tbl, err := table.Parse([]byte(testTable))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Dir: filepath.Join(t.TempDir(), "mirror"), Table: tbl, Days: 3, Jobs: 2, Log: t.Logf}
	if err := FromDebian(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return w, o
}

// TestLayout goes through all that DESIGN calls a mirror's layout.
func TestLayout(t *testing.T) {
	_, o := build(t)
	for _, name := range []string{
		"core/os/x86_64/core.db", "core/os/x86_64/core.files", "core/os/x86_64/core.db.tar.gz",
		"core/os/x86_64/lib-1:1.0+brc-1-x86_64.pkg.tar.zst", "core/os/x86_64/lib-1:1.0+brc-1-x86_64.pkg.tar.zst.sig",
		"extra/os/x86_64/tool-2.5-1-x86_64.pkg.tar.zst", "extra/os/x86_64/helper-7-1-x86_64.pkg.tar.zst",
		"archive/repos/2022/11/20/community/os/x86_64/old-3-1-x86_64.pkg.tar.zst",
		"archive/repos/2022/11/20/extra/os/x86_64/tool-1.5-2-x86_64.pkg.tar.zst",
		"archive/repos/2023/09/10/extra/os/x86_64/old-3-1-x86_64.pkg.tar.zst",
		"archive/repos/2024/06/12/core/os/x86_64/core.db",
		"archive/packages/t/tool/tool-1.5-2-x86_64.pkg.tar.zst.sig", "keyring.gpg",
	} {
		if info, err := os.Stat(filepath.Join(o.Dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"extra/os/x86_64/old-3-1-x86_64.pkg.tar.zst", "extra/os/x86_64/tool-1.5-2-x86_64.pkg.tar.zst", ".new", "community"} {
		if _, err := os.Stat(filepath.Join(o.Dir, name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
	want := []string{"filesystem-1-1-any", "helper-7-1-x86_64", "lib-1:1.0+brc-1-x86_64", "old-3-1-x86_64", "tool-1.5-2-x86_64", "tool-2.5-1-x86_64"}
	if got := readIndex(t, o.Dir); !slices.Equal(got, want) {
		t.Errorf("index has %q", got)
	}
}

func readIndex(t *testing.T, dir string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "archive/packages/.all/index.0.xz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := xz.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(text.String())
}

func TestSecondRunReusesAndFollows(t *testing.T) {
	w, o := build(t)
	stat := func(name string) os.FileInfo {
		info, err := os.Stat(filepath.Join(o.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	const db, pkg = "extra/os/x86_64/extra.db", "archive/packages/t/tool/tool-2.5-1-x86_64.pkg.tar.zst"
	oldDB, oldPkg := stat(db), stat(pkg)
	if err := FromDebian(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(oldDB, stat(db)) || !os.SameFile(oldPkg, stat(pkg)) {
		t.Error("a second run without news made something anew")
	}

	w.deb(t, "tool-2", "2.6-1", "Depends: lib1\n", map[string]string{"usr/bin/tool-2": "new"})
	w.update(t)
	if err := FromDebian(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(oldPkg, stat(pkg)) {
		t.Error("the old version is not the file it was")
	}
	stat("extra/os/x86_64/tool-2.6-1-x86_64.pkg.tar.zst")
	for _, gone := range []string{"tool-2.5-1", "helper-7-1"} {
		if _, err := os.Stat(filepath.Join(o.Dir, "extra/os/x86_64", gone+"-x86_64.pkg.tar.zst")); err == nil {
			t.Errorf("%s is still in extra", gone)
		}
		if !slices.Contains(readIndex(t, o.Dir), gone+"-x86_64") {
			t.Errorf("the archive has lost %s", gone)
		}
	}
	packages, err := readDatabase(filepath.Join(o.Dir, db))
	if err != nil || len(packages) != 1 || packages[0].Version != "2.6-1" || packages[0].Groups[0] != "tools" {
		t.Errorf("extra.db: %v, %v", packages, err)
	}
}

func TestDamageIsMended(t *testing.T) {
	_, o := build(t)
	pkg := filepath.Join(o.Dir, "archive/packages/t/tool/tool-2.5-1-x86_64.pkg.tar.zst")
	whole, err := os.ReadFile(pkg)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(pkg, 10); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(o.Dir, "core/os/x86_64/core.files")); err != nil {
		t.Fatal(err)
	}
	if err := FromDebian(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(pkg); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("the package was not made as before: %v", err)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "core/os/x86_64/core.files")); err != nil {
		t.Error(err)
	}
}

// A run that is killed leaves parts and a gpg-agent; the next one clears them
// away.
func TestAfterAKilledRun(t *testing.T) {
	_, o := build(t)
	home, err := os.MkdirTemp("", homePrefix)
	if err != nil {
		t.Fatal(err)
	}
	left := []string{
		home, filepath.Join(o.Dir, ".debs/.part-1"), filepath.Join(o.Dir, ".new/core"),
		filepath.Join(o.Dir, "archive/packages/t/tool/.part-tool-2.5-1-x86_64.pkg.tar.zst"),
	}
	for _, name := range left[1:] {
		if err := os.MkdirAll(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(o.Dir, ".keys-in-use"), []byte(home), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := FromDebian(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(left, filepath.Join(o.Dir, ".keys-in-use")) {
		if _, err := os.Lstat(name); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestOneRunAtATime(t *testing.T) {
	_, o := build(t)
	f, err := os.OpenFile(filepath.Join(o.Dir, ".lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lock(t, f)
	if err := FromDebian(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another") {
		t.Errorf("two runs at once: %v", err)
	}
}

func TestAnUnwholeDayIsNotPublished(t *testing.T) {
	w, o := build(t)
	w.deb(t, "helper", "7-1", "", map[string]string{"usr/bin/tool": "taken", "usr/bin/tool-2": "taken"})
	w.update(t)
	before, err := os.ReadFile(filepath.Join(o.Dir, "extra/os/x86_64/extra.db"))
	if err != nil {
		t.Fatal(err)
	}
	err = FromDebian(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "usr/bin/tool-2 is in ") {
		t.Errorf("two owners of one file: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(o.Dir, "extra/os/x86_64/extra.db")); err != nil || !bytes.Equal(before, after) {
		t.Error("the database changed all the same")
	}
}
