package resolve

import (
	"fmt"
	"slices"
	"strings"

	"devenv/layers/alpm"
)

// want is a Want, understood.
type want struct {
	*Want
	dep   alpm.Dep
	repo  string     // the only repository it may come from, or ""
	with  []alpm.Dep // Want.With
	tried int        // how many versions of the archive were looked at
}

// demand is one choice that a want asks for: one of options must be there. A
// group makes one demand for each member.
type demand struct {
	options []*candidate
	pinned  bool
	member  string // of a group: the member's name
}

func readWants(req *Request) ([]*want, error) {
	wants := make([]*want, len(req.Wants))
	for i := range req.Wants {
		w := &want{Want: &req.Wants[i], repo: req.Wants[i].Repo}
		name := w.Name
		if repo, rest, ok := strings.Cut(name, "/"); ok && repo != "" && w.repo == "" {
			w.repo, name = repo, rest
		}
		var err error
		if w.dep, err = alpm.ParseDep(name); err != nil {
			return nil, originError(w.Origin, err)
		}
		for _, s := range w.With {
			dep, err := alpm.ParseDep(s)
			if err != nil {
				return nil, originError(w.Origin, err)
			}
			w.with = append(w.with, dep)
		}
		wants[i] = w
	}
	return wants, nil
}

func originError(origin string, err error) error {
	if origin == "" {
		return err
	}
	return fmt.Errorf("%s: %w", origin, err)
}

// ownView says whether the want looks elsewhere than the request.
func (w *want) ownView() bool { return len(w.Repos) > 0 }

// limited says whether only certain repositories will do for the want.
func (w *want) limited() bool { return w.ownView() || w.repo != "" }

// repos are the repositories in which the want is looked up.
func (w *want) repos(p *pool) []*Repo {
	repos := p.req.Repos
	if w.ownView() {
		repos = w.Repos
	}
	if w.repo == "" {
		return repos
	}
	return slices.DeleteFunc(slices.Clone(repos), func(r *Repo) bool { return r.Name != w.repo })
}

// demands are what must be chosen for w, as far as is known now.
func (w *want) demands(p *pool) []demand {
	all := w.matches(p)
	if len(all) == 0 {
		if members := w.groupDemands(p); len(members) > 0 {
			return members
		}
	}
	accepted := all
	if w.Accept != nil {
		accepted = slices.DeleteFunc(slices.Clone(all), func(c *candidate) bool { return !w.accepts(c) })
	}
	if w.ownView() {
		p.add(accepted...)
	}
	return []demand{{options: accepted, pinned: w.Accept != nil}}
}

// matches are the candidates that w's name means, whatever their version.
func (w *want) matches(p *pool) []*candidate {
	if !w.limited() {
		return p.options(w.dep)
	}
	repos, inView := w.repos(p), !w.ownView()
	found := slices.DeleteFunc(p.literalsIn(repos, inView, w.dep.Name), func(c *candidate) bool {
		return !w.dep.Satisfied(c.Version)
	})
	for _, c := range p.providersIn(repos, inView, w.dep.Name) {
		if c.SatisfiesByProvision(w.dep) {
			found = append(found, c)
		}
	}
	p.preferLocked(found)
	return found
}

// accepts says whether c meets the pin: by its own version, or by the version
// in which it provides the name.
func (w *want) accepts(c *candidate) bool {
	if w.Accept == nil {
		return true
	}
	if c.Name == w.dep.Name {
		return w.Accept(c.Version)
	}
	return slices.ContainsFunc(c.Provides, func(d alpm.Dep) bool {
		return d.Name == w.dep.Name && d.Op == alpm.EQ && w.Accept(d.Version)
	})
}

// groupDemands asks for every member of the group that w names, each from the
// first repository that has it in the group.
func (w *want) groupDemands(p *pool) []demand {
	if w.dep.Op != alpm.Any {
		return nil
	}
	var out []demand
	seen := make(map[string]bool)
	inView := !w.ownView()
	members := p.collect(w.repos(p), inView, func(x *alpm.Index) []*alpm.Package {
		found := slices.Clone(x.Group(w.dep.Name))
		slices.SortStableFunc(found, func(a, b *alpm.Package) int { return strings.Compare(a.Name, b.Name) })
		return found
	})
	for _, c := range members {
		if seen[c.Name] {
			continue
		}
		seen[c.Name] = true
		options := []*candidate{c}
		if w.limited() {
			p.add(c)
		} else {
			for _, other := range p.literals(c.Name) {
				if other != c {
					options = append(options, other)
				}
			}
			p.preferLocked(options)
		}
		out = append(out, demand{options: options, member: c.Name})
	}
	return out
}
