package setup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"devenv/cache"
	"devenv/layers/alpm"
)

// nobody is an unprivileged user that every host has.
const nobody = 65534

// TestMain lets the test program be what devenv is: the program that set-up
// starts again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Command {
		if err := Inside(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// asNobody runs the calling test again as an unprivileged user where that is
// another, after it has run as it is.
func asNobody(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	t.Cleanup(func() {
		if t.Failed() || t.Skipped() {
			return
		}
		dir, err := os.MkdirTemp("/tmp", "setup-nobody-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		self := filepath.Join(dir, "self")
		exe, err := os.ReadFile("/proc/self/exe")
		err = errors.Join(err, os.WriteFile(self, exe, 0o755), os.Chmod(dir, 0o755), os.Mkdir(dir+"/work", 0o755), os.Chown(dir+"/work", nobody, nobody))
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(self, "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v")
		cmd.Dir = dir + "/work"
		cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "TMPDIR="+cmd.Dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("as an unprivileged user: %v\n%s", err, out)
		}
	})
}

// world is a cache with one tree in it, of busybox and what a test adds.
type world struct {
	t     *testing.T
	cache *cache.Cache
	spec  *Spec
	tree  string
}

var applets = []string{"sh", "cat", "ls", "echo", "env", "id", "true", "false", "pwd", "touch", "rm", "rmdir", "mkdir", "grep", "sleep", "chown", "chgrp", "chmod", "mknod", "wc", "cp", "mv", "ln", "test", "wget", "mount", "setsid", "sort", "ps", "stat", "tty", "date", "hostname", "readlink", "mkfifo", "kill"}

func newWorld(t *testing.T) *world {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("busybox is missing (Debian: busybox-static)")
	}
	c, err := cache.Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, cache: c, tree: filepath.Join(c.Tree("test"), "fs")}
	text, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	w.write("usr/bin/busybox", string(text), 0o755)
	for _, a := range applets {
		w.link("usr/bin/"+a, "busybox")
	}
	w.link("bin", "usr/bin")
	w.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0o644)
	w.write("etc/group", "root:x:0:\n", 0o644)
	w.spec = &Spec{TreeID: "test", Tree: w.tree}
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.tree, name) }

func (w *world) write(name, text string, mode os.FileMode) {
	w.t.Helper()
	at := w.path(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), mode), os.Chmod(at, mode)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) link(name, to string) {
	w.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(w.path(name)), 0o755), os.Symlink(to, w.path(name))); err != nil {
		w.t.Fatal(err)
	}
}

// add adds a package with a scriptlet, "" for none, and files.
func (w *world) add(name, install string, files map[string]string, depends ...string) {
	w.t.Helper()
	p := Package{Info: &alpm.PkgInfo{Package: alpm.Package{Name: name, Version: "1.0-1", Arch: "any", BuildDate: 1700000000}}}
	for _, d := range depends {
		dep, err := alpm.ParseDep(d)
		if err != nil {
			w.t.Fatal(err)
		}
		p.Info.Depends = append(p.Info.Depends, dep)
	}
	if install != "" {
		p.Scriptlet = "var/lib/pacman/local/" + p.Info.LocalDir() + "/install"
		w.write(p.Scriptlet, install, 0o644)
	}
	for f, text := range files {
		w.write(f, text, 0o644)
		p.Paths = append(p.Paths, f)
	}
	w.spec.Packages = append(w.spec.Packages, p)
	w.spec.TreeID += " " + name
}

func (w *world) run() *Result {
	w.t.Helper()
	r, err := Run(w.t.Context(), w.cache, w.spec)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) noFailures(r *Result) {
	w.t.Helper()
	for i := range r.Record.Failed {
		w.t.Errorf("failed: %s", r.Record.Failed[i].String())
	}
}

func content(t *testing.T, r *Result, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.FS, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
