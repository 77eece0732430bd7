package resolve

import (
	"slices"
	"strings"

	"devenv/layers/alpm"
)

// candidate is one package version that could be chosen. Two that differ in
// nothing but the day they were seen on are one candidate.
type candidate struct {
	*alpm.Package
	repo   *Repo // nil for a package of the archive
	inView bool  // among the request's repositories
}

// identity is what makes a candidate another one.
type identity struct{ repo, name, version, arch, sha256 string }

// pool finds candidates: those of the request's repositories, and extras, which
// wants with views of their own and the archive have added. It remembers every
// answer until an extra changes it.
type pool struct {
	req *Request

	archive *archive
	known   map[identity]*candidate
	byPkg   map[*alpm.Package]*candidate
	extras  []*candidate
	locked  map[string]bool // names whose locked version was looked for
	brought bool            // what is locked and was dropped is among the extras

	called   map[string][]*candidate
	offered  map[string][]*candidate
	answered map[alpm.Dep][]*candidate
}

func newPool(req *Request, archive *archive) *pool {
	return &pool{
		req: req, archive: archive,
		known:    make(map[identity]*candidate),
		byPkg:    make(map[*alpm.Package]*candidate),
		locked:   make(map[string]bool),
		called:   make(map[string][]*candidate),
		offered:  make(map[string][]*candidate),
		answered: make(map[alpm.Dep][]*candidate),
	}
}

// candidate returns the one candidate for pkg, or nil where it is made for
// another architecture.
func (p *pool) candidate(pkg *alpm.Package, repo *Repo, inView bool) *candidate {
	c := p.byPkg[pkg]
	if c == nil {
		if pkg.Arch != p.req.Arch && pkg.Arch != "any" && pkg.Arch != "" {
			return nil
		}
		id := identity{"", pkg.Name, pkg.Version, pkg.Arch, pkg.SHA256}
		if repo != nil {
			id.repo = repo.Name
		}
		if c = p.known[id]; c == nil {
			c = &candidate{Package: pkg, repo: repo}
			p.known[id] = c
		}
		p.byPkg[pkg] = c
	}
	c.inView = c.inView || inView
	return c
}

// collect turns what find returns for each repository into candidates, in
// order and each once.
func (p *pool) collect(repos []*Repo, inView bool, find func(*alpm.Index) []*alpm.Package) []*candidate {
	var out []*candidate
	for _, r := range repos {
		for _, pkg := range find(r.Index) {
			c := p.candidate(pkg, r, inView)
			if c != nil && (len(repos) == 1 || !slices.Contains(out, c)) {
				out = append(out, c)
			}
		}
	}
	return out
}

// literalsIn returns the packages called name, in repository order; of several
// in one repository the newest comes first.
func (p *pool) literalsIn(repos []*Repo, inView bool, name string) []*candidate {
	return p.collect(repos, inView, func(x *alpm.Index) []*alpm.Package {
		found := x.Versions(name)
		if len(found) > 1 {
			slices.SortStableFunc(found, func(a, b *alpm.Package) int { return alpm.Compare(b.Version, a.Version) })
		}
		return found
	})
}

// providersIn returns the packages of other names that provide name, in
// repository order, and alphabetically in each repository.
func (p *pool) providersIn(repos []*Repo, inView bool, name string) []*candidate {
	return p.collect(repos, inView, func(x *alpm.Index) []*alpm.Package {
		found := x.Providers(name)
		byName := func(a, b *alpm.Package) int {
			if a.Name != b.Name {
				return strings.Compare(a.Name, b.Name)
			}
			return alpm.Compare(b.Version, a.Version)
		}
		if !slices.IsSortedFunc(found, byName) {
			slices.SortStableFunc(found, byName)
		}
		return found
	})
}

// literals are all known candidates called name: those in view first.
func (p *pool) literals(name string) []*candidate {
	if found, ok := p.called[name]; ok {
		return found
	}
	found := p.literalsIn(p.req.Repos, true, name)
	p.findLocked(name, found)
	for _, c := range p.extras {
		if c.Name == name && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	p.called[name] = found
	return found
}

// providers are all known candidates of other names that provide name.
func (p *pool) providers(name string) []*candidate {
	p.bringLocked()
	if found, ok := p.offered[name]; ok {
		return found
	}
	found := p.providersIn(p.req.Repos, true, name)
	for _, c := range p.extras {
		if c.Name != name && provides(c.Package, name) && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	p.offered[name] = found
	return found
}

func provides(pkg *alpm.Package, name string) bool {
	return slices.ContainsFunc(pkg.Provides, func(d alpm.Dep) bool { return d.Name == name })
}

// options are the known candidates that meet dep, in pacman's preference: by
// name before by provision, repositories in order; then what is not in view.
// What is locked counts as installed and goes before all.
func (p *pool) options(dep alpm.Dep) []*candidate {
	if found, ok := p.answered[dep]; ok {
		return found
	}
	var found []*candidate
	for _, c := range p.literals(dep.Name) {
		if dep.Satisfied(c.Version) {
			found = append(found, c)
		}
	}
	for _, c := range p.providers(dep.Name) {
		if c.SatisfiesByProvision(dep) {
			found = append(found, c)
		}
	}
	if len(p.extras) > 0 {
		slices.SortStableFunc(found, func(a, b *candidate) int { return viewRank(a) - viewRank(b) })
	}
	p.preferLocked(found)
	p.answered[dep] = found
	return found
}

func viewRank(c *candidate) int {
	if c.inView {
		return 0
	}
	return 1
}

func (p *pool) preferLocked(found []*candidate) {
	if len(p.req.Locked) == 0 || len(found) < 2 {
		return
	}
	slices.SortStableFunc(found, func(a, b *candidate) int { return p.lockRank(a) - p.lockRank(b) })
}

// lockRank is 0 for a locked version, 1 for another version of a locked name, 2
// for the rest.
func (p *pool) lockRank(c *candidate) int {
	switch version, ok := p.req.Locked[c.Name]; {
	case !ok:
		return 2
	case version == c.Version:
		return 0
	}
	return 1
}

// prefetchLocked reads the locked versions that the repositories have dropped,
// before they are needed one by one.
func (p *pool) prefetchLocked() { p.archive.prefetch(p.droppedLocked()) }

// droppedLocked are the locked names and versions that are not in view.
func (p *pool) droppedLocked() (gone [][2]string) {
	for name, version := range p.req.Locked {
		has := func(pkg *alpm.Package) bool { return pkg.Version == version }
		if !slices.ContainsFunc(p.req.Repos, func(r *Repo) bool { return slices.ContainsFunc(r.Index.Versions(name), has) }) {
			gone = append(gone, [2]string{name, version})
		}
	}
	slices.SortFunc(gone, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return gone
}

// bringLocked files what is locked and was dropped, as far as prefetchLocked has
// read it: what it provides is known only then, and a provider is not asked for
// by its name.
func (p *pool) bringLocked() {
	if p.brought {
		return
	}
	p.brought = true
	for _, key := range p.droppedLocked() {
		if p.archive.opened[key] != nil {
			p.findLocked(key[0], nil)
		}
	}
}

// findLocked fetches a locked version that the repositories have dropped.
func (p *pool) findLocked(name string, inView []*candidate) {
	version, ok := p.req.Locked[name]
	if !ok || p.locked[name] {
		return
	}
	p.locked[name] = true
	have := func(c *candidate) bool { return c.Name == name && c.Version == version }
	if slices.ContainsFunc(inView, have) || slices.ContainsFunc(p.extras, have) {
		return
	}
	if c := p.fetch(name, version); c != nil {
		p.add(c)
	}
}

// add files extras, and forgets the answers they may change.
func (p *pool) add(found ...*candidate) (added bool) {
	for _, c := range found {
		if c.inView || slices.Contains(p.extras, c) {
			continue
		}
		p.extras = append(p.extras, c)
		added = true
	}
	if added {
		p.forget()
	}
	return added
}

// drop takes an extra out again.
func (p *pool) drop(c *candidate) {
	p.extras = slices.DeleteFunc(p.extras, func(o *candidate) bool { return o == c })
	p.forget()
}

func (p *pool) forget() {
	clear(p.called)
	clear(p.offered)
	clear(p.answered)
}

// fetch reads one version from the archive; nil where the archive does not have
// it, or not for this architecture. It does not make it an extra.
func (p *pool) fetch(name, version string) *candidate {
	pkg := p.archive.fetch(name, version)
	if pkg == nil {
		return nil
	}
	return p.candidate(pkg, nil, false)
}
