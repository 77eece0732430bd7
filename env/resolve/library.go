package resolve

import (
	"slices"
	"strings"

	"devenv/layers/alpm"
)

// soname is a shared library as packages speak of it: "libz.so=1-64", or, from
// newer makepkg, "lib:libz.so.1".
type soname struct {
	library string // "libz.so", "lib:libz.so"
	version string // "1-64", "1"
}

func sonameOf(d alpm.Dep) (soname, bool) {
	if d.Op == alpm.EQ && strings.HasSuffix(d.Name, ".so") {
		return soname{d.Name, d.Version}, true
	}
	if at := strings.LastIndex(d.Name, ".so."); at > 0 && d.Op == alpm.Any {
		return soname{d.Name[:at+3], d.Name[at+4:]}, true
	}
	return soname{}, false
}

// libraryOwners are the names of the packages that have the library today, in
// whatever version.
func (u *universe) libraryOwners(library string) []string {
	if owners := u.owners(library); len(owners) > 0 {
		return owners
	}
	var out []string
	for _, r := range u.pool.req.Repos {
		for name := range r.Index.Provisions() {
			if lib, ok := sonameOf(alpm.Dep{Name: name}); !ok || lib.library != library {
				continue
			}
			for _, owner := range u.owners(name) {
				out = appendNew(out, owner)
			}
		}
	}
	return out
}

// growLibrary finds the newest archived version that has the soname. Sonames
// only ever count up, so that a few looks find it among hundreds of versions.
func (u *universe) growLibrary(key string, lib soname, dep alpm.Dep) bool {
	for _, owner := range u.libraryOwners(lib.library) {
		c := u.cursor(key + " by " + owner)
		if c.ready {
			continue
		}
		c.ready = true
		if found := u.searchLibrary(owner, lib, dep); found != nil && u.pool.add(found) {
			u.noteLibraries([]*candidate{found}, dep)
			return true
		}
	}
	return false
}

func (u *universe) searchLibrary(owner string, lib soname, dep alpm.Dep) *candidate {
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
		case hasNewer(c, lib):
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return best
}

func hasNewer(c *candidate, lib soname) bool {
	return slices.ContainsFunc(c.Provides, func(d alpm.Dep) bool {
		other, ok := sonameOf(d)
		return ok && other.library == lib.library && alpm.Compare(other.version, lib.version) > 0
	})
}

// noteLibraries remembers that extras came for the sake of a soname.
func (u *universe) noteLibraries(found []*candidate, dep alpm.Dep) {
	for _, c := range found {
		if !c.inView {
			u.byLib[c] = dep
		}
	}
}

// deferFor leaves the sonames that rolled-back packages ask for to the
// compatibility layer, where they are part of the contradiction.
func (u *universe) deferFor(blame []fact) (deferred bool) {
	for _, f := range blame {
		o := u.origin(f)
		if o.kind != fromDepends || o.owner.inView {
			continue
		}
		if lib, ok := sonameOf(o.dep); ok && len(u.libraryOwners(lib.library)) > 0 {
			u.deferred[need{o.owner, o.dep}] = true
			deferred = true
		}
	}
	return deferred
}

// deferLibraries looks for packages that were rolled back for one soname alone
// although others, which are of today, use them. Those may be linked with
// today's library without saying so; a compatibility layer serves both.
func (u *universe) deferLibraries(found []*candidate) (deferred bool) {
	for _, lib := range found {
		dep, ok := u.byLib[lib]
		if !ok || !slices.ContainsFunc(found, func(c *candidate) bool { return c.inView && dependsOn(c, lib) }) {
			continue
		}
		dropped := false
		for _, c := range found {
			if !c.inView && slices.Contains(c.Depends, dep) && !u.deferred[need{c, dep}] {
				u.deferred[need{c, dep}] = true
				dropped = true
			}
		}
		if dropped {
			u.pool.drop(lib)
			deferred = true
		}
	}
	return deferred
}

func dependsOn(c, on *candidate) bool {
	return slices.ContainsFunc(c.Depends, func(d alpm.Dep) bool { return on.Satisfies(d) })
}
