package resolve

import "slices"

// Link is one package and what it is there for, as a Solution or a lock has it.
type Link struct {
	Name  string
	By    []string // packages that need it, and wants that ask for it
	Wants []string // wants that ask for it, where they are known apart
}

// Graph answers why a package is there and what it brings along. It is never
// changed once made, and safe for concurrent use.
type Graph struct {
	links map[string]Link
	needs map[string][]string
	names []string
}

// Links are the packages of s.
func (s *Solution) Links() []Link {
	out := make([]Link, len(s.Packages))
	for i, c := range s.Packages {
		out[i] = Link{Name: c.Name, By: c.By, Wants: c.Wants}
	}
	return out
}

// NewGraph makes a graph of packages. What a By names that is no package is
// taken for a want.
func NewGraph(links []Link) *Graph {
	g := &Graph{links: make(map[string]Link, len(links)), needs: make(map[string][]string)}
	for _, l := range links {
		g.links[l.Name] = l
		g.names = append(g.names, l.Name)
	}
	slices.Sort(g.names)
	for _, name := range g.names {
		for _, by := range g.links[name].By {
			if _, ok := g.links[by]; ok && by != name {
				g.needs[by] = append(g.needs[by], name)
			}
		}
	}
	return g
}

// Has says whether the package is there.
func (g *Graph) Has(name string) bool {
	_, ok := g.links[name]
	return ok
}

// Roots are the packages that are asked for, sorted.
func (g *Graph) Roots() []string {
	var out []string
	for _, name := range g.names {
		if len(g.Wants(name)) > 0 {
			out = append(out, name)
		}
	}
	return out
}

// Wants are what asks for the package itself. A want that is called like the
// package may stand in By: a package never needs itself.
func (g *Graph) Wants(name string) []string {
	l := g.links[name]
	out := slices.Clone(l.Wants)
	for _, by := range l.By {
		if _, isPackage := g.links[by]; (!isPackage || by == name) && !slices.Contains(out, by) {
			out = append(out, by)
		}
	}
	return out
}

// Needs are the packages that name needs directly, sorted.
func (g *Graph) Needs(name string) []string { return g.needs[name] }

// NeededBy are the packages that need name directly, sorted.
func (g *Graph) NeededBy(name string) []string {
	var out []string
	for _, by := range g.links[name].By {
		if _, ok := g.links[by]; ok && by != name && !slices.Contains(out, by) {
			out = append(out, by)
		}
	}
	slices.Sort(out)
	return out
}

// Why returns, for every root that leads to name, the shortest chain from there
// to name, both included; shorter chains first, and equal ones in order. There
// is none where name is not there.
func (g *Graph) Why(name string) [][]string {
	if !g.Has(name) {
		return nil
	}
	next := map[string]string{name: ""} // from each package one step nearer to name
	var chains [][]string
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if len(g.Wants(at)) > 0 {
			var chain []string
			for step := at; step != ""; step = next[step] {
				chain = append(chain, step)
			}
			chains = append(chains, chain)
		}
		for _, by := range g.NeededBy(at) {
			if _, seen := next[by]; !seen {
				next[by] = at
				queue = append(queue, by)
			}
		}
	}
	slices.SortStableFunc(chains, func(a, b []string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return slices.Compare(a, b)
	})
	return chains
}
