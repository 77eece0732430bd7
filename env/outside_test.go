package env

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"devenv/env/native"
)

// runs compiles a program that ends with what a library says.
func runs(name, soname string) func(m *oldMirror, dir string) {
	return func(m *oldMirror, dir string) {
		m.inc++
		stub := filepath.Join(m.dir, fmt.Sprint("stub", m.inc))
		m.elf(stub, soname, "-shared", "-Wl,-soname,"+soname)
		src := filepath.Join(m.dir, "main.c")
		err := errors.Join(os.MkdirAll(dir+"/usr/bin", 0o755), os.WriteFile(src, []byte("int f(void); int main(void) { return f(); }\n"), 0o644))
		if err != nil {
			m.t.Fatal(err)
		}
		m.command(m.dir, "gcc", "-Wl,--dynamic-linker,/usr/lib/ld-own.so", "-o", filepath.Join(dir, "usr/bin", name), src, filepath.Join(stub, soname))
	}
}

// says compiles a library whose f gives a number.
func says(soname string, number int) func(m *oldMirror, dir string) {
	return func(m *oldMirror, dir string) {
		src := filepath.Join(m.dir, "says.c")
		err := errors.Join(os.MkdirAll(dir+"/usr/lib", 0o755), os.WriteFile(src, fmt.Appendf(nil, "int f(void) { return %d; }\n", number), 0o644))
		if err != nil {
			m.t.Fatal(err)
		}
		m.command(m.dir, "gcc", "-nostdlib", "-fPIC", "-shared", "-Wl,-soname,"+soname, "-o", filepath.Join(dir, "usr/lib", soname), src)
	}
}

// hostLibc takes the host's dynamic linker and C library into a package.
func hostLibc(m *oldMirror, dir string) {
	interpreter, err := exec.Command("gcc", "-print-file-name=ld-linux-x86-64.so.2").Output()
	libc, err2 := exec.Command("gcc", "-print-file-name=libc.so.6").Output()
	if err := errors.Join(err, err2, os.MkdirAll(dir+"/usr/lib", 0o755)); err != nil {
		m.t.Fatal(err)
	}
	m.command(m.dir, "cp", "-L", strings.TrimSpace(string(interpreter)), dir+"/usr/lib/ld-own.so")
	m.command(m.dir, "cp", "-L", strings.TrimSpace(string(libc)), dir+"/usr/lib/libc.so.6")
	m.command(m.dir, "ln", "-s", "ld-own.so", dir+"/usr/lib/ld-linux-x86-64.so.2")
}

func newMirrorOfRunner(t *testing.T) *oldMirror {
	m := newOldMirror(t)
	m.add(false, "libc", "1-1", "", "", hostLibc)
	m.add(true, "libnumber", "1.0-1", "depend = libc\n", "", says("libnumber.so.1", 41))
	m.add(false, "libnumber", "2.0-1", "depend = libc\n", "", says("libnumber.so.2", 42))
	m.add(true, "runner", "1.0-1", "depend = libnumber\n", "installed = libnumber-1.0-1-x86_64\n", runs("runner", "libnumber.so.1"))
	m.add(false, "runner", "2.0-1", "depend = libnumber\n", "installed = libnumber-2.0-1-x86_64\n", runs("runner", "libnumber.so.2"))
	return m
}

func exitCodeOf(t *testing.T, tools *Outside, name string) int {
	t.Helper()
	out, err := exec.Command(filepath.Join(tools.Dir, native.Bin, name)).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || exit == nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	if len(out) > 0 {
		t.Errorf("%s says %s", name, out)
	}
	return exit.ExitCode()
}

// TestOldLibrariesOutside: a program that was rolled back alone finds the library
// that it was built with natively, too; and a configured file has its place in
// the prefix that programs see.
func TestOldLibrariesOutside(t *testing.T) {
	m := newMirrorOfRunner(t)
	p, _ := m.project("runner = { version = \"1.0\", files = { \"/etc/runner.conf\" = \"configured\\n\" } }")
	l, _, err := p.Lock(t.Context(), LockMode{})
	if err != nil {
		t.Fatal(err)
	}
	tools, err := p.Outside(t.Context(), l, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tools.Release()
	if code := exitCodeOf(t, tools, "runner"); code != 41 {
		t.Errorf("the old library says 41, not %d", code)
	}
	text, err := os.ReadFile(filepath.Join(tools.Dir, "fs/etc/runner.conf"))
	if err != nil || string(text) != "configured\n" {
		t.Errorf("a configured file: %q, %v", text, err)
	}
}

// TestOldLibrariesAdHoc: the same without a project. Nothing but cache is left,
// and the second time everything is there.
func TestOldLibrariesAdHoc(t *testing.T) {
	m := newMirrorOfRunner(t)
	p, _ := m.project("runner = \"*\"")
	config := filepath.Join(p.Dir, "devenv")
	text, err := os.ReadFile(p.Path)
	if err == nil {
		_, mirrors, _ := strings.Cut(string(text), "[mirrors]")
		err = errors.Join(os.Mkdir(config, 0o755), os.WriteFile(config+"/config.toml", []byte("[mirrors]"+mirrors), 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i := range 2 {
		a, err := OpenAdHoc(dir, []string{"runner@1.0"}, "", p.opt)
		if err != nil {
			t.Fatal(err)
		}
		tools, err := a.Native(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if code := exitCodeOf(t, tools, "runner"); code != 41 {
			t.Errorf("the old library says 41, not %d", code)
		}
		tools.Release()
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("left in the working directory: %v", left)
		}
		if i == 0 {
			os.RemoveAll(filepath.Join(m.dir, "mirror"))
		}
	}
}
