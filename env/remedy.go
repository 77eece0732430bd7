package env

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"devenv/env/manifest"
	"devenv/env/resolve"
	"devenv/layers/alpm"
	libs "devenv/layers/elf"
)

// incurable says what is missed, by whom, what there is instead, and what would
// help; nil if nothing is. Of the files of one package that miss the same it
// names the first.
func (p *Project) incurable(ctx context.Context, c *census, grave []libs.Miss) error {
	var faults []error
	more := map[string]int{}
	key := func(m libs.Miss) string { return m.Layer + "\n" + m.Want }
	for _, m := range grave {
		more[key(m)]++
	}
	for _, m := range grave {
		if n := more[key(m)]; n > 0 {
			more[key(m)] = 0
			faults = append(faults, p.fault(ctx, c, m, n-1))
		}
	}
	return errors.Join(faults...)
}

func (p *Project) fault(ctx context.Context, c *census, m libs.Miss, more int) error {
	text := fmt.Sprintf("%s: %s", c.titled(m.Layer), m)
	pinned, partner := m.Layer, ""
	if names := c.partners(m); len(names) > 0 {
		partner = names[0]
		for _, o := range c.owners[family(m.Want)] {
			if o.name == partner && m.Kind != libs.NoVersion {
				text += fmt.Sprintf("; %s has %s", c.titled(o.name), o.object.Path)
				break
			}
		}
		if !c.rolledBack(pinned) {
			pinned = partner
		}
	}
	if more > 0 {
		text += fmt.Sprintf(" (and %d more of its files)", more)
	}
	if by := p.pinOf(c, pinned); by != nil {
		text = fmt.Sprintf("%s: %s", by.Pos, text)
	}
	return fmt.Errorf("%s\nhint: %s", text, p.remedy(ctx, c, m, pinned, partner))
}

// remedy is the nearest changes that work: each was solved for again.
func (p *Project) remedy(ctx context.Context, c *census, m libs.Miss, pinned, partner string) string {
	if m.Kind == libs.NoInterpreter {
		return "add the package that brings it (glibc, or lib32-glibc) to [packages]"
	}
	r := &remedies{ctx: ctx, p: p, c: c}
	if pinned == m.Layer {
		r.pinPartner(m.Layer, partner)
	} else {
		r.otherVersion(m.Layer, partner)
	}
	r.otherVersion(pinned, cmp.Or(other(m.Layer, partner, pinned), partner))
	r.snapshot(pinned, other(m.Layer, partner, pinned))
	if len(r.found) == 0 {
		return fmt.Sprintf("no other version and no day that was tried has both: take the pin off %s, or look for a version yourself (`devenv versions %s`)", pinned, pinned)
	}
	return "what would work: " + strings.Join(r.found, ", or ")
}

// other is the one of two packages that is not this one.
func other(a, b, this string) string {
	if a == this {
		return b
	}
	return a
}

// remedies collects changes of devenv.toml that have an answer.
type remedies struct {
	ctx   context.Context
	p     *Project
	c     *census
	found []string
}

func (r *remedies) add(format string, args ...any) {
	r.found = appendNew(r.found, fmt.Sprintf(format, args...))
}

// solve solves what a manifest asks for, with one more or another want; nil if
// that has no answer. What nothing speaks against stays as it is.
func (r *remedies) solve(m *manifest.Manifest, name, version string) *resolve.Solution {
	s := &solving{p: r.p, days: map[string][]*resolve.Repo{}}
	req, err := s.request(r.ctx, m)
	if err != nil {
		return nil
	}
	if m.Snapshot == r.p.Snapshot {
		req.Locked = map[string]string{}
		for _, pkg := range r.c.whole {
			req.Locked[pkg.Name] = pkg.Version
		}
		delete(req.Locked, name)
	}
	if name != "" {
		want := resolve.Want{Name: name, Pin: "= " + version, Exact: version, Origin: "this change", Accept: func(v string) bool { return v == version }}
		at := slices.IndexFunc(req.Wants, func(w resolve.Want) bool { return w.Name == name })
		if at < 0 {
			req.Wants = append(req.Wants, want)
		} else {
			want.With, want.Repo = req.Wants[at].With, req.Wants[at].Repo
			req.Wants[at] = want
		}
	}
	solution, err := resolve.Solve(r.ctx, *req)
	if err != nil {
		return nil
	}
	return solution
}

// pinPartner tries the partner in the version that a package was built with.
func (r *remedies) pinPartner(name, partner string) {
	layer := r.c.record[name]
	if layer == nil || partner == "" {
		return
	}
	details, err := layer.Details()
	if err != nil || details.Build == nil {
		return
	}
	in, ok := details.Build.Find(partner)
	if ok && in.Version != r.c.whole[partner].Version && r.solve(r.p.Manifest, partner, in.Version) != nil {
		r.add("%s = %q beside it, which %s was built with", partner, in.Version, name)
	}
}

// maxRemedies is how many versions of one package are tried.
const maxRemedies = 8

// otherVersion tries the versions of a package that are next to its own, of which
// it is known that they were built with what there is of its partner, or that
// the archive has what they were built with.
func (r *remedies) otherVersion(name, partner string) {
	now := r.c.whole[name].Version
	versions, err := r.p.mirror.Archive().Versions(r.ctx, name)
	at := slices.Index(versions, now)
	if err != nil || at < 0 {
		return
	}
	tried := 0
	for away := 1; away < len(versions) && tried < maxRemedies; away++ {
		for _, i := range []int{at - away, at + away} { // a newer one first
			if i < 0 || i >= len(versions) || tried == maxRemedies || !r.goesWith(name, versions[i], partner) {
				continue
			}
			tried++
			if r.solve(r.p.Manifest, name, versions[i]) != nil {
				r.add("%s = %q", name, versions[i])
				return
			}
		}
	}
}

// goesWith reports whether a version of a package finds its partner's libraries.
func (r *remedies) goesWith(name, version, partner string) bool {
	archive := r.p.mirror.Archive()
	build, err := archive.BuildInfo(r.ctx, name, version)
	if err != nil || build == nil {
		return false
	}
	in, ok := build.Find(partner)
	if !ok { // it gives what the partner needs: that goes with what it was built with, and later
		built := r.builtWith(partner, name)
		return built != "" && alpm.Compare(version, built) >= 0
	}
	if in.Version == r.c.whole[partner].Version {
		return true
	}
	_, err = archive.Package(r.ctx, partner, in.Version)
	return err == nil
}

// builtWith is the version of a partner that a package of the environment was
// built with; "" if that is not known.
func (r *remedies) builtWith(name, partner string) string {
	if layer := r.c.record[name]; layer != nil {
		if details, err := layer.Details(); err == nil && details.Build != nil {
			if in, ok := details.Build.Find(partner); ok {
				return in.Version
			}
		}
	}
	return ""
}

// snapshot tries the day of the pinned package for all.
func (r *remedies) snapshot(pinned, partner string) {
	now := r.c.whole[pinned].Version
	day, err := r.p.mirror.Archive().DayOf(r.ctx, pinned, now)
	if err != nil || day == r.p.Snapshot {
		return
	}
	m := *r.p.Manifest
	m.Snapshot = day
	solution := r.solve(&m, "", "")
	if solution == nil {
		return
	}
	built := r.builtWith(pinned, partner)
	for _, c := range solution.Packages {
		if c.Name == partner && built != "" && c.Version != built {
			return // it had moved on by then
		}
	}
	r.add("snapshot = %q", day)
}

// titled is a package with its version.
func (c *census) titled(name string) string {
	if pkg, ok := c.whole[name]; ok {
		return pkg.Name + " " + pkg.Version
	}
	return name
}

// pinOf is the key of devenv.toml that a package is there for.
func (p *Project) pinOf(c *census, name string) *manifest.Package {
	for _, asked := range append([]string{name}, c.whole[name].By...) {
		for i := range p.Packages {
			if p.Packages[i].Name == asked {
				return &p.Packages[i]
			}
		}
	}
	return nil
}
