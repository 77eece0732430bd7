package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// nobody is the unprivileged user that devenv runs as.
const nobody = 65534

// world is a directory with devenv, a home, and the project whose environment
// is measured. Everything in it is removed at the end.
type world struct {
	dir, devenv, mirror string
	home, project       string
	asked               []string // the toolchain
	files               []string // its package files, in the mirror
	names               []string // its packages, by name
	flat                string   // see flattened
	pacman              *pacman  // see newPacman
	null                *os.File
}

// toolchain is what the measured environment asks for: 150 packages with all
// that these need. Where the mirror has come to need fewer, spare ones join.
var (
	toolchain = words(`gcc make cmake ninja meson autoconf automake libtool git python gdb strace ltrace
		pkgconf ccache curl perl vim zlib openssl valgrind bison flex texinfo rsync tmux jq gtest benchmark
		spdlog nlohmann-json eigen swig nasm gperf re2c gettext patch patchelf elfutils lsof cscope indent
		astyle cmocka unzip zip wget bc scons tree`)
	spare = words("cunit check dos2unix dialog inetutils psmisc time stow lzip uchardet")
)

// size is how many packages the toolchain has.
const size = 150

func words(s string) []string { return strings.Fields(s) }

// prepare makes it, with the toolchain built.
func (w *world) prepare() error {
	if os.Getuid() != 0 {
		return fmt.Errorf("needs root: pacman does, and it runs devenv as another user")
	}
	mirror, err := makeMirror()
	if err != nil {
		return err
	}
	// A short path that the unprivileged user can reach, wherever the checkout is.
	if w.dir, err = os.MkdirTemp("/tmp", "devenv-bench-"); err != nil {
		return err
	}
	w.mirror, w.devenv = mirror, w.dir+"/devenv"
	w.home, w.project = w.dir+"/home", w.dir+"/project"
	if w.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
		return err
	}
	if err := os.Chmod(w.dir, 0o755); err != nil {
		return err
	}
	if _, err := output(nil, "cp", "bin/devenv", w.devenv); err != nil {
		return err
	}
	if err := w.readable(); err != nil {
		return err
	}
	if err := errors.Join(w.own(w.home), w.own(w.project)); err != nil {
		return err
	}
	return w.grow()
}

// readable shows the mirror to the unprivileged user, who may not get to where
// it lies: a bind mount has no path above it. It is read-only, for whoever
// cleans up after a bench that was killed.
func (w *world) readable() error {
	to := w.dir + "/mirror"
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount(w.mirror, to, "", syscall.MS_BIND, ""); err != nil {
		return nil // then it must be readable where it is
	}
	w.mirror = to
	return syscall.Mount("", to, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
}

// grow asks for the toolchain, and for what makes it of the size wanted.
func (w *world) grow() error {
	w.asked = slices.Clone(toolchain)
	for further := spare; ; further = further[1:] {
		if err := w.ask(w.project, w.asked...); err != nil {
			return err
		}
		var err error
		if w.names, w.files, err = w.locked(w.project); err != nil {
			return err
		}
		if len(w.names) >= size {
			break
		}
		if len(further) == 0 {
			return fmt.Errorf("the mirror gives a toolchain of %d packages, not %d", len(w.names), size)
		}
		w.asked = append(w.asked, further[0])
	}
	return w.build(w.project)
}

func (w *world) remove() {
	if w.dir == "" {
		return
	}
	if w.pacman != nil {
		w.pacman.close()
	}
	syscall.Unmount(w.dir+"/mirror", syscall.MNT_DETACH)
	if err := syscall.Rmdir(w.dir + "/mirror"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "bench: %s is left behind: %v\n", w.dir, err)
		return // never remove a mirror that is still mounted
	}
	os.RemoveAll(w.dir)
}

// own makes a directory that is the unprivileged user's.
func (w *world) own(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Chown(dir, nobody, nobody)
}

// ask writes a project's devenv.toml and locks it.
func (w *world) ask(project string, names ...string) error {
	text := "[packages]\n"
	for _, n := range names {
		text += n + " = \"*\"\n"
	}
	if err := os.WriteFile(project+"/devenv.toml", []byte(text), 0o644); err != nil {
		return err
	}
	_, err := w.time(command{args: []string{w.devenv, "lock"}, dir: project})
	return err
}

func (w *world) build(project string) error {
	_, err := w.time(command{args: []string{w.devenv, "build"}, dir: project})
	return err
}

func (w *world) cache() string { return w.home + "/.cache/devenv" }

// locked are the names of a project's packages, and their files in the mirror.
func (w *world) locked(project string) (names, files []string, err error) {
	names, bases, err := lockFile(project + "/devenv.lock")
	if err != nil {
		return nil, nil, err
	}
	for _, base := range bases {
		found, err := filepath.Glob(w.mirror + "/*/os/*/" + base)
		if err != nil || len(found) == 0 {
			return nil, nil, fmt.Errorf("%s is not in the mirror", base)
		}
		files = append(files, found[0])
	}
	return names, files, nil
}

// lockFile reads names and file names out of a lock.
func lockFile(path string) (names, files []string, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		switch value = strings.Trim(value, `"`); key {
		case "name":
			names = append(names, value)
		case "file":
			files = append(files, value)
		}
	}
	return names, files, nil
}

// newest is what was put last into a directory of the cache, of what has files
// of an environment.
func (w *world) newest(kind string) (string, error) {
	entries, err := os.ReadDir(w.cache() + "/" + kind)
	if err != nil {
		return "", err
	}
	newest, at := "", int64(-1)
	for _, e := range entries {
		path := filepath.Join(w.cache(), kind, e.Name())
		var st syscall.Stat_t // what lies in it may have any time: its own last change counts
		if _, err := os.Stat(path + "/fs"); err != nil {
			continue
		}
		if err := syscall.Lstat(path, &st); err == nil && st.Ctim.Nano() > at {
			newest, at = path, st.Ctim.Nano()
		}
	}
	if newest == "" {
		return "", fmt.Errorf("%s/%s is empty", w.cache(), kind)
	}
	return newest, nil
}

// flattened is the whole environment as one tree for a peer to enter, set-up
// included, in links of its own: a peer needs mount points in it.
func (w *world) flattened() (string, error) {
	if w.flat != "" {
		return w.flat, nil
	}
	tree, err := w.newest("trees")
	if err != nil {
		return "", err
	}
	setup, err := w.newest("setups")
	if err != nil {
		return "", err
	}
	flat := w.dir + "/flat"
	if _, err := output(nil, "cp", "-al", tree+"/fs", flat); err != nil {
		return "", err
	}
	if _, err := output(nil, "cp", "-a", "--remove-destination", setup+"/fs/.", flat); err != nil {
		return "", err
	}
	for _, d := range hostDirectories() {
		if err := w.own(flat + "/" + d); err != nil {
			return "", err
		}
	}
	w.flat = flat
	return flat, nil
}

// hostDirectories are those of the host's root that devenv shows inside.
func hostDirectories() []string {
	var out []string
	entries, _ := os.ReadDir("/")
	for _, e := range entries {
		switch n := e.Name(); n {
		case "usr", "etc", "opt", "var", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "lost+found", "proc":
		default:
			if e.IsDir() {
				out = append(out, n)
			}
		}
	}
	return out
}

// bwrap enters the flattened environment as devenv does: the same directories
// of the host, a pid namespace, a /proc.
func (w *world) bwrap(args ...string) ([]string, error) {
	flat, err := w.flattened()
	if err != nil {
		return nil, err
	}
	out := []string{"bwrap", "--unshare-user", "--unshare-pid", "--bind", flat, "/"}
	for _, d := range hostDirectories() {
		out = append(out, "--dev-bind", "/"+d, "/"+d)
	}
	return append(append(out, "--proc", "/proc"), args...), nil
}

// run is devenv's own way in.
func (w *world) run(args ...string) command {
	return command{args: append([]string{w.devenv, "run", "--"}, args...)}
}

// wipe takes a directory away and makes it again, the unprivileged user's.
func (w *world) wipe(dir string) error { return errors.Join(w.toss(dir), w.own(dir)) }

// room is what the disk must have free for a directory to be kept until the end.
const room = 16 << 30

// toss takes a file or directory out of the way; it is removed at the end, with
// all of the world. Right before something is measured nothing is deleted: ext4
// steps over inodes that were freed within the last minutes one by one, for
// whoever makes the next file, and whoever makes the most files pays most.
func (w *world) toss(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(w.dir, &st); err != nil || st.Bavail*uint64(st.Bsize) < room {
		return os.RemoveAll(path)
	}
	to, err := os.MkdirTemp(w.dir, "tossed-")
	if err != nil {
		return err
	}
	return os.Rename(path, to+"/it")
}
