package convert

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"devenv/cmd/devenv-mirror/table"
)

// edit applies what the table says of the package's files.
func edit(t Tree, e *table.Entry, when int64) error {
	if len(e.Only) > 0 {
		only, err := matcher(e.Only)
		if err != nil {
			return err
		}
		t.remove(func(p string) bool {
			if t[p] == nil || t[p].Kind == Dir {
				return false
			}
			return !only(p)
		})
		t.removeEmpty()
	}
	drop, err := matcher(e.Drop)
	if err != nil {
		return err
	}
	t.remove(drop)
	for _, from := range slices.Sorted(maps.Keys(e.Move)) {
		if err := t.move(from, e.Move[from]); err != nil {
			return err
		}
	}
	if err := t.concat(e.Concat); err != nil {
		return err
	}
	if err := t.unversion(e.Unversion); err != nil {
		return err
	}
	return t.link(e, when)
}

// unversion links every program and man page whose name ends in suffix, as in
// gcc-12, to the name without it. '#' in suffix is any number.
func (t Tree) unversion(suffix string) error {
	if suffix == "" {
		return nil
	}
	re, err := regexp.Compile("^(.+?)" + strings.ReplaceAll(regexp.QuoteMeta(suffix), "#", `\d+`) + `((?:\.[0-9][a-z]*\.gz)?)$`)
	if err != nil {
		return err
	}
	for _, n := range t.Sorted() {
		dir, base := path.Split(n.Path)
		m := re.FindStringSubmatch(base)
		if n.Kind == Dir || m == nil || dir != "usr/bin/" && !strings.HasPrefix(dir, "usr/share/man/man") {
			continue
		}
		plain := dir + m[1] + m[2]
		if t[plain] != nil {
			continue
		}
		if err := t.put(&Node{Path: plain, Kind: Symlink, Mode: 0o777, Target: base, Mtime: n.Mtime}); err != nil {
			return err
		}
	}
	return nil
}

// removeEmpty removes every directory that holds no file.
func (t Tree) removeEmpty() {
	dirs := map[string]bool{}
	for p, n := range t {
		if n.Kind == Dir {
			dirs[p] = true
		}
	}
	t.prune(dirs)
}

// move renames one path, with what lies under it.
func (t Tree) move(from, to string) error {
	var moved []*Node
	for _, n := range t.Sorted() {
		if n.Path == from || strings.HasPrefix(n.Path, from+"/") {
			moved = append(moved, n)
			delete(t, n.Path)
		}
	}
	if len(moved) == 0 {
		return fmt.Errorf("nothing at %s that could be moved", from)
	}
	for _, n := range moved {
		old := n.Path
		n.Path = to + strings.TrimPrefix(old, from)
		if n.Kind == Symlink && !path.IsAbs(n.Target) {
			n.Target = relative(path.Dir(n.Path), path.Join(path.Dir(old), n.Target))
		}
		for _, other := range t {
			if other.Kind == Hardlink && other.Target == old {
				other.Target = n.Path
			}
		}
		if err := t.put(n); err != nil {
			return err
		}
	}
	t.prune(map[string]bool{path.Dir(from): true})
	return nil
}

// concat makes files that are all files of a pattern, one after another.
func (t Tree) concat(files map[string]string) error {
	for _, to := range slices.Sorted(maps.Keys(files)) {
		match, err := matcher([]string{files[to]})
		if err != nil {
			return err
		}
		n := &Node{Path: to, Mode: 0o644, Mtime: t.Newest()}
		for _, part := range t.Sorted() {
			if part.Kind == File && match(part.Path) {
				n.Data = append(n.Data, part.Data...)
			}
		}
		if n.Data == nil {
			return fmt.Errorf("no %s for %s", files[to], to)
		}
		if err := t.put(n); err != nil {
			return err
		}
	}
	return nil
}

// link makes the entry's links.
func (t Tree) link(e *table.Entry, when int64) error {
	for _, from := range slices.Sorted(maps.Keys(e.Links)) {
		if err := t.put(&Node{Path: from, Kind: Symlink, Mode: 0o777, Target: e.Links[from], Mtime: when}); err != nil {
			return err
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(e.LinkAll)) {
		match, err := matcher([]string{pattern})
		if err != nil {
			return err
		}
		for _, n := range t.Sorted() {
			if n.Kind == Dir || !match(n.Path) {
				continue
			}
			to := path.Join(e.LinkAll[pattern], path.Base(n.Path))
			if t[to] != nil {
				continue // a link of the package's own
			}
			target := relative(path.Dir(to), n.Path)
			if err := t.put(&Node{Path: to, Kind: Symlink, Mode: 0o777, Target: target, Mtime: when}); err != nil {
				return err
			}
		}
	}
	return nil
}
