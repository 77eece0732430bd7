package sandbox

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rootPath is where the host's root can be read inside.
const rootPath = "/run/host"

// rootSlot keeps the host's root until there is a place for it.
const rootSlot = 5

// hasPlaceForRoot reports whether somebody made rootPath on the host for just
// this: an empty directory. /run is the host's own, and an entry makes nothing
// there; and what a container keeps in its own /run/host stays what it is.
func hasPlaceForRoot() bool {
	entries, err := os.ReadDir(rootPath)
	return err == nil && len(entries) == 0
}

// showsRoot reports whether an entry shows the host's root, and whether in a
// /run of its own. A project or home that is /run itself leaves no room.
func (s *Spec) showsRoot(h *Host) (shows, private bool) {
	private = s.HostRoot && !slices.Contains([]string{s.Project, s.Cache, h.Home}, "/run")
	return private || h.PlaceForRoot, private
}

// takeRoot takes the host's root, with all that is mounted below it, before
// anything is mounted upon it. It is for reading only, and private: what the
// host mounts later would come in writable.
func (l *list) takeRoot() {
	const clone = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_RECURSIVE
	l.call("the host's root, to be read at "+rootPath, "open_tree", unix.SYS_OPEN_TREE, atFdcwd, str("/"), flags(clone, "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE")).Save = rootSlot
	l.setattr(rootSlot, unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY, Propagation: unix.MS_PRIVATE}, "{attr_set=MOUNT_ATTR_RDONLY, propagation=MS_PRIVATE}")
}

// setattr changes a tree of mounts that is held in a slot.
func (l *list) setattr(n int, attr unix.MountAttr, show string) {
	data := slices.Clone(unsafe.Slice((*byte)(unsafe.Pointer(&attr)), unsafe.Sizeof(attr)))
	l.call("", "mount_setattr", unix.SYS_MOUNT_SETATTR, slot(n), str(""), flags(unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, "AT_EMPTY_PATH|AT_RECURSIVE"),
		Arg{Data: data, Show: show}, num(len(data)))
}

// attach gives a tree of mounts that is held in a slot its place.
func (l *list) attach(why string, n int, target string) {
	l.call(why, "move_mount", unix.SYS_MOVE_MOUNT, slot(n), str(""), atFdcwd, str(target), flags(unix.MOVE_MOUNT_F_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH"))
}

// privateRun makes a /run in memory that shows what the host's holds now, name
// by name, and has a place for the host's root besides. What the host puts into
// its /run later is not seen.
func (l *list) privateRun() error {
	entries, err := os.ReadDir("/run")
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("listing the host's /run: %w", err)
	}
	l.mkdir("a /run of the entry's own, with what the host's holds", "run", 0o755).Ignore = true
	l.mount("", "tmpfs", "run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755")
	for _, e := range entries {
		path, at := "/run/"+e.Name(), "run/"+e.Name()
		switch {
		case path == rootPath:
			continue
		case e.IsDir():
			l.mkdir("", at, 0o755)
		case e.Type()&fs.ModeSymlink != 0:
			if target, err := os.Readlink(path); err == nil {
				l.call("", "symlinkat", unix.SYS_SYMLINKAT, str(target), atFdcwd, str(at))
			}
			continue
		default:
			l.create("", at, 0o644)
		}
		l.bind("", path, at).Ignore = true // it may be gone by now
	}
	l.mkdir("", rootPath[1:], 0o755)
	return nil
}
