package resolve

import (
	"slices"
	"strings"

	"devenv/layers/alpm"
)

// solution says of each chosen candidate why it is there.
func (r *resolution) solution(found []*candidate) *Solution {
	slices.SortFunc(found, func(a, b *candidate) int { return strings.Compare(a.Name, b.Name) })
	a := answer{Solution: &Solution{Packages: make([]Chosen, len(found))}, shelf: newShelf(), at: make(map[*candidate]*Chosen)}
	for i, c := range found {
		a.shelf.put(c)
		chosen := &a.Packages[i]
		*chosen = Chosen{Package: c.Package, From: FromArchive, Base: true, Moved: r.movedFrom(c)}
		if c.repo != nil {
			chosen.Repo, chosen.Day, chosen.From = c.repo.Name, c.repo.Day, c.repo.source()
		}
		a.at[c] = chosen
	}
	for _, c := range found {
		for _, dep := range c.Depends {
			if !a.pull(dep, c.Name) {
				lib, _ := sonameOf(dep)
				a.Deferred = append(a.Deferred, Deferred{Package: c.Name, Dep: dep, Owners: r.u.libraryOwners(lib.library)})
			}
		}
	}
	var named []*candidate
	for _, w := range r.wants {
		for _, c := range r.meeting(w, &a.shelf) {
			a.at[c].Wants = append(a.at[c].Wants, w.Name)
			for _, dep := range w.with {
				a.pull(dep, c.Name)
			}
			if !w.Base {
				named = append(named, c)
			}
		}
	}
	a.leaveBase(named)
	for i := range a.Packages {
		by := &a.Packages[i].By
		slices.Sort(*by)
		*by = slices.Compact(*by)
	}
	return a.Solution
}

// answer is a solution in the making.
type answer struct {
	*Solution
	shelf shelf
	at    map[*candidate]*Chosen
}

// pull notes on every package that meets dep who needs it.
func (a *answer) pull(dep alpm.Dep, by string) (met bool) {
	for _, c := range a.shelf.offers[dep.Name] {
		if c.Satisfies(dep) {
			met = true
			if c.Name != by {
				a.at[c].By = append(a.at[c].By, by)
			}
		}
	}
	return met
}

// leaveBase takes the mark of the base set from all that something else leads
// to.
func (a *answer) leaveBase(reached []*candidate) {
	needs := make(map[string][]string)
	for i := range a.Packages {
		for _, by := range a.Packages[i].By {
			needs[by] = append(needs[by], a.Packages[i].Name)
		}
	}
	for len(reached) > 0 {
		c := reached[len(reached)-1]
		reached = reached[:len(reached)-1]
		if !a.at[c].Base {
			continue
		}
		a.at[c].Base = false
		for _, name := range needs[c.Name] {
			reached = append(reached, a.shelf.byName[name])
		}
	}
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
