package resolve

import "devenv/layers/alpm"

// origin is what a fact is about.
type origin struct {
	kind   originKind
	want   *want      // of fromWant, fromWith
	demand demand     // of fromWant
	owner  *candidate // of fromDepends, fromConflict, fromName
	rival  *candidate // of fromConflict, fromName
	dep    alpm.Dep   // of fromWith, fromDepends, fromConflict
}

type originKind uint8

const (
	fromWant     originKind = iota // a want must be met
	fromWith                       // and what was said to belong to it
	fromDepends                    // owner needs dep
	fromConflict                   // owner is in conflict with dep, which rival satisfies
	fromName                       // owner and rival are versions of one package
)

// universe is a request as a problem: every candidate that could have a part in
// an answer, as far as they are known now, and all facts about them. It is made
// anew when candidates come in.
type universe struct {
	pool       *pool
	wants      []*want
	deferred   map[need]bool
	problem    *problem
	candidates []*candidate // by number; the first is nil
	number     map[*candidate]int32
	origins    []origin // by fact
	numbered   map[alpm.Dep][]int32

	growth map[string]*cursor      // how far the archive was tried for a dependency
	byLib  map[*candidate]alpm.Dep // extras that came for the sake of a soname
}

// need is one dependency of one candidate.
type need struct {
	owner *candidate
	dep   alpm.Dep
}

func newUniverse(p *pool, wants []*want) *universe {
	return &universe{
		pool: p, wants: wants,
		deferred: make(map[need]bool),
		growth:   make(map[string]*cursor),
		byLib:    make(map[*candidate]alpm.Dep),
	}
}

// build makes the problem. What has no option at all, and is not merely a
// fault of the repositories, is looked for elsewhere at once; as that brings
// candidates, building starts again.
func (u *universe) build() {
	for {
		u.buildOnce()
		grown := false
		for id := range u.problem.facts {
			f := &u.problem.facts[id]
			o := u.origin(*f)
			if !f.isExclusion() && len(f.options) == 0 && (o.owner == nil || !o.owner.inView) {
				grown = u.grow(o) || grown
			}
		}
		if !grown {
			return
		}
	}
}

func (u *universe) buildOnce() {
	u.problem = &problem{}
	u.candidates = []*candidate{nil}
	u.number = make(map[*candidate]int32)
	u.numbered = make(map[alpm.Dep][]int32)
	u.origins = u.origins[:0]
	u.problem.grow(0)
	for _, w := range u.wants {
		u.addWant(w)
	}
	for n := 1; n < len(u.candidates); n++ {
		u.addNeeds(int32(n))
	}
	u.addConflicts()
	u.addRivals()
}

func (u *universe) addWant(w *want) {
	for _, d := range w.demands(u.pool) {
		u.addFact(fact{options: u.numbers(d.options)}, origin{kind: fromWant, want: w, demand: d})
	}
	for _, dep := range w.with {
		u.addFact(fact{options: u.optionsOf(dep)}, origin{kind: fromWith, want: w, dep: dep})
	}
}

func (u *universe) addFact(f fact, o origin) {
	f.origin = int32(len(u.origins))
	u.origins = append(u.origins, o)
	u.problem.add(f)
}

// addNeeds adds what candidate n depends on.
func (u *universe) addNeeds(n int32) {
	c := u.candidates[n]
	for _, dep := range c.Depends {
		if c.Satisfies(dep) || u.deferred[need{c, dep}] {
			continue
		}
		options := u.optionsOf(dep)
		u.addFact(fact{owner: n, options: options}, origin{kind: fromDepends, owner: c, dep: dep})
	}
}

func (u *universe) optionsOf(dep alpm.Dep) []int32 {
	if found, ok := u.numbered[dep]; ok {
		return found
	}
	found := u.numbers(u.pool.options(dep))
	u.numbered[dep] = found
	return found
}

func (u *universe) numbers(list []*candidate) []int32 {
	out := make([]int32, len(list))
	for i, c := range list {
		n, ok := u.number[c]
		if !ok {
			n = int32(len(u.candidates))
			u.number[c] = n
			u.candidates = append(u.candidates, c)
			u.problem.grow(int(n))
		}
		out[i] = n
	}
	return out
}

// addConflicts adds every pair that cannot be together. As for pacman, versions
// of one package never count, not even against themselves.
func (u *universe) addConflicts() {
	offers := u.offersInConflict()
	type pair struct{ a, b int32 }
	seen := make(map[pair]bool)
	for n, c := range u.candidates[1:] {
		owner := int32(n + 1)
		for _, dep := range c.Conflicts {
			for _, rival := range offers[dep.Name] {
				r := u.candidates[rival]
				key := pair{min(owner, rival), max(owner, rival)}
				if r.Name == c.Name || seen[key] || !r.Satisfies(dep) {
					continue
				}
				seen[key] = true
				u.addFact(fact{owner: owner, rival: rival}, origin{kind: fromConflict, owner: c, rival: r, dep: dep})
			}
		}
	}
}

// offersInConflict lists, for each name that someone is in conflict with, who
// is called so or provides it.
func (u *universe) offersInConflict() map[string][]int32 {
	offers := make(map[string][]int32)
	for _, c := range u.candidates[1:] {
		for _, dep := range c.Conflicts {
			offers[dep.Name] = nil
		}
	}
	put := func(name string, n int32) {
		list, ok := offers[name]
		if ok && (len(list) == 0 || list[len(list)-1] != n) {
			offers[name] = append(list, n)
		}
	}
	for i, c := range u.candidates[1:] {
		put(c.Name, int32(i+1))
		for j := range c.Provides {
			put(c.Provides[j].Name, int32(i+1))
		}
	}
	return offers
}

// addRivals says that one version of a package is enough.
func (u *universe) addRivals() {
	place := make(map[string]int, len(u.candidates))
	groups := make([][]int32, 0, len(u.candidates))
	for i, c := range u.candidates[1:] {
		at, ok := place[c.Name]
		if !ok {
			at = len(groups)
			place[c.Name] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], int32(i+1))
	}
	for _, g := range groups {
		if len(g) > 1 {
			u.problem.rivals = append(u.problem.rivals, g)
		}
	}
}

// facts gives those of a core, and the origin of each.
func (u *universe) facts(c *core) []fact {
	out := make([]fact, 0, len(c.facts)+len(c.rivals))
	for _, id := range c.facts {
		out = append(out, u.problem.facts[id])
	}
	for _, pair := range c.rivals {
		out = append(out, fact{owner: pair[0], rival: pair[1], origin: int32(len(u.origins))})
		a, b := u.candidates[pair[0]], u.candidates[pair[1]]
		u.origins = append(u.origins, origin{kind: fromName, owner: a, rival: b})
	}
	return out
}

func (u *universe) origin(f fact) *origin { return &u.origins[f.origin] }

// chosenFrom turns the search's answer into candidates.
func (u *universe) chosenFrom(answer []int32) []*candidate {
	out := make([]*candidate, len(answer))
	for i, n := range answer {
		out[i] = u.candidates[n]
	}
	return out
}
