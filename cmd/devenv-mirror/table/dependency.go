package table

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"devenv/cmd/devenv-mirror/debian"
)

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
			if exact {
				deps[partner.Name] = partner.Name + "=" + partner.Version
			} else if deps[partner.Name] == "" {
				deps[partner.Name] = partner.Name
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
