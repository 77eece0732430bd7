package lock

import (
	"cmp"
	"slices"

	"devenv/layers/alpm"
)

// Kind is what happened to a package between two locks.
type Kind string

// The kinds of changes.
const (
	Added      Kind = "added"
	Removed    Kind = "removed"
	Upgraded   Kind = "upgraded"
	Downgraded Kind = "downgraded"
	Rebuilt    Kind = "rebuilt" // the same version in another file
)

// Change is one package that differs between two locks.
type Change struct {
	Kind Kind
	Name string
	Old  *Package // nil if added
	New  *Package // nil if removed
}

// Diff is what one lock has otherwise than another, sorted by name. nil is a
// lock without packages. What pulled a package in, and which hosts have it, is
// no change; several versions of one name, on several hosts, are compared in
// order.
func Diff(old, next *Lock) []Change {
	before, after := byName(old), byName(next)
	var out []Change
	for key, a := range before {
		out = append(out, compareAll(key.name, a, after[key])...)
	}
	for key, b := range after {
		if _, seen := before[key]; !seen {
			out = append(out, compareAll(key.name, nil, b)...)
		}
	}
	slices.SortFunc(out, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), compare(a.either(), b.either()))
	})
	return out
}

type diffKey struct{ name, compat string }

func byName(l *Lock) map[diffKey][]*Package {
	m := make(map[diffKey][]*Package)
	if l == nil {
		return m
	}
	for i := range l.Packages {
		p := &l.Packages[i]
		key := diffKey{p.Name, p.Compat}
		m[key] = append(m[key], p)
	}
	return m
}

func (c *Change) either() *Package {
	if c.New != nil {
		return c.New
	}
	return c.Old
}

// compareAll pairs what two locks have of one name: not what both have, so that
// a version which one more host gets is an addition; then what the same hosts
// have; then the rest in order.
func compareAll(name string, old, next []*Package) []Change {
	gone, come := minus(old, next), minus(next, old)
	var out []Change
	pair := func(i, j int) {
		out = append(out, Change{kind(gone[i], come[j]), name, gone[i], come[j]})
		gone, come = slices.Delete(gone, i, i+1), slices.Delete(come, j, j+1)
	}
	for i := 0; i < len(gone); {
		j := slices.IndexFunc(come, func(p *Package) bool { return slices.Equal(p.Hosts, gone[i].Hosts) })
		if j < 0 {
			i++
			continue
		}
		pair(i, j)
	}
	for len(gone) > 0 && len(come) > 0 {
		pair(0, 0)
	}
	for _, p := range gone {
		out = append(out, Change{Removed, name, p, nil})
	}
	for _, p := range come {
		out = append(out, Change{Added, name, nil, p})
	}
	return out
}

// minus is the packages of a whose file b has not.
func minus(a, b []*Package) []*Package {
	var out []*Package
	for _, p := range a {
		if !slices.ContainsFunc(b, func(q *Package) bool { return p.Version == q.Version && p.SHA256 == q.SHA256 }) {
			out = append(out, p)
		}
	}
	return out
}

func kind(old, next *Package) Kind {
	switch c := alpm.Compare(old.Version, next.Version); {
	case c < 0:
		return Upgraded
	case c > 0:
		return Downgraded
	}
	return Rebuilt
}
