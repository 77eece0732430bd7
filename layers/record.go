package layers

import "devenv/layers/alpm"

// Kind is what an entry of a layer is.
type Kind uint8

const (
	Regular Kind = iota
	Directory
	Symlink
)

// File is one entry of a layer.
type File struct {
	Path  string // relative to the root, slashes only, none at the end
	Kind  Kind
	Mode  uint16 // the twelve permission bits: setuid, setgid, sticky, rwxrwxrwx
	UID   uint32 // as the package says; on disk it may be the user's
	GID   uint32
	Size  int64  // bytes; of regular files
	MTime int64  // nanoseconds since the epoch
	Link  string // target of a symbolic link; for a further name of a hard-linked file, the path of its first
}

// Record is what is known about a layer without looking at its files.
type Record struct {
	Package   alpm.Package // as its .PKGINFO says
	SHA256    string       // of the package file
	Backup    []string     // paths that pacman treats as configuration
	Scriptlet bool         // the package has an .INSTALL
	Files     []File       // sorted by path, the local database entry among them
	Size      int64        // bytes of all regular files, each inode once
}
