package resolve

import (
	"slices"

	"devenv/layers/alpm"
)

// solution says of each chosen candidate why it is there.
func (r *resolution) solution(found []*candidate) *Solution {
	slices.SortFunc(found, func(a, b *candidate) int { return compareNames(a.Name, b.Name) })
	s := &Solution{Packages: make([]Chosen, len(found))}
	at := newShelf()
	index := make(map[*candidate]*Chosen, len(found))
	for i, c := range found {
		at.put(c)
		s.Packages[i] = Chosen{Package: c.Package, From: FromArchive, Moved: r.movedFrom(c)}
		if c.repo != nil {
			s.Packages[i].Repo, s.Packages[i].Day, s.Packages[i].From = c.repo.Name, c.repo.Day, c.repo.source()
		}
		index[c] = &s.Packages[i]
	}
	pull := func(dep alpm.Dep, by string) (met bool) {
		for _, c := range at.offers[dep.Name] {
			if c.Satisfies(dep) {
				met = true
				if c.Name != by {
					index[c].By = append(index[c].By, by)
				}
			}
		}
		return met
	}
	for _, c := range found {
		for _, dep := range c.Depends {
			if !pull(dep, c.Name) {
				s.Deferred = append(s.Deferred, Deferred{Package: c.Name, Dep: dep, Owners: r.u.owners(dep.Name)})
			}
		}
	}
	for _, w := range r.wants {
		for _, c := range r.meeting(w, &at) {
			chosen := index[c]
			chosen.Base = chosen.Base || w.Base
			chosen.Wants = append(chosen.Wants, w.Name)
			for _, dep := range w.with {
				pull(dep, c.Name)
			}
		}
	}
	for i := range s.Packages {
		by := &s.Packages[i].By
		slices.Sort(*by)
		*by = slices.Compact(*by)
	}
	return s
}

func (r *Repo) source() Source {
	if r.From == "" {
		return FromRepo
	}
	return r.From
}

// meeting are the chosen candidates that meet a want: one for each demand.
func (r *resolution) meeting(w *want, chosen *shelf) []*candidate {
	var out []*candidate
	for _, d := range w.demands(r.pool) {
		at := slices.IndexFunc(d.options, func(c *candidate) bool { return chosen.byName[c.Name] == c })
		if at >= 0 {
			out = append(out, d.options[at])
			continue
		}
		for _, o := range d.options { // dropped for a package that provides it
			if c := chosen.meets(alpm.Dep{Name: o.Name}); c != nil {
				out = append(out, c)
				break
			}
		}
	}
	return out
}

// movedFrom is the version that stands first in view, where c is another.
func (r *resolution) movedFrom(c *candidate) string {
	first := r.pool.literalsIn(r.req.Repos, true, c.Name)
	if len(first) == 0 || first[0].Version == c.Version {
		return ""
	}
	return first[0].Version
}
