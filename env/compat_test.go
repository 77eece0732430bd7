package env

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"devenv/env/lock"
	"devenv/layers/setup"
)

// TestMain lets the test program be the one that set-up starts again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == setup.Command {
		if err := setup.Inside(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// oldMirror is a mirror whose packages need each other's libraries, made with
// gcc and repo-add.
type oldMirror struct {
	t   *testing.T
	dir string
	inc int
}

func newOldMirror(t *testing.T) *oldMirror {
	t.Helper()
	for _, tool := range []string{"gcc", "repo-add", "bsdtar"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is missing (Debian: gcc, pacman-package-manager, libarchive-tools)", tool)
		}
	}
	return &oldMirror{t: t, dir: t.TempDir()}
}

func (m *oldMirror) command(dir string, args ...string) {
	m.t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%q: %v\n%s", args, err, out)
	}
}

// library compiles a library without any other into a package's directory.
func library(soname string, needs ...string) func(m *oldMirror, dir string) {
	return func(m *oldMirror, dir string) {
		m.elf(dir, "usr/lib/"+soname, append([]string{"-shared", "-Wl,-soname," + soname}, m.stubs(needs)...)...)
	}
}

// program compiles one that needs libraries.
func program(name string, needs ...string) func(m *oldMirror, dir string) {
	return func(m *oldMirror, dir string) {
		m.elf(dir, "usr/bin/"+name, append([]string{"-nostartfiles", "-Wl,-e,f,--no-dynamic-linker"}, m.stubs(needs)...)...)
	}
}

// stubs are libraries to link with.
func (m *oldMirror) stubs(names []string) (paths []string) {
	for _, n := range names {
		m.inc++
		dir := filepath.Join(m.dir, fmt.Sprint("stub", m.inc))
		m.elf(dir, n, "-shared", "-Wl,-soname,"+n)
		paths = append(paths, "-Wl,--no-as-needed", filepath.Join(dir, n))
	}
	return paths
}

func (m *oldMirror) elf(dir, name string, args ...string) {
	m.t.Helper()
	at := filepath.Join(dir, name)
	src := filepath.Join(m.dir, "f.c")
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(src, []byte("int f(void) { return 0; }\n"), 0o644)); err != nil {
		m.t.Fatal(err)
	}
	m.command(m.dir, append([]string{"gcc", "-nostdlib", "-fPIC", "-Wl,--allow-shlib-undefined", "-o", at, src}, args...)...)
}

// add makes a package, in the repository or in the archive alone.
func (m *oldMirror) add(archiveOnly bool, name, version, info, built string, fill ...func(*oldMirror, string)) {
	m.t.Helper()
	m.inc++
	dir := filepath.Join(m.dir, fmt.Sprint("pkg", m.inc))
	if err := os.MkdirAll(filepath.Join(dir, "usr"), 0o755); err != nil {
		m.t.Fatal(err)
	}
	for _, f := range fill {
		f(m, dir)
	}
	text := fmt.Sprintf("pkgname = %s\npkgver = %s\narch = x86_64\nbuilddate = 1700000000\nsize = 1\n%s", name, version, info)
	buildinfo := fmt.Sprintf("format = 2\npkgname = %s\npkgver = %s\n%s", name, version, built)
	if err := errors.Join(os.WriteFile(dir+"/.PKGINFO", []byte(text), 0o644), os.WriteFile(dir+"/.BUILDINFO", []byte(buildinfo), 0o644)); err != nil {
		m.t.Fatal(err)
	}
	file := name + "-" + version + "-x86_64.pkg.tar.zst"
	pool := filepath.Join(m.dir, "mirror/archive/packages", name[:1], name)
	repo := filepath.Join(m.dir, "mirror/core/os/x86_64")
	if err := errors.Join(os.MkdirAll(pool, 0o755), os.MkdirAll(repo, 0o755)); err != nil {
		m.t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		m.t.Fatal(err)
	}
	pack := []string{"bsdtar", "--zstd", "-cf", filepath.Join(pool, file)}
	for _, e := range entries { // sorted: what describes the package comes first
		pack = append(pack, e.Name())
	}
	m.command(dir, pack...)
	if !archiveOnly {
		m.command(dir, "cp", filepath.Join(pool, file), repo)
		m.command(repo, "repo-add", "-q", "core.db.tar.gz", file)
	}
}

// project opens a project that uses the mirror.
func (m *oldMirror) project(packages string) (*Project, *[]string) {
	m.t.Helper()
	dir := filepath.Join(m.t.TempDir(), "project")
	text := fmt.Sprintf("arch = \"x86_64\"\nbase = []\n[packages]\n%s\n[mirrors]\nservers = [\"%[2]s/$repo/os/$arch\"]\narchive = \"%[2]s/archive\"\nrepos = [\"core\"]\nsiglevel = \"never\"\n", packages, m.dir+"/mirror")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(dir+"/devenv.toml", []byte(text), 0o644)); err != nil {
		m.t.Fatal(err)
	}
	said := new([]string)
	vars := map[string]string{"HOME": dir, "DEVENV_CACHE_DIR": filepath.Join(m.dir, "cache"), "XDG_CONFIG_HOME": dir}
	p, err := Open(dir, Options{Getenv: func(n string) string { return vars[n] }, Report: func(e Event) {
		if e.Step == Note || e.Step == Warning {
			*said = append(*said, e.Text)
		}
	}})
	if err != nil {
		m.t.Fatal(err)
	}
	return p, said
}

func (m *oldMirror) build(p *Project) (*lock.Lock, *Built, error) {
	m.t.Helper()
	l, _, err := p.Lock(m.t.Context(), LockMode{})
	if err != nil {
		m.t.Fatal(err)
	}
	b, err := p.Build(m.t.Context(), l)
	if err == nil {
		b.Release()
	}
	return l, b, err
}

func newMirrorOfApp(t *testing.T) *oldMirror {
	m := newOldMirror(t)
	m.add(true, "libbase", "1.0-1", "", "", library("libbase.so.1"))
	m.add(false, "libbase", "2.0-1", "", "", library("libbase.so.2"))
	m.add(true, "libfoo", "1.0-1", "depend = libbase\n", "installed = libbase-1.0-1-x86_64\n", library("libfoo.so.1", "libbase.so.1"))
	m.add(false, "libfoo", "2.0-1", "depend = libbase\n", "", library("libfoo.so.2", "libbase.so.2"))
	m.add(true, "app", "1.0-1", "depend = libfoo\n", "installed = libfoo-1.0-1-x86_64\ninstalled = gcc-1-1-x86_64\n", program("app", "libfoo.so.1"))
	m.add(false, "app", "2.0-1", "depend = libfoo\n", "installed = libfoo-2.0-1-x86_64\n", program("app", "libfoo.so.2"))
	m.add(true, "lost", "1.0-1", "depend = libfoo\n", "installed = libfoo-0.9-1-x86_64\n", program("lost", "libfoo.so.0"))
	m.add(true, "lost", "1.5-1", "depend = libfoo\n", "installed = libfoo-0.95-1-x86_64\n", program("lost", "libfoo.so.0"))
	m.add(false, "lost", "2.0-1", "depend = libfoo\n", "installed = libfoo-2.0-1-x86_64\n", program("lost", "libfoo.so.2"))
	m.add(false, "plain", "1.0-1", "", "", program("plain", "libabsent.so.7"))
	return m
}

func TestCompatibilityLayer(t *testing.T) {
	m := newMirrorOfApp(t)
	p, said := m.project("app = \"1.0\"")
	l, b, err := m.build(p)
	if err != nil {
		t.Fatal(err)
	}
	var old []string
	for _, pkg := range l.Compat(p.Host) {
		old = append(old, pkg.Name+" "+pkg.Version+" for "+pkg.Compat)
	}
	slices.Sort(old)
	if want := []string{"libbase 1.0-1 for libfoo", "libfoo 1.0-1 for app"}; !slices.Equal(old, want) {
		t.Errorf("old libraries: %q, want %q", old, want)
	}
	if text := strings.Join(*said, "\n"); !strings.Contains(text, "app gets the libraries of libfoo 1.0-1, which it was built with, beside today's") {
		t.Errorf("said %s", text)
	}
	found := map[string]bool{}
	for _, d := range b.lower {
		for _, name := range []string{"libfoo.so.1", "libfoo.so.2", "libbase.so.1", "libbase.so.2"} {
			if _, err := os.Lstat(p.Cache.Dir() + "/" + d + "/usr/lib/" + name); err == nil {
				found[name] = true
			}
		}
	}
	if len(found) != 4 {
		t.Errorf("libraries in %q: %v", b.lower, found)
	}
	before, err := os.ReadFile(p.LockPath())
	if err != nil {
		t.Fatal(err)
	}
	// Another project, with a file of its own, is given what is there already.
	p2, _ := m.project("[packages.app]\nversion = \"1.0\"\nfiles = { \"/etc/app.conf\" = \"x\" }")
	if l2, _, err := m.build(p2); err != nil || len(l2.Compat(p2.Host)) != len(old) {
		t.Errorf("a second project: %v", err)
	}
	// The lock is read and followed; a second build finds all that it needs.
	again, err := p.ReadLock()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(m.dir, "mirror")); err != nil {
		t.Fatal(err)
	}
	p.frozen = true
	b2, err := p.Build(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	defer b2.Release()
	if after, _ := os.ReadFile(p.LockPath()); string(after) != string(before) || !slices.Equal(b2.lower, b.lower) {
		t.Errorf("a second build changed something: %q, %q", b2.lower, b.lower)
	}
}

func TestCompatibilityIsFrozen(t *testing.T) {
	m := newMirrorOfApp(t)
	p, _ := m.project("app = \"1.0\"")
	l, _, err := p.Lock(t.Context(), LockMode{})
	if err != nil {
		t.Fatal(err)
	}
	p.frozen = true
	var stale *StaleLockError
	if _, err := p.Build(t.Context(), l); !errors.As(err, &stale) {
		t.Errorf("built although the lock may not be written: %v", err)
	}
}

// What cannot be cured is said with the pin, the file, the library wanted, the one
// present, and changes that were solved for: every one of them builds.
func TestIncurable(t *testing.T) {
	m := newMirrorOfApp(t)
	for _, c := range []struct {
		pins, says string
		changes    []string // what is offered, in order
		without    string   // never said
	}{
		{
			`lost = "1.0"`, "devenv.toml:4:1: lost 1.0-1: usr/bin/lost needs libfoo.so.0, which is nowhere; libfoo 2.0-1 has usr/lib/libfoo.so.2\nhint: what would work: lost = \"2.0-1\"",
			[]string{`lost = "2.0-1"`}, "1.5-1",
		},
		{
			"app = \"2.0\"\nlibfoo = \"1.0\"", "devenv.toml:5:1: app 2.0-1: usr/bin/app needs libfoo.so.2, which is nowhere; libfoo 1.0-1 has usr/lib/libfoo.so.1\nhint: what would work: app = \"1.0-1\", or libfoo = \"2.0-1\"",
			[]string{"app = \"1.0-1\"\nlibfoo = \"1.0\"", "app = \"2.0\"\nlibfoo = \"2.0-1\""}, "snapshot",
		},
	} {
		p, _ := m.project(c.pins)
		_, _, err := m.build(p)
		if err == nil {
			t.Fatalf("%s: built", c.pins)
		}
		if !strings.HasSuffix(err.Error(), c.says) || strings.Contains(err.Error(), c.without) {
			t.Errorf("%s:\n%v\nwant at its end:\n%s", c.pins, err, c.says)
		}
		for _, change := range c.changes {
			p, _ := m.project(change)
			if _, _, err := m.build(p); err != nil {
				t.Errorf("%s does not work: %v", change, err)
			}
		}
	}
}

// Nothing of a build that failed so is in the lock.
func TestIncurableLeavesTheLockAlone(t *testing.T) {
	m := newMirrorOfApp(t)
	p, said := m.project("app = \"1.0\"\nlost = \"1.0\"")
	l, _, err := p.Lock(t.Context(), LockMode{})
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(p.LockPath())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Build(t.Context(), l); err == nil || strings.Contains(err.Error(), "usr/bin/app") || !strings.Contains(err.Error(), "usr/bin/lost") {
		t.Errorf("built, or for another reason not: %v", err)
	}
	if after, _ := os.ReadFile(p.LockPath()); string(after) != string(before) {
		t.Errorf("the lock has changed: %s", after)
	}
	if text := strings.Join(*said, "\n"); strings.Contains(text, "gets the libraries") {
		t.Errorf("said what was not done: %s", text)
	}
	left, err := filepath.Glob(filepath.Join(m.dir, "cache/tmp/*"))
	if err != nil || len(left) > 0 {
		t.Errorf("half-made: %q, %v", left, err)
	}
}

// Some libraries have their number before the ".so", and nothing in their name
// says whose they are.
func TestCompatibilityOfOtherNames(t *testing.T) {
	m := newOldMirror(t)
	m.add(true, "engine-libs", "16-1", "", "", library("libEngine-16.so"), library("libhelper.so.1"))
	m.add(false, "engine-libs", "19-1", "", "", library("libEngine.so.19.1"))
	m.add(true, "plain", "1-1", "", "", library("libodd.so.1"))
	m.add(false, "plain", "2-1", "", "")
	m.add(true, "front", "16-1", "depend = engine-libs\ndepend = plain\n",
		"installed = engine-libs-16-1-x86_64\ninstalled = plain-1-1-x86_64\n", program("front", "libEngine-16.so", "libodd.so.1", "liboptional.so.3"))
	m.add(false, "front", "19-1", "depend = engine-libs\n", "", program("front", "libEngine.so.19.1"))
	p, _ := m.project("front = \"16\"")
	l, b, err := m.build(p)
	if err != nil {
		t.Fatal(err)
	}
	var old []string
	for _, pkg := range l.Compat(p.Host) {
		old = append(old, pkg.Name+" "+pkg.Version)
	}
	slices.Sort(old)
	if want := []string{"engine-libs 16-1", "plain 1-1"}; !slices.Equal(old, want) {
		t.Errorf("old libraries of %q, want %q", old, want)
	}
	if len(b.Misses) != 1 || b.Misses[0].Want != "liboptional.so.3" {
		t.Errorf("misses: %+v", b.Misses)
	}
}

// What `files` and scriptlets bring counts, and what they bring is looked at.
func TestFinishedTreeIsChecked(t *testing.T) {
	box, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("busybox is missing (Debian: busybox-static)")
	}
	m := newOldMirror(t)
	file := func(name, text string, mode os.FileMode) func(*oldMirror, string) {
		return func(m *oldMirror, dir string) {
			at := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), mode)); err != nil {
				m.t.Fatal(err)
			}
		}
	}
	m.add(false, "box", "1-1", "", "", func(m *oldMirror, dir string) {
		m.command(dir, "mkdir", "-p", "usr/bin")
		m.command(dir, "cp", box, "usr/bin/busybox")
		for _, applet := range []string{"sh", "ln", "mv", "mkdir", "rm"} {
			m.command(dir, "ln", "-s", "busybox", "usr/bin/"+applet)
		}
		m.command(dir, "ln", "-s", "usr/bin", "bin")
	})
	m.add(false, "tool", "1-1", "depend = box\n", "", program("tool", "libmade.so.1", "libfar.so.1", "libgone.so.1"),
		library("libmade.so"), library("libgone.so.1"),
		func(m *oldMirror, dir string) {
			m.elf(dir, "opt/far/libfar.so.1", "-shared", "-Wl,-soname,libfar.so.1")
		},
		file("usr/bin/script", "#!/usr/bin/made\n", 0o755), file("usr/bin/replaced", "#!/usr/bin/absent\n", 0o755),
		file(".INSTALL", "post_install() { ln -s libmade.so /usr/lib/libmade.so.1; ln -s busybox /usr/bin/made; rm /usr/lib/libgone.so.1; }\n", 0o644))
	ours, mine := filepath.Join(m.dir, "ours"), filepath.Join(m.dir, "mine")
	if err := errors.Join(os.WriteFile(ours, []byte("#!/usr/bin/sh\n"), 0o644), os.WriteFile(mine, []byte("#!/usr/bin/nowhere\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	p, _ := m.project(fmt.Sprintf(`box = "*"
[packages.tool]
version = "*"
[packages.tool.files]
"/etc/ld.so.conf" = "/opt/far\n"
"/usr/bin/replaced" = { source = %q, mode = "0755" }
"/usr/bin/mine" = { source = %q, mode = "0755" }`, ours, mine))
	_, b, err := m.build(p)
	if err != nil {
		t.Fatal(err)
	}
	var misses []string
	for _, miss := range b.Misses {
		misses = append(misses, miss.Package+": "+miss.Problem)
	}
	want := []string{
		"tool: usr/bin/tool needs libgone.so.1, which is nowhere",
		"set-up: usr/bin/mine is run by /usr/bin/nowhere, which is not there",
	}
	if !slices.Equal(misses, want) {
		t.Errorf("misses %q, want %q", misses, want)
	}
}

func TestOtherMissesStopNothing(t *testing.T) {
	m := newMirrorOfApp(t)
	p, _ := m.project("plain = \"*\"")
	_, b, err := m.build(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Misses) != 1 || b.Misses[0].Package != "plain" || b.Misses[0].Want != "libabsent.so.7" {
		t.Errorf("misses: %+v", b.Misses)
	}
}
