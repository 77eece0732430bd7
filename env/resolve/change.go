package resolve

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"devenv/layers/alpm"
)

// How many variants of a request are tried. One costs milliseconds, but may
// open a package of the archive.
const (
	maxVersions = 8 // of one package
	maxChanges  = 8 // that go together
)

// conflict explains a contradiction and looks for changes that lift it.
func (r *resolution) conflict(blame []fact) (*Conflict, error) {
	reasons, wants, err := r.story(blame)
	if err != nil {
		return nil, err
	}
	c := &Conflict{Reasons: reasons}
	c.Changes = r.changeDay(wants)
	relaxed := r.changePins(wants)
	for _, w := range wants {
		c.Changes = append(c.Changes, r.changeVersion(w, relaxed)...)
	}
	c.Changes = append(c.Changes, relaxed...)
	if len(c.Changes) == 0 {
		for _, w := range wants {
			if _, ok := r.try(lacking(r.req, w)); ok {
				c.Changes = append(c.Changes, removal(w))
			}
		}
	}
	if len(c.Changes) == 0 {
		if change := r.changeSeveral(wants); change != nil {
			c.Changes = append(c.Changes, *change)
		}
	}
	return c, r.ctx.Err()
}

// story tells a contradiction and names the wants in it. Where there is one
// without the base set, too, it is that one: people can change what they wrote.
func (r *resolution) story(blame []fact) ([]Reason, []*want, error) {
	least, err := r.leastBlame(r.ctx, blame)
	if err != nil {
		return nil, nil, err
	}
	wants := r.blamed(least)
	if slices.ContainsFunc(wants, func(w *want) bool { return w.Base }) {
		if alone, least := r.blameWithoutBase(); least != nil {
			return alone.explain(least), alone.blamed(least), r.ctx.Err()
		}
	}
	return r.explain(least), wants, r.ctx.Err()
}

func (r *resolution) blameWithoutBase() (*resolution, []fact) {
	req := *r.req
	req.Wants = slices.DeleteFunc(slices.Clone(req.Wants), func(w Want) bool { return w.Base })
	alone, err := newResolution(r.ctx, &req, r.pool.archive)
	if err != nil {
		return nil, nil
	}
	_, blame, err := alone.solve()
	if err != nil || blame == nil {
		return nil, nil
	}
	least, err := alone.leastBlame(r.ctx, blame)
	if err != nil {
		return nil, nil
	}
	return alone, least
}

func removal(w *want) Change {
	return Change{Kind: ChangeRemove, Name: w.Name, Origin: w.Origin, Text: "do without " + w.Name}
}

// step is one of several changes that go together.
type step struct {
	want   *want
	change Change
}

// changeSeveral gives up one pin or want after the other, each time one that
// the remaining contradiction is about, until none is left, and takes back what
// turned out not to be needed.
func (r *resolution) changeSeveral(wants []*want) *Change {
	var steps []step
	for req := r.req; len(wants) > 0 && len(steps) < maxChanges; {
		variant, change := r.giveUp(req, wants[0])
		if variant == nil {
			return nil
		}
		steps = append(steps, step{wants[0], change})
		found, blame, err := variant.solve()
		switch {
		case err != nil:
			return nil
		case found != nil:
			return together(r.leastSteps(steps))
		}
		if blame, err = variant.leastBlame(r.ctx, blame); err != nil {
			return nil
		}
		req, wants = variant.req, variant.blamed(blame)
	}
	return nil
}

// leastSteps drops each step without which the others still work: a pin need not
// be given up where its package must go, too.
func (r *resolution) leastSteps(steps []step) []step {
	for i := 0; i < len(steps) && len(steps) > 1; {
		rest := slices.Delete(slices.Clone(steps), i, i+1)
		req := r.req
		for _, s := range rest {
			if s.change.Kind == ChangeRemove {
				req = lacking(req, s.want)
			} else {
				req = with(req, s.want, unpinned(s.want))
			}
		}
		if _, ok := r.try(req); ok {
			steps = rest
		} else {
			i++
		}
	}
	return steps
}

func together(steps []step) *Change {
	first := steps[0].change
	for _, s := range steps[1:] {
		first.And = append(first.And, s.change)
	}
	return &first
}

// giveUp is the request without w's pin, or without w where there is no pin or
// nothing is left of w without it.
func (r *resolution) giveUp(req *Request, w *want) (*resolution, Change) {
	if w.Accept != nil || w.ownView() {
		variant, err := newResolution(r.ctx, with(req, w, unpinned(w)), r.pool.archive)
		if err == nil && variant.checkNames() == nil {
			return variant, Change{Kind: ChangeRelax, Name: w.Name, Origin: w.Origin, Text: "no pin on " + w.Name}
		}
	}
	variant, err := newResolution(r.ctx, lacking(req, w), r.pool.archive)
	if err != nil || variant.checkNames() != nil {
		return nil, Change{}
	}
	return variant, removal(w)
}

// unpinned is w without a pin or a view of its own.
func unpinned(w *want) Want {
	free := *w.Want
	free.Accept, free.Exact, free.Pin, free.Repos = nil, "", "", nil
	return free
}

// blamed are the wants of a contradiction, those of the base set last.
func (r *resolution) blamed(least []fact) []*want {
	var out []*want
	for _, f := range least {
		if w := r.u.origin(f).want; w != nil && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	rank := func(w *want) int {
		at := slices.Index(r.wants, w)
		if w.Base {
			at += len(r.wants)
		}
		return at
	}
	slices.SortFunc(out, func(a, b *want) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// try solves a variant of the request. What the archive has said is known
// already; a failure to reach it only means that the variant does not work.
func (r *resolution) try(req *Request) (*Solution, bool) {
	variant, err := newResolution(r.ctx, req, r.pool.archive)
	if err != nil || variant.checkNames() != nil {
		return nil, false
	}
	found, _, err := variant.solve()
	if err != nil || found == nil {
		return nil, false
	}
	return variant.solution(found), true
}

// with is the request with another want in the place of w.
func with(req *Request, w *want, other Want) *Request {
	out := *req
	out.Wants = slices.Clone(req.Wants)
	for i := range req.Wants {
		if req.Wants[i].number == w.number {
			out.Wants[i] = other
		}
	}
	return &out
}

// lacking is the request without w.
func lacking(req *Request, w *want) *Request {
	out := *req
	out.Wants = nil
	for i := range req.Wants {
		if req.Wants[i].number != w.number {
			out.Wants = append(out.Wants, req.Wants[i])
		}
	}
	return &out
}

// changePins gives up one pin, or one view of its own, at a time.
func (r *resolution) changePins(wants []*want) (changes []Change) {
	for _, w := range wants {
		if w.Accept == nil && !w.ownView() {
			continue
		}
		relaxed, ok := r.try(with(r.req, w, unpinned(w)))
		if !ok {
			continue
		}
		text, got := "no pin on "+w.Name, versionOf(relaxed, w.dep.Name)
		if w.ownView() {
			text = "no snapshot or pin for " + w.Name + " alone"
		}
		if got != "" {
			text += ": that gives " + got
		}
		changes = append(changes, Change{Kind: ChangeRelax, Name: w.Name, Value: got, Origin: w.Origin, Text: text})
	}
	return changes
}

func versionOf(s *Solution, name string) string {
	for _, c := range s.Packages {
		if c.Name == name {
			return c.Version
		}
	}
	return ""
}

// changeVersion looks for another version of what w asks for, one that is not
// what giving up the pin leads to anyway.
func (r *resolution) changeVersion(w *want, relaxed []Change) []Change {
	if w.limited() || w.Base {
		return nil
	}
	v := r.nearestVersion(w)
	same := func(c Change) bool { return c.Name == w.Name && c.Value == v }
	if v == "" || slices.ContainsFunc(relaxed, same) {
		return nil
	}
	return []Change{{Kind: ChangeVersion, Name: w.Name, Value: v, Origin: w.Origin, Text: fmt.Sprintf("%s = %q", w.Name, v)}}
}

// nearestVersion tries the versions next to those that the want means.
func (r *resolution) nearestVersion(w *want) string {
	versions := nearest(r.allVersions(w.dep.Name), w)
	for _, v := range versions[:min(maxVersions, len(versions))] {
		exact := *w.Want
		exact.Exact, exact.Pin = v, "= "+v
		exact.Accept = func(other string) bool { return other == v }
		if _, ok := r.try(with(r.req, w, exact)); ok {
			return v
		}
	}
	return ""
}

// nearest orders versions, of which the newest comes first, by how far they are
// from those that w accepts; where there are none, from what its pin says.
func nearest(versions []string, w *want) []string {
	first, last, said := len(versions), -1, ""
	for i, v := range versions {
		if w.Accept == nil || w.Accept(v) {
			first, last = min(first, i), max(last, i)
		}
	}
	if w.Accept == nil {
		last = first
	}
	if last < 0 {
		said = strings.TrimSuffix(strings.TrimLeft(w.Pin, "<=> "), ".*")
		older := func(v string) bool { return alpm.Compare(v, said) < 0 }
		last = slices.IndexFunc(versions, older)
		first = last
	}
	at := make(map[string]int, len(versions))
	for i, v := range versions {
		at[v] = i
	}
	away := func(v string) int { return min(abs(at[v]-first), abs(at[v]-last)) }
	out := slices.Clone(versions)
	if w.Accept != nil {
		out = slices.DeleteFunc(out, w.Accept)
	}
	slices.SortStableFunc(out, func(a, b string) int {
		return cmp.Or(cmp.Compare(commonPrefix(b, said), commonPrefix(a, said)), cmp.Compare(away(a), away(b)))
	})
	return out
}

// commonPrefix counts the bytes that a and b begin with alike.
func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// allVersions are those in view and in the archive, newest first.
func (r *resolution) allVersions(name string) []string {
	var out []string
	for _, c := range r.pool.literals(name) {
		out = appendNew(out, c.Version)
	}
	for _, v := range r.pool.archive.versions(name) {
		out = appendNew(out, v)
	}
	slices.SortStableFunc(out, func(a, b string) int { return alpm.Compare(b, a) })
	return out
}

func abs(n int) int { return max(n, -n) }
