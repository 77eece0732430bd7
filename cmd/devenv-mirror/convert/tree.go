package convert

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Kind is what a path is.
type Kind uint8

const (
	File Kind = iota
	Dir
	Symlink
	Hardlink
)

// Node is one path of a package. All nodes belong to root.
type Node struct {
	Path   string // no leading slash
	Kind   Kind
	Mode   int64 // permission bits, setuid, setgid, sticky
	Data   []byte
	Target string // of a link; a hard link's is a Path of the same tree
	Mtime  int64  // Unix seconds
}

// Tree is the files of one package, by path.
type Tree map[string]*Node

// Sorted lists the nodes by path, each directory before what it holds, and
// the files that hard links point to before the links.
func (t Tree) Sorted() []*Node {
	nodes := make([]*Node, 0, len(t))
	for _, p := range slices.Sorted(maps.Keys(t)) {
		nodes = append(nodes, t[p])
	}
	return nodes
}

// put adds a node. A path that is there already must say the same.
func (t Tree) put(n *Node) error {
	old := t[n.Path]
	switch {
	case old == nil:
		t[n.Path] = n
		return t.addParents(n.Path, n.Mtime)
	case old.Kind == Dir && n.Kind == Dir:
		return nil
	case n.Kind == Symlink && path.Join(path.Dir(n.Path), n.Target) == n.Path:
		return nil // two Debian paths of one file became one path
	case old.Kind == Symlink && path.Join(path.Dir(old.Path), old.Target) == n.Path:
		t[n.Path] = n
		return nil
	case old.Kind == n.Kind && old.Target == n.Target && string(old.Data) == string(n.Data):
		return nil
	}
	return fmt.Errorf("%s is there twice, with different contents", n.Path)
}

func (t Tree) addParents(p string, mtime int64) error {
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		switch old := t[dir]; {
		case old == nil:
			t[dir] = &Node{Path: dir, Kind: Dir, Mode: 0o755, Mtime: mtime}
		case old.Kind != Dir:
			return fmt.Errorf("%s lies under %s, which is no directory", p, dir)
		}
	}
	return nil
}

// remove takes away every node that match accepts, with what lies under it,
// and the directories which that leaves empty.
func (t Tree) remove(match func(string) bool) {
	emptied := map[string]bool{}
	for p := range t {
		for at := p; at != "."; at = path.Dir(at) {
			if match(at) {
				emptied[path.Dir(p)] = true
				delete(t, p)
				break
			}
		}
	}
	t.prune(emptied)
}

// prune removes those of the directories that hold nothing any more.
func (t Tree) prune(candidates map[string]bool) {
	children := map[string]int{}
	for p := range t {
		children[path.Dir(p)]++
	}
	for dir := range candidates {
		for dir != "." && children[dir] == 0 && t[dir] != nil && t[dir].Kind == Dir {
			delete(t, dir)
			dir = path.Dir(dir)
			children[dir]--
		}
	}
}

// settleHardlinks makes the first path of each group of hard links the file:
// a tar reader must meet the file before its links, whatever was removed or
// renamed meanwhile. Links carry their file's data for this.
func (t Tree) settleHardlinks() {
	groups := map[string][]*Node{}
	for _, n := range t.Sorted() {
		if n.Kind == Hardlink {
			groups[n.Target] = append(groups[n.Target], n)
		}
	}
	for target, group := range groups {
		if file := t[target]; file != nil && file.Kind == File {
			group = append(group, file)
			slices.SortFunc(group, func(a, b *Node) int { return strings.Compare(a.Path, b.Path) })
		}
		group[0].Kind, group[0].Target = File, ""
		for _, link := range group[1:] {
			link.Kind, link.Target = Hardlink, group[0].Path
		}
	}
}

// matcher makes a function that tells whether a path matches one of the
// patterns. "*" stops at a slash, "**" does not.
func matcher(patterns []string) (func(string) bool, error) {
	var res []func(string) bool
	for _, p := range patterns {
		re, err := compileGlob(p)
		if err != nil {
			return nil, err
		}
		res = append(res, re.MatchString)
	}
	return func(s string) bool {
		return slices.ContainsFunc(res, func(f func(string) bool) bool { return f(s) })
	}, nil
}

// clean makes "/usr//bin/" into "usr/bin".
func clean(p string) string { return strings.TrimPrefix(path.Clean("/"+p), "/") }
