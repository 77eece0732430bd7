package cache

import (
	"io/fs"
	"path/filepath"
	"syscall"
)

// Meter measures what removing things would free. A file with several links is
// counted when the last of them has been seen, so that trees and the layers they
// are linked from are counted once, and together. It is not safe for concurrent use.
type Meter struct{ links map[inode]uint64 }

type inode struct{ dev, ino uint64 }

// Add measures path and all below it, and gives what removing it, on top of all
// that was measured before, would free. What cannot be read counts nothing.
func (m *Meter) Add(path string) int64 {
	if m.links == nil {
		m.links = make(map[inode]uint64)
	}
	return walkSize(path, func(st *syscall.Stat_t) bool {
		id := inode{st.Dev, st.Ino}
		m.links[id]++
		return m.links[id] >= uint64(st.Nlink)
	})
}

// DiskUsage is what removing path would free.
func DiskUsage(path string) int64 { return new(Meter).Add(path) }

// walkSize adds up the blocks below path; counts decides about files with
// several links.
func walkSize(path string, counts func(*syscall.Stat_t) bool) (total int64) {
	filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		st := info.Sys().(*syscall.Stat_t)
		if entry.IsDir() || st.Nlink == 1 || counts(st) {
			total += st.Blocks * 512
		}
		return nil
	})
	return total
}

// KindUsage is what one kind of things takes on disk.
type KindUsage struct {
	Kind    Kind
	Entries int
	Size    int64 // bytes; a file that several kinds share counts for the first
}

// Usage says what everything takes on disk, by kind. Layers come before the
// trees that are linked from them: trees show what they take besides.
func (c *Cache) Usage() (kinds []KindUsage, total int64) {
	seen := make(map[inode]bool)
	for _, kind := range []Kind{Packages, Store, Trees, Setups, Hosts, Plans, Sync, Archive, Projects, Locks, Tmp} {
		entries, _ := filepath.Glob(c.Path(kind, "*"))
		size := walkSize(c.Path(kind), func(st *syscall.Stat_t) bool {
			id := inode{st.Dev, st.Ino}
			first := !seen[id]
			seen[id] = true
			return first
		})
		kinds = append(kinds, KindUsage{Kind: kind, Entries: len(entries), Size: size})
		total += size
	}
	return kinds, total
}
