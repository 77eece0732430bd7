package convert

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"devenv/cmd/devenv-mirror/debian"
	"devenv/cmd/devenv-mirror/table"
)

// Input is what a package's tree is made of.
type Input struct {
	Name    string
	Debs    []string // files
	Triplet string   // Debian's multiarch directory
	Entry   *table.Entry
	Root    fs.FS // files of our own, laid over the rest; may be nil
	Latest  int64 // later times become this one
}

// Package makes the tree of one package.
func Package(ctx context.Context, in Input) (Tree, error) {
	t := Tree{}
	skip, err := matcher(debianOnly)
	if err != nil {
		return nil, err
	}
	for _, deb := range in.Debs {
		b := &body{tree: t, layout: layout{in.Triplet}, name: in.Name, skip: skip, latest: in.Latest, files: map[string]*Node{}}
		if err := debian.ReadData(ctx, deb, b.add); err != nil {
			return nil, err
		}
	}
	when := t.Newest()
	if when == 0 {
		when = in.Latest
	}
	if err := edit(t, in.Entry, when); err != nil {
		return nil, err
	}
	t.settleHardlinks()
	if in.Root == nil {
		return t, nil
	}
	return t, overlay(t, in.Root, when)
}

// body is one .deb's way into a tree.
type body struct {
	tree   Tree
	layout layout
	name   string // the package's
	skip   func(string) bool
	latest int64
	files  map[string]*Node // for hard links
}

func (b *body) add(h *tar.Header, r io.Reader) error {
	p := b.layout.path(licensePath(b.name, h.Name))
	n := &Node{Path: p, Mode: h.Mode & 0o7777, Mtime: min(h.ModTime.Unix(), b.latest)}
	switch h.Typeflag {
	case tar.TypeReg:
		data := make([]byte, h.Size)
		if _, err := io.ReadFull(r, data); err != nil {
			return err
		}
		n.Data = data
		if h.Gid != 0 {
			n.Mode &^= 0o2000 // for a group that the file will not have
		}
	case tar.TypeDir:
		n.Kind = Dir
	case tar.TypeSymlink:
		n.Kind, n.Mode = Symlink, 0o777
		if b.skipped(absolute(h.Name, h.Linkname)) {
			return nil // into documentation, or the table makes it: an alternative
		}
		n.Target = b.layout.target(h.Name, h.Linkname)
	case tar.TypeLink:
		file := b.files[clean(h.Linkname)]
		if file == nil {
			return fmt.Errorf("hard link to %s, which did not come before", h.Linkname)
		}
		n.Kind, n.Target, n.Mode, n.Data = Hardlink, file.Path, file.Mode, file.Data
		if n.Path == n.Target {
			return nil
		}
	default:
		return fmt.Errorf("type %c has no place in a package", h.Typeflag)
	}
	if n.Kind == File {
		b.files[h.Name] = n
	}
	if b.skipped(p) {
		return nil
	}
	return b.tree.put(n)
}

// skipped tells whether a path or a directory above it is Debian's alone.
func (b *body) skipped(p string) bool {
	for at := p; at != "."; at = path.Dir(at) {
		if b.skip(at) {
			return true
		}
	}
	return false
}

// Newest is the time of the newest file.
func (t Tree) Newest() int64 {
	var newest int64
	for _, n := range t {
		newest = max(newest, n.Mtime)
	}
	return newest
}

// overlay puts files of our own over the tree. An embedded file has no mode:
// scripts are known by their "#!"; a name of the form "name.link" holds the
// target of a symbolic link, and ".modes" lists "0700 path" for all else,
// directories that nothing lies in among them.
func overlay(t Tree, root fs.FS, when int64) error {
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || p == ".modes" {
			return err
		}
		data, err := fs.ReadFile(root, p)
		if err != nil {
			return err
		}
		n := &Node{Path: p, Mode: 0o644, Data: data, Mtime: when}
		if strings.HasPrefix(string(data), "#!") {
			n.Mode = 0o755
		}
		delete(t, n.Path)
		return t.put(n)
	})
	if err != nil {
		return err
	}
	modes, err := fs.ReadFile(root, ".modes")
	if err != nil {
		return nil // most trees need none
	}
	for line := range strings.Lines(string(modes)) {
		var mode int64
		var p string
		if strings.TrimSpace(line) == "" {
			continue
		}
		if _, err := fmt.Sscanf(line, "%o %s", &mode, &p); err != nil {
			return fmt.Errorf(".modes: %q: %w", line, err)
		}
		n := t[p]
		if n == nil {
			n = &Node{Path: p, Kind: Dir, Mtime: when}
			if err := t.put(n); err != nil {
				return err
			}
		}
		n.Mode = mode
	}
	return nil
}
