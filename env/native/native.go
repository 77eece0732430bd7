package native

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"devenv/layers"
)

// Package is one package of a tree.
type Package struct {
	*layers.Record
	Asked  bool     // its commands are to be on PATH
	Expose []string // only these of them; nil for all
	Old    bool     // it is there for old libraries alone, which lie over the tree
}

// Spec is what launchers are made from.
type Spec struct {
	Tree     string   // directory of the tree's files; absolute
	Over     []string // directories that lie over it, topmost first: set-up layers, old libraries
	Home     string   // where the launchers are to lie; absolute, and written into them
	Packages []Package
	Host     Host

	// Enter is the command that runs its arguments in the environment. Where
	// there is one, commands that cannot run natively run through it; else they
	// say that they cannot.
	Enter []string
}

// Bin is the directory of Spec.Home to put on PATH.
const Bin = "bin"

// root is the directory of Spec.Home that looks like the tree.
const root = "fs"

// Format is part of every ID: raise it when launchers change.
const Format = "devenv launchers 9"

// ID names the launchers of a tree, with the ids of what lies over it. asked are the packages whose commands are
// to be on PATH, each with the commands it is to expose (nil for all); home is
// the directory above Spec.Home, enter is Spec.Enter.
func ID(tree string, over []string, home string, asked map[string][]string, host Host, enter []string) string {
	text, err := json.Marshal([]any{Format, tree, over, home, asked, host, enter})
	if err != nil {
		panic("native: strings do not marshal: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// NoExecError says that nothing can be executed in a directory.
type NoExecError struct {
	Dir   string
	Mount string // where its file system is mounted
}

func (e *NoExecError) Error() string {
	return fmt.Sprintf("%s is on a file system that is mounted noexec: no program can be started from it\nhint: set DEVENV_CACHE_DIR to a directory on another one, or as root: mount -o remount,exec %s", e.Dir, e.Mount)
}

// CheckExec finds out whether programs can be executed in dir.
func CheckExec(dir string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fmt.Errorf("looking at the file system of %s: %w", dir, err)
	}
	if st.Flags&unix.ST_NOEXEC != 0 {
		return &NoExecError{Dir: dir, Mount: mountOf(dir)}
	}
	return nil
}

// mountOf is the mount point that a directory lies below: the highest of its
// parents in the same mount.
func mountOf(dir string) string {
	own, ok := mountID(dir)
	for ok && dir != "/" {
		if above, known := mountID(filepath.Dir(dir)); !known || above != own {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// mountID is the number of a path's mount; before Linux 5.8 that of its device.
func mountID(path string) (id [2]uint64, ok bool) {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID, &st)
	return [2]uint64{st.Mnt_id, uint64(st.Dev_major)<<32 | uint64(st.Dev_minor)}, err == nil
}
