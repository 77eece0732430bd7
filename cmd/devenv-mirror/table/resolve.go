package table

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
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

// chooseSeries says for each day which version of each series it gets.
// A version whose debs other packages were built against is not offered: it
// must be there on all days, as a package of its own.
func (p *planner) chooseSeries() ([]map[string]string, error) {
	if _, err := p.repeat(func() ([]*dayPlan, error) {
		var days []*dayPlan
		for _, d := range p.table.Days {
			day, err := p.day(d.Date, nil)
			if err != nil {
				return nil, err
			}
			days = append(days, day)
		}
		return days, nil
	}); err != nil {
		return nil, err
	}
	chosen := make([]map[string]string, len(p.table.Days))
	for i := range chosen {
		chosen[i] = map[string]string{}
	}
	for name, s := range p.table.Series {
		versions := p.versions(name, s)
		if len(versions) == 0 {
			return nil, fmt.Errorf("apt has no %s for series %s", s.Pick, name)
		}
		for i := range chosen {
			k := len(versions) - 1
			if len(chosen) > 1 {
				k = (2*i*(len(versions)-1) + len(chosen) - 1) / (2 * (len(chosen) - 1))
			}
			chosen[i][name] = versions[k]
		}
	}
	return chosen, nil
}

// versions lists the numbers of a series that can be had and are not claimed.
func (p *planner) versions(series string, s Series) []string {
	prefix, suffix, _ := strings.Cut(s.Pick, "#")
	var versions []string
	for _, deb := range p.avail.Match(s.Pick) {
		v := strings.TrimSuffix(strings.TrimPrefix(deb, prefix), suffix)
		n, err := strconv.Atoi(v)
		if err == nil && (s.Max == 0 || n <= s.Max) && !p.claimed(series, v) {
			versions = append(versions, v)
		}
	}
	return versions
}

func (p *planner) claimed(series, version string) bool {
	for _, e := range p.table.Package {
		for _, deb := range e.Debs {
			name := strings.TrimSuffix(strings.ReplaceAll(deb, "{"+series+"}", version), "?")
			if name != deb && p.autoOf[name] != "" {
				return true
			}
		}
	}
	return false
}

func (p *planner) allDays(series []map[string]string) ([]*dayPlan, error) {
	p.auto, p.autoOf = map[string][]string{}, map[string]string{}
	return p.repeat(func() ([]*dayPlan, error) {
		var days []*dayPlan
		for i, d := range p.table.Days {
			day, err := p.day(d.Date, series[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d.Date, err)
			}
			days = append(days, day)
		}
		return days, nil
	})
}

// repeat runs f until it finds no more packages that the table lacks.
func (p *planner) repeat(f func() ([]*dayPlan, error)) ([]*dayPlan, error) {
	for {
		p.changed = false
		days, err := f()
		if err != nil || !p.changed {
			return days, err
		}
	}
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

// resolve fills b.Depends and returns builds that had to be added for it.
func (d *dayPlan) resolve(b *Build) ([]*Build, error) {
	var added []*Build
	deps := map[string]string{}
	for _, deb := range b.Debs {
		for _, group := range deb.Depends {
			partner, exact, isNew, err := d.dependency(deb, group)
			if err != nil {
				return nil, fmt.Errorf("package %s: %w", b.Name, err)
			}
			if isNew {
				added = append(added, partner)
			}
			if partner == nil || partner == b || slices.Contains(b.Entry.NoDepends, partner.Name) {
				continue
			}
			if exact || deps[partner.Name] == "" {
				deps[partner.Name] = partner.Name
			}
			if exact {
				deps[partner.Name] += "=" + partner.Version
			}
		}
	}
	for _, dep := range b.Entry.Depends {
		deps[depName(dep)] = dep
	}
	b.Depends = slices.Sorted(maps.Values(deps))
	return added, nil
}

// dependency finds the package that satisfies one of a group of alternatives.
// exact is set where both come from one Debian source and must match.
func (d *dayPlan) dependency(from *debian.Package, group []debian.Relation) (b *Build, exact, isNew bool, err error) {
	for _, r := range group {
		if b := d.covered[r.Name]; b != nil {
			return b, false, false, nil
		}
		for _, name := range d.avail.Match(r.Name) {
			if b := d.owner[name]; b != nil {
				return b, r.Op == "=" && d.avail.Get(name).Source == from.Source, false, nil
			}
		}
		if d.ignore(r.Name) {
			return nil, false, false, nil
		}
	}
	for _, r := range group {
		for _, name := range d.avail.Providers(r.Name) {
			if b := d.owner[name]; b != nil {
				return b, false, false, nil
			}
			if d.ignore(name) {
				return nil, false, false, nil
			}
		}
	}
	for _, r := range group {
		candidates := append(slices.Clone(d.avail.Match(r.Name)), slices.Sorted(slices.Values(d.avail.Providers(r.Name)))...)
		if len(candidates) > 0 {
			b, isNew, err := d.addAuto(d.avail.Get(candidates[0]))
			return b, r.Op == "=", isNew, err
		}
	}
	return nil, false, false, fmt.Errorf("%s depends on %s, which apt does not have", from.Name, group[0].Name)
}

// autoName is what a package is called that the table does not name.
func (t *Table) autoName(deb *debian.Package) string {
	name := deb.Source
	for _, r := range t.Rename {
		if r.re.MatchString(deb.Name) {
			name = r.re.ReplaceAllString(deb.Name, r.As)
			break
		}
	}
	if name = notInNames.ReplaceAllString(strings.ToLower(name), "-"); t.Package[name] != nil {
		return deb.Name // taken: this is a part that the entry left out
	}
	return name
}

var notInNames = regexp.MustCompile(`[^a-z0-9@._+-]`)

// addAuto makes sure that a package exists which the table does not name: all
// debs of one source that anything needs, on all days.
func (d *dayPlan) addAuto(deb *debian.Package) (*Build, bool, error) {
	name := d.autoOf[deb.Name]
	if name == "" {
		name = d.table.autoName(deb)
		d.auto[name] = append(d.auto[name], deb.Name)
		slices.Sort(d.auto[name])
		d.autoOf[deb.Name] = name
		d.changed = true
	}
	if b := d.builds[name]; b != nil {
		return b, false, nil
	}
	if err := d.add(name, &Entry{Debs: d.auto[name]}); err != nil {
		return nil, false, err
	}
	return d.builds[name], true, nil
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
