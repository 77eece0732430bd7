package resolve

import (
	"slices"

	"devenv/layers/alpm"
)

// greedy answers as pacman does in an empty root when nobody is asked anything:
// it takes the first that fits, everywhere, and never looks back.
type greedy struct {
	pool    *pool
	targets shelf // what the wants chose
	packed  shelf // what is installed so far
	with    map[string][]alpm.Dep
	dropped []*candidate // conflicts were resolved by their providers
}

// shelf is a list of candidates, in which those that meet a dependency are
// found at once and in order.
type shelf struct {
	list   []*candidate
	byName map[string]*candidate
	offers map[string][]*candidate // by name and by provision
}

func newShelf() shelf {
	return shelf{byName: make(map[string]*candidate), offers: make(map[string][]*candidate)}
}

func (s *shelf) put(c *candidate) {
	s.list = append(s.list, c)
	s.byName[c.Name] = c
	s.offers[c.Name] = append(s.offers[c.Name], c)
	for i := range c.Provides {
		name := c.Provides[i].Name
		if at := s.offers[name]; len(at) == 0 || at[len(at)-1] != c {
			s.offers[name] = append(at, c)
		}
	}
}

func (s *shelf) remove(c *candidate) {
	s.list = slices.DeleteFunc(s.list, func(o *candidate) bool { return o == c })
	delete(s.byName, c.Name)
	for _, name := range append([]string{c.Name}, names(c.Provides)...) {
		s.offers[name] = slices.DeleteFunc(s.offers[name], func(o *candidate) bool { return o == c })
	}
}

func names(deps []alpm.Dep) []string {
	out := make([]string, len(deps))
	for i, d := range deps {
		out[i] = d.Name
	}
	return out
}

// meets returns the first candidate on the shelf that satisfies dep.
func (s *shelf) meets(dep alpm.Dep) *candidate {
	for _, c := range s.offers[dep.Name] {
		if c.Satisfies(dep) {
			return c
		}
	}
	return nil
}

// tryGreedy returns pacman's answer where that holds everything asked for.
func tryGreedy(p *pool, wants []*want) []*candidate {
	g := &greedy{pool: p, targets: newShelf(), packed: newShelf(), with: make(map[string][]alpm.Dep)}
	for _, w := range wants {
		if !g.target(w) {
			return nil
		}
	}
	for _, c := range g.targets.list {
		if !g.install(c) {
			return nil
		}
	}
	if !g.settleConflicts() || !g.holds(wants) {
		return nil
	}
	return g.packed.list
}

// target puts what a want names on the list of targets.
func (g *greedy) target(w *want) bool {
	demands := w.demands(g.pool)
	for _, d := range demands {
		if len(d.options) == 0 {
			return false
		}
		c := d.options[0]
		if same := g.targets.byName[c.Name]; same != nil && same != c {
			return false
		} else if same == nil {
			g.targets.put(c)
		}
		g.with[c.Name] = append(g.with[c.Name], w.with...)
	}
	return len(demands) > 0
}

// install adds c and, depth first, what it needs.
func (g *greedy) install(c *candidate) bool {
	if g.packed.byName[c.Name] != nil {
		return true
	}
	g.packed.put(c)
	for _, list := range [2][]alpm.Dep{c.Depends, g.with[c.Name]} {
		for _, dep := range list {
			if g.packed.meets(dep) != nil {
				continue
			}
			next := g.targets.meets(dep)
			if next == nil {
				next = g.first(dep)
			}
			if next == nil || !g.install(next) {
				return false
			}
		}
	}
	return true
}

// first is the first option for dep whose name is not taken.
func (g *greedy) first(dep alpm.Dep) *candidate {
	for _, c := range g.pool.options(dep) {
		if g.packed.byName[c.Name] == nil {
			return c
		}
	}
	return nil
}

// settleConflicts drops a package where the one it is in conflict with provides
// it, and gives up on any other conflict.
func (g *greedy) settleConflicts() bool {
	for _, pair := range g.conflicts() {
		a, b := pair[0], pair[1]
		if g.packed.byName[a.Name] == nil || g.packed.byName[b.Name] == nil {
			continue
		}
		switch {
		case a.Satisfies(alpm.Dep{Name: b.Name}):
			g.drop(b)
		case b.Satisfies(alpm.Dep{Name: a.Name}):
			g.drop(a)
		default:
			return false
		}
	}
	return true
}

func (g *greedy) drop(c *candidate) {
	g.packed.remove(c)
	g.dropped = append(g.dropped, c)
}

// conflicts lists who says it cannot be with whom, in the order of the list.
func (g *greedy) conflicts() (pairs [][2]*candidate) {
	for _, c := range g.packed.list {
		for _, dep := range c.Conflicts {
			for _, other := range g.packed.offers[dep.Name] {
				if other.Name == c.Name || !other.Satisfies(dep) {
					continue
				}
				if pair := [2]*candidate{c, other}; !slices.Contains(pairs, pair) {
					pairs = append(pairs, pair)
				}
			}
		}
	}
	return pairs
}

// holds checks the answer: every dependency and every want is met.
func (g *greedy) holds(wants []*want) bool {
	for _, c := range g.packed.list {
		for _, list := range [2][]alpm.Dep{c.Depends, g.with[c.Name]} {
			for _, dep := range list {
				if g.packed.meets(dep) == nil {
					return false
				}
			}
		}
	}
	for _, w := range wants {
		for _, d := range w.demands(g.pool) {
			if !slices.ContainsFunc(d.options, g.has) && !g.replaced(d) {
				return false
			}
		}
	}
	return true
}

func (g *greedy) has(c *candidate) bool { return g.packed.byName[c.Name] == c }

// replaced says whether a demand without a pin is met by the provider for which
// its own package was dropped.
func (g *greedy) replaced(d demand) bool {
	return !d.pinned && slices.ContainsFunc(g.dropped, func(c *candidate) bool {
		return slices.Contains(d.options, c) && g.packed.meets(alpm.Dep{Name: c.Name}) != nil
	})
}
