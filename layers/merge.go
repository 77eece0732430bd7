package layers

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"devenv/layers/alpm"
)

// merge decides what a tree holds, by pacman's rules. Layers may be added in
// any order, as they become ready; the outcome depends on their numbers alone.
// It touches no disk.
type merge struct {
	ids       []string // of the layers, by number
	layers    []*Layer // nil: not added yet
	noExtract alpm.Patterns
	overwrite map[string]alpm.Patterns // by package name
	nodes     map[string]node
	contested map[string][]int // files of several layers, by path: the layers' numbers
	conflicts map[Conflict]bool
}

// node is one path of the tree.
type node struct {
	file   *File // nil: a directory that no layer has an entry for
	number int   // of the layer that file is from
	dir    bool
	made   bool // it is in the tree; what noExtract leaves out takes part in conflicts only
}

func newMerge(spec TreeSpec) *merge {
	m := &merge{
		ids:       spec.Layers,
		layers:    make([]*Layer, len(spec.Layers)),
		noExtract: spec.NoExtract,
		overwrite: make(map[string]alpm.Patterns),
		nodes:     make(map[string]node, 1024),
		contested: make(map[string][]int),
		conflicts: make(map[Conflict]bool),
	}
	for name, globs := range spec.Overwrite {
		m.overwrite[name] = globs
	}
	return m
}

// add merges one layer in and says what to do on disk: which directories to
// make, in this order, and which of the layer's files to link then.
func (m *merge) add(number int, layer *Layer) (dirs []string, links []*File) {
	m.layers[number] = layer
	db := layer.DBDir()
	for i := range layer.Files {
		f := &layer.Files[i]
		skip := len(m.noExtract) > 0 && !within(f.Path, db) && m.noExtract.Match(listed(f))
		switch {
		case f.Path == ".":
		case f.Kind == Directory:
			if m.claimDir(number, f) && !skip {
				dirs = m.materialize(dirs, f.Path)
			}
		case m.claimFile(number, f, !skip) && !skip:
			dirs = m.materialize(dirs, path.Dir(f.Path))
			links = append(links, f)
		}
	}
	return dirs, links
}

// listed is how pacman lists a path and matches it: directories end in a slash.
func listed(f *File) string {
	if f.Kind == Directory {
		return f.Path + "/"
	}
	return f.Path
}

// claimDir notes a directory. Of several entries the first layer's counts.
func (m *merge) claimDir(number int, f *File) (ok bool) {
	n, there := m.nodes[f.Path]
	switch {
	case !there:
		n = node{dir: true, file: f, number: number}
	case !n.dir:
		m.clash(f.Path, number, n.number)
		return false
	case n.file == nil || number < n.number:
		n.file, n.number = f, number
	}
	m.nodes[f.Path] = n
	return m.claimParent(number, path.Dir(f.Path))
}

// claimFile notes a file or link, and reports whether it is the first to come.
func (m *merge) claimFile(number int, f *File, made bool) (first bool) {
	n, there := m.nodes[f.Path]
	switch {
	case !there:
		m.nodes[f.Path] = node{file: f, number: number, made: made}
		return m.claimParent(number, path.Dir(f.Path))
	case n.dir:
		m.clash(f.Path, n.number, number)
	case len(m.contested[f.Path]) == 0:
		m.contested[f.Path] = []int{n.number, number}
	default:
		m.contested[f.Path] = append(m.contested[f.Path], number)
	}
	return false
}

// claimParent notes directories that a layer has no entries for.
func (m *merge) claimParent(number int, dir string) (ok bool) {
	for ; dir != "."; dir = path.Dir(dir) {
		n, there := m.nodes[dir]
		if there && !n.dir {
			m.clash(dir, number, n.number)
			return false
		}
		if there {
			return true // its parents have been seen to
		}
		m.nodes[dir] = node{dir: true}
	}
	return true
}

// materialize appends dir, and what is missing above it, outermost first.
func (m *merge) materialize(dirs []string, dir string) []string {
	if dir == "." {
		return dirs
	}
	n := m.nodes[dir]
	if n.made || !n.dir {
		return dirs // there, or a clash that has been noted
	}
	dirs = m.materialize(dirs, path.Dir(dir))
	n.made = true
	m.nodes[dir] = n
	return append(dirs, dir)
}

// clash notes a path that is a directory in one layer and none in another,
// which pacman refuses whatever --overwrite says. A link to a directory is no
// directory: /lib, a link, and a package with files in lib/ do not go together.
func (m *merge) clash(path string, dir, other int) {
	m.conflicts[Conflict{
		Path: path, First: m.name(min(dir, other)), Second: m.name(max(dir, other)),
		Reason: "a directory in " + m.name(dir) + " and none in " + m.name(other),
	}] = true
}

func (m *merge) name(number int) string { return m.layers[number].Name() }

// settle decides, once all layers are in, on the files that several of them
// have: which goes to another layer than the one that came first, or that no layer may have it.
func (m *merge) settle() (moved []string, err error) {
	for path, numbers := range m.contested {
		slices.Sort(numbers)
		winner, n := m.settleOne(path, numbers), m.nodes[path]
		if winner != n.number {
			n.number = winner
			n.file, _ = m.layers[winner].Find(path)
			m.nodes[path] = n
			moved = append(moved, path)
		}
	}
	if len(m.conflicts) == 0 {
		return moved, nil
	}
	refusal := &ConflictError{}
	for c := range m.conflicts {
		refusal.Conflicts = append(refusal.Conflicts, c)
	}
	slices.SortFunc(refusal.Conflicts, func(a, b Conflict) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.First, b.First), strings.Compare(a.Second, b.Second))
	})
	return nil, refusal
}

// settleOne lets a package win that may overwrite; of several, the last. Any
// two of which neither may are a conflict.
func (m *merge) settleOne(path string, numbers []int) (winner int) {
	winner = numbers[0]
	var others []int
	for _, number := range numbers {
		if m.mayOverwrite(number, path) {
			winner = number
		} else {
			others = append(others, number)
		}
	}
	for i, a := range others {
		for _, b := range others[i+1:] {
			m.conflicts[Conflict{Path: path, First: m.name(a), Second: m.name(b)}] = true
		}
	}
	return winner
}

// mayOverwrite matches as --overwrite does: paths with and without the root.
func (m *merge) mayOverwrite(number int, path string) bool {
	globs := m.overwrite[m.name(number)]
	return globs.Match(path) || globs.Match("/"+path)
}

// attributes are the mode and time of a directory of the tree. One that no
// package has an entry for is as the newest package is.
func (m *merge) attributes(f *File) (mode uint32, mtime int64) {
	if f == nil {
		return 0o755, m.newest()
	}
	return uint32(f.Mode), f.MTime
}

// newest is the build date of the newest package, in nanoseconds: a time that
// is the same for the same layers.
func (m *merge) newest() (newest int64) {
	for _, layer := range m.layers {
		newest = max(newest, layer.Info.BuildDate)
	}
	return newest * 1e9
}
