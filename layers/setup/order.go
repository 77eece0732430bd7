package setup

import (
	"cmp"
	"slices"

	"devenv/layers/alpm"
)

// inOrder sorts packages so that each comes after what it depends on. The base
// set has loops; one is entered at its first package by name, and since all is
// unpacked before anything runs, any order serves within it.
func inOrder(pkgs []Package) []Package {
	pkgs = slices.Clone(pkgs)
	slices.SortFunc(pkgs, func(a, b Package) int { return cmp.Compare(a.Info.Name, b.Info.Name) })
	o := orderer{pkgs: pkgs, index: newInstalled(pkgs), seen: make([]bool, len(pkgs))}
	for i := range pkgs {
		o.visit(i)
	}
	return o.out
}

type orderer struct {
	pkgs  []Package
	index installed
	seen  []bool
	out   []Package
}

func (o *orderer) visit(i int) {
	if o.seen[i] {
		return
	}
	o.seen[i] = true
	for _, dep := range o.pkgs[i].Info.Depends {
		if j, ok := o.index.find(dep); ok {
			o.visit(j)
		}
	}
	o.out = append(o.out, o.pkgs[i])
}

// installed answers who meets a dependency.
type installed struct {
	pkgs   []Package
	byName map[string][]int // by what they are called or provide
}

func newInstalled(pkgs []Package) installed {
	in := installed{pkgs, make(map[string][]int, 2*len(pkgs))}
	for i := range pkgs {
		info := pkgs[i].Info
		in.byName[info.Name] = append(in.byName[info.Name], i)
		for _, p := range info.Provides {
			if p.Name != info.Name {
				in.byName[p.Name] = append(in.byName[p.Name], i)
			}
		}
	}
	return in
}

func (in installed) find(dep alpm.Dep) (index int, ok bool) {
	for _, i := range in.byName[dep.Name] {
		if in.pkgs[i].Info.Satisfies(dep) {
			return i, true
		}
	}
	return 0, false
}
