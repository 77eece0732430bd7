package unpack

import (
	"path"
	"slices"
	"strings"
)

// kind is what the archive makes of a path.
type kind uint8

const (
	absent      kind = iota
	impliedDir       // something lies in it; it has no entry so far
	explicitDir      // has an entry of its own
	file
	symlink

	// skipped marks what is not on disk, since it is not to be extracted.
	skipped kind = 0x80
)

// ledger remembers every path, so that what an entry may do is decided before
// anything on disk is touched.
type ledger map[string]kind

// Limits of the kernel (limits.h), and what is far beyond any real package.
const (
	maxPath      = 4096
	maxComponent = 255
	maxEntries   = 2 << 20
)

// cleanName turns an entry's name into a path relative to the root, "." for the
// root itself, or says why not. A line feed would break the lists of files that
// pacman keeps.
func cleanName(name string) (string, error) {
	switch {
	case name == "" || len(name) >= maxPath || strings.ContainsAny(name, "\x00\n"):
		return "", ErrName
	case name[0] == '/':
		return "", ErrEscape
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "..":
			return "", ErrEscape
		case len(part) > maxComponent:
			return "", ErrName
		}
	}
	return path.Clean(name), nil
}

// parents says which directories above p are not on disk, outermost first.
func (l ledger) parents(p string) (missing []string, err error) {
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		switch l[dir] {
		case impliedDir, explicitDir:
			slices.Reverse(missing)
			return missing, nil
		case symlink, symlink | skipped:
			return nil, &EntryError{Other: dir, Err: ErrSymlink}
		case file, file | skipped:
			return nil, &EntryError{Other: dir, Err: ErrParent}
		}
		missing = append(missing, dir)
	}
	slices.Reverse(missing)
	return missing, nil
}

// made notes that a directory is on disk.
func (l ledger) made(dir string) {
	if l[dir] == absent {
		l[dir] = impliedDir
	}
	l[dir] &^= skipped
}

// add notes that the archive makes p.
func (l ledger) add(p string, k kind) error {
	if len(l) >= maxEntries {
		return ErrTooMany
	}
	if was := l[p]; was != absent && !(was == impliedDir && k == explicitDir) {
		return ErrDuplicate
	}
	l[p] = k
	return nil
}
