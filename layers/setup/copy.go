package setup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

type unixStat = syscall.Stat_t

// lower is Lower as absolute paths.
func (j *job) lower() (dirs []string) {
	for _, d := range j.Lower {
		dirs = append(dirs, filepath.Join(j.Cache, d))
	}
	return dirs
}

// copyTree copies the tree, and what lies over it, where no overlay can protect
// them: their files are hard links that must never be written to.
func copyTree(j *job) error {
	for _, from := range slices.Backward(j.lower()) {
		if err := copyAll(from, filepath.Join(j.Cache, j.Work, "root")); err != nil {
			return err
		}
	}
	return nil
}

func copyAll(from, to string) error {
	type dir struct {
		path string
		info fs.FileInfo
	}
	var dirs []dir
	err := filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		at := filepath.Join(to, rel)
		if d.IsDir() {
			dirs = append(dirs, dir{at, info})
			if rel == "." {
				return nil
			}
			return os.MkdirAll(at, 0o755)
		}
		if err := copyOne(p, at); err != nil {
			return err
		}
		return sameTime(at, info)
	})
	if err != nil {
		return err
	}
	slices.Reverse(dirs)
	for _, d := range dirs {
		if err := errors.Join(os.Chmod(d.path, d.info.Mode()), sameTime(d.path, d.info)); err != nil {
			return err
		}
	}
	return nil
}

func sameTime(at string, info fs.FileInfo) error {
	ts := unix.NsecToTimespec(info.ModTime().UnixNano())
	return unix.UtimesNanoAt(unix.AT_FDCWD, at, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
}

// differences moves what steps have changed in a copy of the tree to the upper
// directory, as an overlay would have it there.
func (f *finisher) differences(root, rel string) error {
	entries, err := os.ReadDir(filepath.Join(root, rel))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := f.difference(root, filepath.Join(rel, e.Name())); err != nil {
			return err
		}
	}
	var below []fs.DirEntry
	for _, lower := range f.lower {
		more, err := os.ReadDir(filepath.Join(lower, rel))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		below = append(below, more...)
	}
	for _, e := range below {
		name := filepath.Join(rel, e.Name())
		if _, err := os.Lstat(filepath.Join(root, name)); !os.IsNotExist(err) {
			continue
		}
		// What was moved away just now is in the upper directory.
		if _, err := os.Lstat(filepath.Join(f.upper, name)); !os.IsNotExist(err) {
			continue
		}
		if err := f.parents(root, name); err != nil {
			return err
		}
		if err := whiteout(filepath.Join(f.upper, name)); err != nil {
			return err
		}
	}
	return nil
}

func (f *finisher) difference(root, rel string) error {
	at := filepath.Join(root, rel)
	info, err := os.Lstat(at)
	if err != nil {
		return err
	}
	_, below, err := f.below(rel)
	switch {
	case err != nil && slices.Contains(mountPoints(), filepath.Join("base", rel)):
		return nil // made to be mounted upon
	case err == nil && info.IsDir() && below.IsDir():
		if info.Mode() != below.Mode() {
			if err := f.parents(root, filepath.Join(rel, "x")); err != nil {
				return err
			}
		}
		return f.differences(root, rel)
	case err == nil && info.Sys().(*unixStat).Ctim.Nano() < f.Start && info.Mode().Type() == below.Mode().Type():
		return nil
	}
	if err := f.parents(root, rel); err != nil {
		return err
	}
	return os.Rename(at, filepath.Join(f.upper, rel))
}

// parents makes the directories above a name, as they are in the copy.
func (f *finisher) parents(root, rel string) error {
	dir := filepath.Dir(rel)
	if dir == "." {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(f.upper, dir)); err == nil {
		return nil
	}
	if err := f.parents(root, dir); err != nil {
		return err
	}
	info, err := os.Lstat(filepath.Join(root, dir))
	if err != nil {
		return err
	}
	at := filepath.Join(f.upper, dir)
	return errors.Join(os.Mkdir(at, 0o755), os.Chmod(at, info.Mode()))
}
