package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// largeCopy is the most files that an entry copies of one directory below /etc
// or /var. A larger one is shown for reading only: there it is data (package
// databases, certificates) that nothing in an environment writes to.
const largeCopy = 64

// plainRoot makes the new root where the kernel has no overlay: a directory in
// memory, in which /usr and all else of the environment is bound for reading
// only, and /etc and /var are private copies. It is the same kind of list as
// every other entry, only longer.
func (l *list) plainRoot(s Spec, base string) error {
	l.mount("the root is in memory", "tmpfs", base, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755")
	l.chdir("", base)
	p := plain{list: l, cache: s.Cache, lower: s.Lower}
	names, err := p.names(".")
	if err != nil {
		return err
	}
	for _, name := range names {
		switch name {
		case "etc", "var":
			err = p.copy(name)
		default:
			err = p.show(name)
			// What was made of several layers is in memory, and could be written.
			if _, info, dirs, _ := p.find(name); err == nil && dirs > 1 && info.IsDir() {
				p.readonly("", name, name)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plain walks over the lower directories as an overlay would merge them.
type plain struct {
	*list
	cache string
	lower []string // topmost first, relative to cache
}

// find is the topmost file of that name, and how many layers have a directory
// there. A whiteout hides what lies below it, and so does what is no directory.
func (p *plain) find(rel string) (path string, info fs.FileInfo, dirs int, err error) {
	for _, d := range p.lower {
		at := filepath.Join(p.cache, d, rel)
		fi, err := os.Lstat(at)
		if err != nil {
			continue
		}
		if isWhiteout(fi) || info != nil && !fi.IsDir() {
			break
		}
		if info == nil {
			path, info = at, fi
		}
		if !fi.IsDir() {
			break
		}
		dirs++
	}
	if info == nil {
		return "", nil, 0, fmt.Errorf("%s: %w", rel, fs.ErrNotExist)
	}
	return path, info, dirs, nil
}

// isWhiteout tells the character device 0:0, by which an overlay's layer says
// that a name is gone.
func isWhiteout(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode()&fs.ModeCharDevice != 0 && st.Rdev == 0
}

// names lists a merged directory.
func (p *plain) names(rel string) ([]string, error) {
	var names []string
	for _, d := range p.lower {
		entries, err := os.ReadDir(filepath.Join(p.cache, d, rel))
		if err != nil && !os.IsNotExist(err) && !errors.Is(err, unix.ENOTDIR) {
			return nil, err
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		_, _, _, err := p.find(filepath.Join(rel, name))
		return errors.Is(err, fs.ErrNotExist)
	}), nil
}

// show makes a path as it is: a link as the same link, a file or directory as
// a mount for reading only. A directory of several layers is made, and shown
// name by name.
func (p *plain) show(rel string) error {
	path, info, dirs, err := p.find(rel)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return p.link(path, rel)
	}
	if !info.IsDir() {
		p.create("", rel, info.Mode().Perm())
		p.readonly("", path, rel)
		return nil
	}
	p.mkdir("", rel, int(info.Mode().Perm()))
	names, err := p.names(rel)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return nil
	}
	if dirs == 1 {
		p.readonly("", path, rel)
		return nil
	}
	for _, n := range names {
		if err := p.show(filepath.Join(rel, n)); err != nil {
			return err
		}
	}
	return nil
}

func (p *plain) link(path, rel string) error {
	target, err := os.Readlink(path)
	if err != nil {
		return err
	}
	p.call("", "symlinkat", unix.SYS_SYMLINKAT, str(target), atFdcwd, str(rel))
	return nil
}

// copy makes a private copy of a directory.
func (p *plain) copy(rel string) error {
	_, info, _, err := p.find(rel)
	if err != nil {
		return err
	}
	names, err := p.names(rel)
	if err != nil {
		return err
	}
	if len(names) > largeCopy && strings.Contains(rel, "/") {
		return p.show(rel)
	}
	p.mkdir("", rel, int(info.Mode().Perm()|0o700))
	for _, n := range names {
		at := filepath.Join(rel, n)
		path, info, _, err := p.find(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
		case info.IsDir():
			err = p.copy(at)
		case info.Mode()&fs.ModeSymlink != 0:
			err = p.link(path, at)
		case info.Size() > 1<<20:
			err = p.show(at)
		default:
			p.call("", "openat", unix.SYS_OPENAT, atFdcwd, str(path), flags(unix.O_RDONLY|unix.O_CLOEXEC, "O_RDONLY|O_CLOEXEC")).Save = 3
			p.create("", at, info.Mode().Perm()).Save = 4
			p.call("", "sendfile", unix.SYS_SENDFILE, slot(4), slot(3), null, num(int(info.Size())))
			p.call("", "close", unix.SYS_CLOSE, slot(3))
			p.call("", "close", unix.SYS_CLOSE, slot(4))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
