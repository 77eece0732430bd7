package cache

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Kind is one of the directories below the cache.
type Kind string

const (
	Packages  Kind = "packages"  // SHA256-FILENAME: package files
	Sync      Kind = "sync"      // KEY/REPO.db: databases of today's mirrors
	Archive   Kind = "archive"   // what never changes: old days, indexes, package heads
	Store     Kind = "store"     // containers/storage
	Trees     Kind = "trees"     // ID/fs: flattened trees
	Setups    Kind = "setups"    // ID/fs: set-up layers
	Hosts     Kind = "hosts"     // ID/fs: the host's own files and mount points
	Plans     Kind = "plans"     // KEY: entry plans
	Launchers Kind = "launchers" // ID: what starts a tree's programs on the host as it is
	Projects  Kind = "projects"  // KEY: which project uses what
	Locals    Kind = "locals"    // KEY: locks that devenv.local.toml makes different from the project's
	Stamps    Kind = "stamps"    // NANOSECONDS: empty files of that time, for shell hooks to compare with
	Locks     Kind = "locks"     // flock(2) files
	Tmp       Kind = "tmp"       // half-made things
)

var kinds = []Kind{Packages, Sync, Archive, Store, Trees, Setups, Hosts, Plans, Launchers, Projects, Locals, Stamps, Locks, Tmp}

// Dir is the cache's own directory: absolute, without symbolic links.
func (c *Cache) Dir() string { return c.dir }

// ReadOnly reports whether the cache lies on a file system that cannot be
// written now: inside an environment it does.
func (c *Cache) ReadOnly() bool {
	var st unix.Statfs_t
	return unix.Statfs(c.dir, &st) == nil && st.Flags&unix.ST_RDONLY != 0
}

// Path is where a thing of a kind lies: Path(Trees, id, "fs").
// The elements must be the program's own or checked names.
func (c *Cache) Path(kind Kind, elem ...string) string {
	return filepath.Join(append([]string{c.dir, string(kind)}, elem...)...)
}

// Package is where the package file of that hash and name lies.
func (c *Cache) Package(sha256, filename string) string {
	return c.Path(Packages, sha256+"-"+filename)
}

// Tree is the directory of a flattened tree; its files are in fs/ below it.
func (c *Cache) Tree(id string) string { return c.Path(Trees, id) }

// Setup is the directory of a set-up layer; its files are in fs/ below it.
func (c *Cache) Setup(id string) string { return c.Path(Setups, id) }

// Host is the directory of the host's own files; they are in fs/ below it.
func (c *Cache) Host(id string) string { return c.Path(Hosts, id) }

// Plan is the file of an entry plan.
func (c *Cache) Plan(key string) string { return c.Path(Plans, key) }

// Launcher is the directory of a tree's launchers.
func (c *Cache) Launcher(id string) string { return c.Path(Launchers, id) }

// Local is the lock of a project whose devenv.local.toml asks for packages of
// its own. project is the absolute path of its devenv.toml.
func (c *Cache) Local(project string) string { return c.Path(Locals, projectKey(project)) }

// Rel is path as seen from the cache's directory, the form in which uses are
// recorded. ok is false where path lies outside.
func (c *Cache) Rel(path string) (rel string, ok bool) {
	rel, err := filepath.Rel(c.dir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return rel, true
}

// fileName makes any string a single safe file name, legible where it can be.
func fileName(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch ch := s[i]; {
		case ch == '/' || ch == '%' || ch < ' ' || ch == 0x7f || ch == '.' && i == 0:
			const hex = "0123456789abcdef"
			b.WriteByte('%')
			b.WriteByte(hex[ch>>4])
			b.WriteByte(hex[ch&15])
		default:
			b.WriteByte(ch)
		}
	}
	return b.String()
}
