package elf

import (
	"fmt"
	"os"
	"path"
	"strings"

	securejoin "github.com/cyphar/filepath-securejoin"
	"golang.org/x/sys/unix"
)

// Tree looks paths up in a directory on disk as though it were the root. It is
// for one goroutine at a time.
type Tree struct {
	dir  string
	root int
	walk bool // openat2(2) or /proc is not to be had
}

// OpenTree opens a directory for lookups; Close it.
func OpenTree(dir string) (*Tree, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	t := &Tree{dir: dir, root: fd}
	if t.dir, err = os.Readlink(procPath(fd)); err != nil {
		t.dir, t.walk = dir, true
	}
	return t, nil
}

// Close frees the directory.
func (t *Tree) Close() error { return unix.Close(t.root) }

func procPath(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }

// Lookup is a Lookup.
func (t *Tree) Lookup(p string) (string, bool) {
	if !t.walk {
		fd, err := unix.Openat2(t.root, path.Join(".", p), &unix.OpenHow{
			Flags:   unix.O_PATH | unix.O_CLOEXEC,
			Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
		})
		if err == unix.ENOSYS || err == unix.EPERM {
			t.walk = true
			return t.lookupByWalk(p)
		}
		if err != nil {
			return "", false
		}
		defer unix.Close(fd)
		real, err := os.Readlink(procPath(fd))
		if err != nil {
			return "", false
		}
		return t.inside(real)
	}
	return t.lookupByWalk(p)
}

// inside turns a path of the host into one of the tree.
func (t *Tree) inside(p string) (string, bool) {
	if p == t.dir {
		return ".", true
	}
	return strings.CutPrefix(p, strings.TrimSuffix(t.dir, "/")+"/")
}

func (t *Tree) lookupByWalk(p string) (string, bool) {
	real, err := securejoin.SecureJoin(t.dir, p)
	if err != nil {
		return "", false
	}
	if _, err := os.Lstat(real); err != nil {
		return "", false
	}
	return t.inside(real)
}
