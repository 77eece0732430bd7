package table

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"devenv/cmd/devenv-mirror/debian"
)

// planner finds, for each day, an Arch package for every Debian dependency.
type planner struct {
	table         *Table
	avail         *debian.Available
	arch, triplet string
	ignore        func(string) bool

	auto    map[string][]string // packages that the table does not name → their debs, the same on all days
	autoOf  map[string]string   // deb → its package in auto
	changed bool                // auto grew: go through the days again
}

// dayPlan is one day while it is being made.
type dayPlan struct {
	*planner
	builds map[string]*Build
	owner  map[string]*Build // deb → the package that has it

	covered map[string]*Build // Debian name → the package that stands for it
}

// day makes the builds of one day. Without series, packages that come from one
// are there by name, but have only the debs that all their versions share.
func (p *planner) day(date string, series map[string]string) (*dayPlan, error) {
	d := &dayPlan{planner: p, builds: map[string]*Build{}, owner: map[string]*Build{}, covered: map[string]*Build{}}
	for _, name := range slices.Sorted(maps.Keys(p.table.Package)) {
		e := p.table.Package[name]
		if e = e.on(date, p.triplet, series); e == nil {
			continue
		}
		if series == nil && len(e.usesSeries(p.table)) > 0 {
			e.dropSeries()
		}
		if err := d.add(name, e); err != nil {
			return nil, err
		}
		if e.Rides != "" && d.builds[name] != nil && !d.dependsOn(d.builds[name], e.Rides) {
			d.leaveOut(name)
		}
	}
	todo := slices.Collect(maps.Values(d.builds))
	for len(todo) > 0 {
		found, err := d.resolve(todo[0])
		if err != nil {
			return nil, err
		}
		todo = append(todo[1:], found...)
	}
	return d, d.finish()
}

// add makes the build of an entry, without its dependencies.
func (d *dayPlan) add(name string, e *Entry) error {
	b := &Build{Name: name, Entry: e, Arch: "any"}
	for _, item := range e.Debs {
		deb, err := d.pick(item)
		if err != nil {
			return fmt.Errorf("package %s: %w", name, err)
		}
		if deb == nil {
			continue
		}
		b.Debs = append(b.Debs, deb)
		if deb.Arch != "all" {
			b.Arch = d.arch
		}
		if d.owner[deb.Name] == nil || len(e.Only) == 0 {
			d.owner[deb.Name] = b
		}
	}
	if len(e.Debs) > 0 && len(b.Debs) == 0 && e.Version == "" {
		return nil // this release does not have it
	}
	for _, name := range e.Covers {
		d.covered[name] = b
		if strings.Contains(name, "#") {
			for _, match := range d.avail.Match(name) {
				d.covered[match] = b
			}
		}
	}
	if e.Repo == "" {
		e.Repo = "extra"
	}
	b.Version = e.Version
	if b.Version == "" {
		from := e.VersionFrom
		if from == "" && len(b.Debs) > 0 {
			from = b.Debs[0].Name
		}
		deb, err := d.pick(from)
		if err != nil {
			return fmt.Errorf("package %s: version: %w", name, err)
		}
		b.Version = withEpochAndSuffix(archVersion(deb.Version), e.Epoch, e.Suffix)
	}
	d.builds[name] = b
	return nil
}

// dependsOn tells whether b was built against a Debian package.
func (d *dayPlan) dependsOn(b *Build, name string) bool {
	for _, deb := range b.Debs {
		for _, group := range deb.Depends {
			if slices.ContainsFunc(group, func(r debian.Relation) bool { return r.Name == name }) {
				return true
			}
		}
	}
	return false
}

func (d *dayPlan) leaveOut(name string) {
	b := d.builds[name]
	delete(d.builds, name)
	maps.DeleteFunc(d.owner, func(_ string, owner *Build) bool { return owner == b })
}

// pick finds the deb an item stands for: "a|b" is the first that apt has, '#'
// the highest number, and a trailing '?' allows that there is none.
func (p *planner) pick(item string) (*debian.Package, error) {
	item, optional := strings.CutSuffix(item, "?")
	for alternative := range strings.SplitSeq(item, "|") {
		if names := p.avail.Match(alternative); len(names) > 0 {
			return p.avail.Get(names[len(names)-1]), nil
		}
	}
	if optional {
		return nil, nil
	}
	return nil, fmt.Errorf("apt has no %s", item)
}

// finish completes "partner=" by the partner's version, and checks that all
// dependencies exist.
func (d *dayPlan) finish() error {
	given := map[string]bool{}
	for name, b := range d.builds {
		given[name] = true
		for _, p := range b.Entry.Provides {
			given[depName(p)] = true
		}
	}
	for _, b := range d.builds {
		for i, dep := range b.Depends {
			name := depName(dep)
			if strings.HasSuffix(dep, "=") && d.builds[name] != nil {
				b.Depends[i] = dep + d.builds[name].Version
			}
			if !given[name] {
				return fmt.Errorf("package %s depends on %s, which the table does not make", b.Name, name)
			}
		}
	}
	return nil
}

// optional lists what b's debs recommend, of the packages that are there
// anyway.
func (d *dayPlan) optional(b *Build) []string {
	found := map[string]string{}
	for _, deb := range b.Debs {
		for _, group := range deb.Recommends {
			for _, r := range group {
				p := d.owner[r.Name]
				if p == nil || p == b || slices.ContainsFunc(b.Depends, func(dep string) bool { return depName(dep) == p.Name }) {
					continue
				}
				why := p.Entry.Desc
				if why == "" {
					why = d.avail.Get(r.Name).Description
				}
				found[p.Name] = p.Name + ": " + why
			}
		}
	}
	return slices.Sorted(maps.Values(found))
}

// installed lists what was there when b was built: its closure and the base.
func (d *dayPlan) installed(b *Build, base []string) []string {
	var list []string
	for name := range closure(d.builds, append(slices.Clone(b.Depends), base...)) {
		if p := d.builds[name]; p != b {
			list = append(list, name+"-"+p.Version+"-"+p.Arch)
		}
	}
	slices.Sort(list)
	return list
}
