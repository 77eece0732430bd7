package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// nobody is the unprivileged user that things are measured as.
const nobody = 65534

// world is a directory with devenv, a project with a C and C++ toolchain, and
// the flattened tree that both devenv and its peers enter.
type world struct {
	dir, devenv, mirror string
	null                *os.File
	quiet               *os.File
}

// toolchain is what the measured environment asks for.
var toolchain = []string{"gcc", "make", "cmake", "ninja", "meson", "autoconf", "automake", "libtool", "git", "python", "gdb", "strace", "pkgconf", "ccache", "curl", "perl", "vim", "zlib", "openssl", "valgrind", "bison", "flex", "texinfo", "rsync", "tmux", "jq"}

func newWorld() (*world, error) {
	mirror := os.Getenv("DEVENV_TEST_MIRROR")
	if mirror == "" {
		return nil, fmt.Errorf("DEVENV_TEST_MIRROR names no mirror: `make bench` makes one")
	}
	if os.Getuid() != 0 {
		return nil, fmt.Errorf("needs root: pacman does, and it runs devenv as another user")
	}
	dir, err := os.MkdirTemp("/tmp", "devenv-bench-")
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir, devenv: dir + "/devenv", mirror: mirror}
	if w.null, err = os.Open(os.DevNull); err != nil {
		return nil, err
	}
	if w.quiet, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	b, err := os.ReadFile("bin/devenv")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(w.devenv, b, 0o755); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	for _, d := range []string{"/home", "/project"} {
		if err := os.Mkdir(dir+d, 0o755); err != nil {
			return nil, err
		}
		if err := os.Chown(dir+d, nobody, nobody); err != nil {
			return nil, err
		}
	}
	if err := w.ask(toolchain...); err != nil {
		return nil, err
	}
	_, err = w.time(command{args: []string{w.devenv, "build"}, env: []string{"SHOW=1"}})
	return w, err
}

func (w *world) remove() {
	exec.Command("chmod", "-R", "u+w", w.dir).Run()
	os.RemoveAll(w.dir)
}

// ask writes the project's devenv.toml.
func (w *world) ask(names ...string) error {
	text := "[packages]\n"
	for _, n := range names {
		text += n + " = \"*\"\n"
	}
	return os.WriteFile(w.dir+"/project/devenv.toml", []byte(text), 0o644)
}

func (w *world) cache() string { return w.dir + "/home/.cache/devenv" }

// tree is the flattened tree of the environment.
func (w *world) tree() (string, error) {
	found, err := filepath.Glob(w.cache() + "/trees/*/fs")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("no tree in %s", w.cache())
	}
	newest, at := "", int64(0)
	for _, f := range found {
		if st, err := os.Stat(filepath.Dir(f)); err == nil && st.ModTime().UnixNano() > at {
			newest, at = f, st.ModTime().UnixNano()
		}
	}
	return newest, nil
}

// packages are the files of the locked packages.
func (w *world) packages() ([]string, error) {
	b, err := os.ReadFile(w.dir + "/project/devenv.lock")
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), `file = "`); ok {
			name := strings.TrimSuffix(v, `"`)
			found, err := filepath.Glob(w.mirror + "/*/os/*/" + name)
			if err != nil || len(found) == 0 {
				return nil, fmt.Errorf("%s is not in the mirror", name)
			}
			out = append(out, found[0])
		}
	}
	return out, nil
}

func (w *world) attributes(c command) *os.ProcAttr {
	a := &os.ProcAttr{Dir: w.dir + "/project", Files: []*os.File{w.null, w.quiet, w.quiet},
		Env: append(c.env, "HOME="+w.dir+"/home", "DEVENV_MIRROR="+w.mirror, "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "NIX_REMOTE=", "USER=nobody")} // the first of a name counts
	if c.dir != "" {
		a.Dir = c.dir
	}
	if slices.Contains(c.env, "SHOW=1") {
		a.Files[2] = os.Stderr
	}
	if !c.asRoot {
		a.Sys = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return a
}

// bwrap enters the tree as devenv does: the same directories of the host.
func (w *world) bwrap(args ...string) ([]string, error) {
	tree, err := w.tree()
	if err != nil {
		return nil, err
	}
	out := []string{"bwrap", "--unshare-user", "--unshare-pid", "--bind", tree, "/"}
	entries, err := os.ReadDir("/")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		switch n := e.Name(); n {
		case "usr", "etc", "opt", "var", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "lost+found", "proc":
		default:
			if e.IsDir() {
				if err := os.MkdirAll(filepath.Join(tree, n), 0o755); err != nil {
					return nil, err
				}
				out = append(out, "--dev-bind", "/"+n, "/"+n)
			}
		}
	}
	return append(append(out, "--proc", "/proc"), args...), nil
}
