package table

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"devenv/cmd/devenv-mirror/debian"
)

// Plan is what to build, and which builds each day has.
type Plan struct {
	Arch    string // Arch's word: x86_64
	Triplet string // Debian's multiarch directory: x86_64-linux-gnu
	Days    []Day  // oldest first
	Builds  []*Build
}

// Day is one day of the archive: for each repository its builds, by name.
type Day struct {
	Date  string
	Repos map[string][]*Build
}

// Build is one package version to make.
type Build struct {
	Name     string
	Version  string // full: [epoch:]pkgver-pkgrel
	Arch     string
	Entry    *Entry // as it is on the day
	Debs     []*debian.Package
	Depends  []string // sonames are added when the files are seen
	Optional []string // "name: why", of what the debs recommend
	FirstDay string   // the day this version appears

	Installed []string // "name-version-arch" of the closure on that day
	Partners  []*Build // what Depends stands for on that day
}

// Filename is the package file's name.
func (b *Build) Filename() string { return b.Name + "-" + b.Version + "-" + b.Arch + ".pkg.tar.zst" }

var machines = map[string][2]string{
	"amd64": {"x86_64", "x86_64-linux-gnu"},
	"arm64": {"aarch64", "aarch64-linux-gnu"},
}

// Make applies the table to what apt has.
func (t *Table) Make(avail *debian.Available) (*Plan, error) {
	m, ok := machines[avail.Arch]
	if !ok {
		return nil, fmt.Errorf("no table for Debian's %s, only for amd64 and arm64", avail.Arch)
	}
	p := &planner{
		table: t, avail: avail, arch: m[0], triplet: m[1], ignore: ignored(t.Ignore),
		auto: map[string][]string{}, autoOf: map[string]string{},
	}
	series, err := p.chooseSeries()
	if err != nil {
		return nil, err
	}
	days, err := p.allDays(series)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Arch: m[0], Triplet: m[1]}
	return plan, plan.collect(t, days)
}

// ignored tells whether a Debian package is one of a list in which '#' is a
// number.
func ignored(list []string) func(string) bool {
	plain := map[string]bool{}
	var numbered []*regexp.Regexp
	for _, name := range list {
		plain[name] = true
		if strings.Contains(name, "#") {
			numbered = append(numbered, regexp.MustCompile("^"+strings.ReplaceAll(regexp.QuoteMeta(name), "#", `\d+`)+"$"))
		}
	}
	return func(name string) bool {
		return plain[name] || slices.ContainsFunc(numbered, func(re *regexp.Regexp) bool { return re.MatchString(name) })
	}
}

// Restrict keeps what names need, and the last n days. Builds keep their
// identity: a small mirror's files are those of the whole one.
func (p *Plan) Restrict(names []string, n int) (*Plan, error) {
	r := &Plan{Arch: p.Arch, Triplet: p.Triplet}
	kept := map[*Build]bool{}
	known := map[string]bool{}
	for _, day := range p.Days[max(0, len(p.Days)-n):] {
		small := Day{Date: day.Date, Repos: map[string][]*Build{}}
		closure := day.closure(names)
		for repo, builds := range day.Repos {
			small.Repos[repo] = nil
			for _, b := range builds {
				known[b.Name] = true
				if names == nil || closure[b.Name] {
					small.Repos[repo] = append(small.Repos[repo], b)
					kept[b] = true
				}
			}
		}
		r.Days = append(r.Days, small)
	}
	for _, name := range names {
		if !known[name] {
			return nil, fmt.Errorf("no package %s in the table or in what it needs", name)
		}
	}
	for _, b := range p.Builds {
		if kept[b] {
			r.Builds = append(r.Builds, b)
		}
	}
	return r, nil
}

// closure names all that names need on a day.
func (d *Day) closure(names []string) map[string]bool {
	builds := map[string]*Build{}
	for _, repo := range d.Repos {
		for _, b := range repo {
			builds[b.Name] = b
		}
	}
	return closure(builds, names)
}

// closure names all that names, which may be dependencies, need among builds.
func closure(builds map[string]*Build, names []string) map[string]bool {
	seen := map[string]bool{}
	todo := slices.Clone(names)
	for len(todo) > 0 {
		name := depName(todo[0])
		todo = todo[1:]
		b := builds[name]
		if b == nil || seen[name] {
			continue
		}
		seen[name] = true
		todo = append(todo, b.Depends...)
	}
	return seen
}

// depName is the name in "name", "name=1" or "name>=1".
func depName(dep string) string {
	if i := strings.IndexAny(dep, "<>="); i >= 0 {
		return dep[:i]
	}
	return dep
}

// collect turns the days' builds into one list in which each version stands
// once.
func (p *Plan) collect(t *Table, days []*dayPlan) error {
	first := map[string]*Build{}
	for i, d := range days {
		day := Day{Date: t.Days[i].Date, Repos: map[string][]*Build{}}
		for _, repo := range t.Days[i].Repos {
			day.Repos[repo] = nil
		}
		for _, name := range slices.Sorted(maps.Keys(d.builds)) {
			b := d.builds[name]
			if old := first[b.Filename()]; old != nil {
				if why := differ(old, b); why != "" {
					return fmt.Errorf("%s is not the same on %s and %s: %s", b.Filename(), old.FirstDay, day.Date, why)
				}
				b = old
			} else {
				b.FirstDay = day.Date
				b.Optional = d.optional(b)
				b.Installed = d.installed(b, t.Sets["base"])
				for _, dep := range b.Depends {
					if partner := d.builds[depName(dep)]; partner != nil {
						b.Partners = append(b.Partners, partner)
					}
				}
				first[b.Filename()] = b
				p.Builds = append(p.Builds, b)
			}
			repo := b.Entry.Repo
			if _, ok := day.Repos[repo]; !ok {
				repo = "extra" // community was merged into it
			}
			day.Repos[repo] = append(day.Repos[repo], b)
		}
		p.Days = append(p.Days, day)
	}
	return nil
}

// differ says in what two builds of one name and version differ.
func differ(a, b *Build) string {
	if !slices.Equal(a.Depends, b.Depends) {
		return fmt.Sprintf("depends %q and %q", a.Depends, b.Depends)
	}
	if !slices.Equal(a.Debs, b.Debs) {
		return fmt.Sprintf("made of %q and %q", debNames(a.Debs), debNames(b.Debs))
	}
	if !reflect.DeepEqual(a.Entry, b.Entry) {
		return "the table says different things of it; give one of them a suffix"
	}
	return ""
}

func debNames(debs []*debian.Package) []string {
	names := make([]string, len(debs))
	for i, d := range debs {
		names[i] = d.Name
	}
	return names
}
