package resolve

import (
	"slices"

	"devenv/layers/alpm"
)

// maxTried bounds how many archived versions are opened for one constraint:
// each costs a request, and what the newest ones cannot do, older ones hardly
// can.
const maxTried = 64

// cursor is how far the archive was tried for one constraint.
type cursor struct {
	versions []string // that may do, newest first, not yet opened
	tried    int
	ready    bool
}

// batch takes the versions to open next: twice as many each time, so that the
// first attempts are cheap and there are few.
func (c *cursor) batch() []string {
	n := min(max(1, c.tried), len(c.versions), maxTried-c.tried)
	if n <= 0 {
		return nil
	}
	next := c.versions[:n]
	c.versions = c.versions[n:]
	c.tried += n
	return next
}

// grow looks elsewhere for candidates that would meet the fact of that origin,
// and says whether there are new ones. Only what a pin or a constraint names
// may come from elsewhere, and what the repositories no longer have at all.
func (u *universe) grow(o *origin) bool {
	switch o.kind {
	case fromWant:
		return u.growWant(o.want)
	case fromWith, fromDepends:
		return u.growDep(o.dep)
	}
	return false
}

func (u *universe) growWant(w *want) bool {
	if w.Accept == nil || w.limited() {
		return false
	}
	name := w.dep.Name
	if w.Exact != "" && w.tried == 0 {
		w.tried++
		if c := u.pool.fetch(name, w.Exact); c != nil && w.Accept(c.Version) {
			return u.pool.add(c)
		}
	}
	key := "want " + w.Name + " " + w.Pin
	return u.openNext(key, name, w.Accept) || u.growProviders(key, name, w.accepts)
}

func (u *universe) growDep(dep alpm.Dep) bool {
	p := u.pool
	if dep.Op == alpm.Any && len(p.options(dep)) > 0 {
		return false
	}
	if u.growFromViews(dep) {
		return true
	}
	key := "dep " + dep.String()
	if u.openNext(key, dep.Name, dep.Satisfied) {
		return true
	}
	if isSoname(dep) {
		return u.growLibrary(key, dep)
	}
	return u.growProviders(key, dep.Name, func(c *candidate) bool { return c.SatisfiesByProvision(dep) })
}

// growFromViews takes what meets dep from the views that single wants have.
func (u *universe) growFromViews(dep alpm.Dep) bool {
	var found []*candidate
	for _, w := range u.wants {
		if !w.ownView() {
			continue
		}
		for _, c := range u.pool.literalsIn(w.Repos, false, dep.Name) {
			if dep.Satisfied(c.Version) {
				found = append(found, c)
			}
		}
		for _, c := range u.pool.providersIn(w.Repos, false, dep.Name) {
			if c.SatisfiesByProvision(dep) {
				found = append(found, c)
			}
		}
	}
	return u.pool.add(found...)
}

// openNext opens the next archived versions of name that accept takes.
func (u *universe) openNext(key, name string, accept func(string) bool) bool {
	c := u.cursor(key)
	if !c.ready {
		c.ready = true
		known := u.pool.literals(name)
		for _, v := range u.pool.archive.versions(name) {
			has := slices.ContainsFunc(known, func(c *candidate) bool { return c.Version == v })
			if !has && accept(v) {
				c.versions = append(c.versions, v)
			}
		}
	}
	return u.openBatches(c, name, func(*candidate) bool { return true })
}

// openBatches opens versions until one of them does.
func (u *universe) openBatches(c *cursor, name string, does func(*candidate) bool) bool {
	for added := false; !added; {
		batch := c.batch()
		if len(batch) == 0 {
			return false
		}
		for _, v := range batch {
			if found := u.pool.fetch(name, v); found != nil && does(found) {
				added = u.pool.add(found) || added
			}
		}
	}
	return true
}

func (u *universe) cursor(key string) *cursor {
	c := u.growth[key]
	if c == nil {
		c = &cursor{}
		u.growth[key] = c
	}
	return c
}

// growProviders opens archived versions of the packages that provide name
// today, until one provides it as it should.
func (u *universe) growProviders(key, name string, does func(*candidate) bool) bool {
	for _, owner := range u.owners(name) {
		c := u.cursor(key + " by " + owner)
		if !c.ready {
			c.ready = true
			c.versions = u.pool.archive.versions(owner)
		}
		if u.openBatches(c, owner, does) {
			return true
		}
	}
	return false
}

// owners are the names of the packages that provide name today.
func (u *universe) owners(name string) []string {
	var out []string
	for _, c := range u.pool.providers(name) {
		if !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

// growLibrary finds the newest archived version that has the soname. Sonames
// only ever count up, so that a few looks find it among hundreds of versions.
func (u *universe) growLibrary(key string, dep alpm.Dep) bool {
	for _, owner := range u.owners(dep.Name) {
		c := u.cursor(key + " by " + owner)
		if c.ready {
			continue
		}
		c.ready = true
		if found := u.searchLibrary(owner, dep); found != nil && u.pool.add(found) {
			u.byLib[found] = dep
			return true
		}
	}
	return false
}

func (u *universe) searchLibrary(owner string, dep alpm.Dep) *candidate {
	versions := u.pool.archive.versions(owner)
	var best *candidate
	for lo, hi := 0, len(versions); lo < hi; {
		mid := int(uint(lo+hi) / 2)
		c := u.pool.fetch(owner, versions[mid])
		switch {
		case c == nil: // a hole: go on without it
			versions = slices.Delete(slices.Clone(versions), mid, mid+1)
			hi--
		case c.SatisfiesByProvision(dep):
			best, hi = c, mid
		case providesNewer(c, dep):
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return best
}

func providesNewer(c *candidate, dep alpm.Dep) bool {
	return slices.ContainsFunc(c.Provides, func(d alpm.Dep) bool {
		return d.Name == dep.Name && d.Op == alpm.EQ && alpm.Compare(d.Version, dep.Version) > 0
	})
}
