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

// canGrow says whether there is anywhere else to look.
func (u *universe) canGrow() bool {
	return u.pool.archive.source != nil || slices.ContainsFunc(u.wants, (*want).ownView)
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
	known := func(c *candidate) bool { return c.Version == w.Exact }
	if w.Exact != "" && w.tried == 0 && !slices.ContainsFunc(u.pool.literals(name), known) {
		w.tried++
		if c := u.pool.fetch(name, w.Exact); c != nil && w.Accept(c.Version) {
			return u.pool.add(c)
		}
	}
	key := "want " + w.Name + " " + w.Pin
	return u.openNext(key, name, w.Accept) || u.growProviders(key, name, w.accepts)
}

func (u *universe) growDep(dep alpm.Dep) bool {
	if dep.Op == alpm.Any && len(u.pool.options(dep)) > 0 {
		return false
	}
	if u.growFromViews(dep) {
		return true
	}
	key := "dep " + dep.String()
	if lib, ok := sonameOf(dep); ok {
		return u.growLibrary(key, lib, dep)
	}
	return u.openNext(key, dep.Name, dep.Satisfied) || u.growProviders(key, dep.Name, func(c *candidate) bool {
		return c.SatisfiesByProvision(dep)
	})
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
	if _, ok := sonameOf(dep); ok {
		u.noteLibraries(found, dep)
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
		keys := make([][2]string, len(batch))
		for i, v := range batch {
			keys[i] = [2]string{name, v}
		}
		u.pool.archive.prefetch(keys)
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
		out = appendNew(out, c.Name)
	}
	return out
}
