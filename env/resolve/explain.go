package resolve

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// leastBlame makes a contradiction as small as it gets, trying several orders:
// the first to go are the base set's wants, then either other wants or what
// follows from them.
func (r *resolution) leastBlame(ctx context.Context, facts []fact) ([]fact, error) {
	rank := func(f fact) int {
		switch o := r.u.origin(f); {
		case f.isExclusion():
			return 1
		case f.owner != 0:
			return 0
		case !o.want.Base:
			return 2
		}
		return 3
	}
	byRank := slices.Clone(facts)
	slices.SortStableFunc(byRank, func(a, b fact) int { return rank(a) - rank(b) })
	var best []fact
	for _, order := range [][]fact{byRank, facts} {
		least, err := shrink(ctx, order)
		if err != nil {
			return nil, err
		}
		if best == nil || len(least) < len(best) {
			best = least
		}
	}
	return best, nil
}

// explanation turns a least contradiction into sentences, from what was asked
// for down to what clashes.
type explanation struct {
	u       *universe
	facts   []fact
	told    []bool
	known   map[*candidate]bool // what the story has come to
	reasons []Reason
}

func (r *resolution) explain(blame []fact) []Reason {
	e := &explanation{u: r.u, facts: blame, told: make([]bool, len(blame)), known: make(map[*candidate]bool)}
	for _, w := range r.wants {
		for i, f := range blame {
			if o := r.u.origin(f); f.owner == 0 && !e.told[i] && o.want == w {
				e.tellWant(i)
			}
		}
	}
	for i := range blame { // none is left in a least contradiction, but nothing may be held back
		e.tell(i)
	}
	return e.reasons
}

// tellWant tells a want and, depth first, what follows from it.
func (e *explanation) tellWant(i int) {
	o := e.u.origin(e.facts[i])
	e.told[i] = true
	options := e.options(e.facts[i])
	reason := Reason{Origin: o.want.Origin, Package: o.want.Name, subject: subject(o.want)}
	said := " " + e.wantText(o, options)
	if o.kind == fromWith {
		reason.Needs = o.dep.String()
		said = fmt.Sprintf(": %s is to come with %s%s", o.want.Name, o.dep, e.meaning(o.dep.Name, options))
	}
	reason.Text = reason.subject + said
	e.reasons = append(e.reasons, reason)
	e.follow(options)
}

func (e *explanation) options(f fact) []*candidate { return e.u.chosenFrom(f.options) }

// follow goes on with what the candidates need, and then with what they are in
// conflict with.
func (e *explanation) follow(list []*candidate) {
	for _, c := range list {
		e.known[c] = true
	}
	for _, c := range list {
		for i, f := range e.facts {
			if !f.isExclusion() && e.u.origin(f).owner == c {
				e.tell(i)
			}
		}
	}
	for i, f := range e.facts {
		if o := e.u.origin(f); f.isExclusion() && e.known[o.owner] && e.known[o.rival] {
			e.tell(i)
		}
	}
}

// tell tells one fact, together with those that say the same of other versions
// of the package.
func (e *explanation) tell(i int) {
	if e.told[i] {
		return
	}
	e.told[i] = true
	alike := e.alike(i)
	switch o := e.u.origin(e.facts[i]); o.kind {
	case fromDepends:
		e.tellNeeds(alike)
	case fromConflict:
		owners, rivals := e.sides(alike)
		e.reasons = append(e.reasons, Reason{
			Text:    fmt.Sprintf("%s is in conflict with %s%s", listed(owners), listed(rivals), byWay(o)),
			Package: o.owner.Name, Version: o.owner.Version, Needs: o.dep.String(),
		})
	case fromName:
		versions := listed(appendAllNew(e.sides(alike)))
		e.reasons = append(e.reasons, Reason{
			Text:    fmt.Sprintf("only one version of %s can be there: %s", o.owner.Name, strings.TrimPrefix(versions, o.owner.Name+" ")),
			Package: o.owner.Name,
		})
	}
}

// sides are the candidates that exclude those of the other side, each once.
func (e *explanation) sides(exclusions []fact) (owners, rivals []*candidate) {
	for _, f := range exclusions {
		owners = appendNew(owners, e.u.candidates[f.owner])
		rivals = appendNew(rivals, e.u.candidates[f.rival])
	}
	return owners, rivals
}

// byWay tells by what name a package is in conflict with another, where it is
// not its own.
func byWay(o *origin) string {
	if o.dep.String() == o.rival.Name {
		return ""
	}
	if o.dep.Name == o.rival.Name {
		return fmt.Sprintf(" (by %s)", o.dep)
	}
	return fmt.Sprintf(", which provides %s", o.dep.Name)
}

// alike are the facts like the i-th, about other versions of its package; it
// marks them as told.
func (e *explanation) alike(i int) []fact {
	o := e.u.origin(e.facts[i])
	out := []fact{e.facts[i]}
	for j, f := range e.facts {
		p := e.u.origin(f)
		if e.told[j] || p.kind != o.kind || p.owner == nil || p.owner.Name != o.owner.Name {
			continue
		}
		if o.kind == fromDepends && p.dep.Name == o.dep.Name || o.kind == fromName ||
			o.kind == fromConflict && p.rival.Name == o.rival.Name {
			e.told[j] = true
			out = append(out, f)
		}
	}
	return out
}

// tellNeeds tells a dependency that one or several versions of a package have.
func (e *explanation) tellNeeds(alike []fact) {
	var next []*candidate
	var said []string
	for _, f := range alike {
		o := e.u.origin(f)
		if len(said) < maxListed {
			said = append(said, fmt.Sprintf("%s needs %s", label(o.owner), o.dep))
		}
		next = appendAllNew(next, e.options(f))
	}
	first := e.u.origin(alike[0])
	text := strings.Join(said, ", ")
	if more := len(alike) - len(said); more > 0 {
		text += fmt.Sprintf(", and so do %d other versions", more)
	}
	e.reasons = append(e.reasons, Reason{
		Text:    text + e.meaning(first.dep.Name, next),
		Package: first.owner.Name, Version: first.owner.Version, Needs: first.dep.String(),
	})
	e.follow(next)
}

// maxListed is how many versions or packages a sentence names.
const maxListed = 3

// meaning says what a dependency comes down to, where that is not plain.
func (e *explanation) meaning(name string, options []*candidate) string {
	switch {
	case len(options) == 0:
		return ", which " + e.nothing(name)
	case slices.ContainsFunc(options, func(c *candidate) bool { return c.Name != name }):
		return ", which is " + listed(options)
	}
	return ""
}

// nothing says that no candidate does, and what there is by that name.
func (e *explanation) nothing(name string) string {
	have := e.u.pool.literals(name)
	if len(have) == 0 {
		have = e.u.pool.providers(name)
	}
	if len(have) == 0 {
		return "nothing provides"
	}
	return "nothing provides: there is " + listed(have)
}

func label(c *candidate) string { return c.Name + " " + c.Version }

// listed names a few candidates; a name that repeats is said once.
func listed(list []*candidate) string {
	var names []string
	for i, c := range list[:min(maxListed, len(list))] {
		if i > 0 && list[i-1].Name == c.Name {
			names = append(names, c.Version)
		} else {
			names = append(names, label(c))
		}
	}
	if more := len(list) - maxListed; more > 0 {
		return fmt.Sprintf("%s or %d others", strings.Join(names, ", "), more)
	}
	return strings.Join(names, " or ")
}

// subject is a want as it was written.
func subject(w *want) string {
	if w.Pin == "" {
		return w.Name
	}
	return w.Name + " " + w.Pin
}

// wantText says what a want comes down to.
func (e *explanation) wantText(o *origin, options []*candidate) string {
	w := o.want
	switch {
	case o.demand.member != "":
		return fmt.Sprintf("is a group, to which %s belongs", listed(options))
	case len(options) > 0:
		return "asks for " + listed(options) + where(options)
	}
	text := "asks for a version that there is not"
	if have := w.matches(e.u.pool); len(have) > 0 {
		text += ": there is " + listed(have)
		if len(w.Repos) > 0 {
			text += fmt.Sprintf(" in the view of its own (%s)", strings.Join(repoNames(w.repos(e.u.pool)), ", "))
		}
	}
	if archived := e.u.pool.archive.versions(w.dep.Name); len(archived) > 0 && !w.limited() {
		text += fmt.Sprintf(", and in the archive %s to %s", archived[len(archived)-1], archived[0])
	}
	return text
}

func where(options []*candidate) string {
	for _, c := range options {
		if c.repo != nil {
			return ""
		}
	}
	return " of the archive"
}
