package resolve

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"devenv/layers/alpm"
)

// How many variants of a request are tried for each kind of change. A variant
// costs milliseconds, but may open packages of the archive or another day's
// databases.
const (
	maxVersions = 8
	maxDays     = 8
	maxChanges  = 8
)

// conflict explains a contradiction and looks for changes that lift it.
func (r *resolution) conflict(blame []fact) (*Conflict, error) {
	least, err := r.leastBlame(r.ctx, blame)
	if err != nil {
		return nil, err
	}
	c := &Conflict{Reasons: r.explain(least)}
	wants := r.blamed(least)
	for _, w := range wants {
		if w.Accept == nil {
			continue
		}
		if change := r.changeDay(w); change != nil {
			c.Changes = append(c.Changes, *change)
			break
		}
	}
	for _, w := range wants {
		c.Changes = append(c.Changes, r.changePin(w)...)
	}
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

func removal(w *want) Change {
	return Change{Kind: ChangeRemove, Name: w.Name, Origin: w.Origin, Text: "do without " + w.Name}
}

// changeSeveral gives up one pin or want after the other, each time one that
// the remaining contradiction is about, until none is left.
func (r *resolution) changeSeveral(wants []*want) *Change {
	var changes []Change
	for req := r.req; len(wants) > 0 && len(changes) < maxChanges; {
		variant, change := r.giveUp(req, wants[0])
		if variant == nil {
			return nil
		}
		changes = append(changes, change)
		found, blame, err := variant.solve()
		switch {
		case err != nil:
			return nil
		case found != nil:
			first := changes[0]
			first.And = changes[1:]
			return &first
		}
		if blame, err = variant.leastBlame(r.ctx, blame); err != nil {
			return nil
		}
		req, wants = variant.req, variant.blamed(blame)
	}
	return nil
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
		if &req.Wants[i] == w.Want {
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
		if &req.Wants[i] != w.Want {
			out.Wants = append(out.Wants, req.Wants[i])
		}
	}
	return &out
}

// changePin looks for the nearest other version of a pinned package, and
// whether it helps to give up the pin.
func (r *resolution) changePin(w *want) (changes []Change) {
	if w.Accept == nil && !w.ownView() {
		return nil
	}
	relaxed, ok := r.try(with(r.req, w, unpinned(w)))
	if !ok {
		return nil
	}
	got := versionOf(relaxed, w.dep.Name)
	change := func(kind ChangeKind, value, text string) {
		changes = append(changes, Change{Kind: kind, Name: w.Name, Value: value, Origin: w.Origin, Text: text})
	}
	if w.Accept != nil && !w.ownView() {
		if v := r.nearestVersion(w); v != "" && v != got {
			change(ChangeVersion, v, fmt.Sprintf("%s = %q", w.Name, v))
		}
	}
	text := "no pin on " + w.Name
	if w.ownView() {
		text = "no snapshot or pin for " + w.Name + " alone"
	}
	if got != "" {
		text += ": that gives " + got
	}
	change(ChangeRelax, got, text)
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

// nearestVersion tries the versions next to those that the pin accepts.
func (r *resolution) nearestVersion(w *want) string {
	versions := r.allVersions(w.dep.Name)
	var accepted []int
	for i, v := range versions {
		if w.Accept(v) {
			accepted = append(accepted, i)
		}
	}
	if len(accepted) == 0 {
		return ""
	}
	distance := func(i int) int {
		return min(abs(i-accepted[0]), abs(i-accepted[len(accepted)-1]))
	}
	var order []int
	for i := range versions {
		if !slices.Contains(accepted, i) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return distance(a) - distance(b) })
	for _, i := range order[:min(maxVersions, len(order))] {
		exact := *w.Want
		exact.Exact, exact.Pin = versions[i], versions[i]
		exact.Accept = func(v string) bool { return v == versions[i] }
		if _, ok := r.try(with(r.req, w, exact)); ok {
			return versions[i]
		}
	}
	return ""
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

// changeDay looks for the latest day on which the repositories had what w is
// pinned to, and the whole request can be met. Days that cannot be read are no
// help; that must not hide the conflict.
func (r *resolution) changeDay(w *want) *Change {
	if r.req.History == nil || w.limited() {
		return nil
	}
	days, err := r.req.History.Days(r.ctx)
	if err != nil {
		return nil
	}
	s := &daySearch{r: r, want: w, days: days, repos: make(map[int][]*Repo)}
	at := s.latest()
	if at < 0 {
		return nil
	}
	return &Change{Kind: ChangeSnapshot, Value: days[at], Name: w.Name,
		Text: fmt.Sprintf("snapshot = %q, a day on which %s was %s", days[at], w.Name, s.version(at))}
}

// daySearch looks for a day. Loading one is dear, so it looks at few.
type daySearch struct {
	r     *resolution
	want  *want
	days  []string
	repos map[int][]*Repo // loaded so far; nil for a day that cannot be read
}

// latest returns the number of the latest day that works, or -1.
func (s *daySearch) latest() int {
	newest := s.newestAccepted()
	if newest == "" {
		return -1
	}
	at := s.lastWith(newest)
	for step := 1; at >= 0 && step < 1<<maxDays; step *= 2 {
		if v := s.version(at); v == "" || !s.want.Accept(v) {
			return -1
		}
		req := *s.r.req
		req.Repos = s.repos[at]
		if _, ok := s.r.try(&req); ok {
			return at
		}
		at -= step
	}
	return -1
}

// newestAccepted is the newest version there ever was that the pin accepts.
func (s *daySearch) newestAccepted() string {
	for _, v := range s.r.allVersions(s.want.dep.Name) {
		if s.want.Accept(v) {
			return v
		}
	}
	return ""
}

// lastWith finds the last day on which the package was not yet newer than
// version: first near the day on which version was built, as far as that is
// known, then by halving.
func (s *daySearch) lastWith(version string) int {
	lo, hi := -1, len(s.days) // the answer is in [lo, hi)
	older := func(at int) bool {
		v := s.version(at)
		return v != "" && alpm.Compare(v, version) <= 0
	}
	if built := s.built(version); built >= 0 {
		for at, step := built, 2; at < len(s.days); at, step = at+step, step*2 {
			if !older(at) {
				hi = at
				break
			}
			lo = at
		}
	}
	for hi-lo > 1 {
		mid := int(uint(lo+hi) / 2)
		if older(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// built is the number of the day after version was built, or -1.
func (s *daySearch) built(version string) int {
	pkg := s.r.pool.archive.fetch(s.want.dep.Name, version)
	if pkg == nil || pkg.BuildDate == 0 {
		return -1
	}
	day := time.Unix(pkg.BuildDate, 0).UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	at, _ := slices.BinarySearch(s.days, day)
	return min(at, len(s.days)-1)
}

// version is the one that the package had on a day, or "".
func (s *daySearch) version(at int) string {
	repos, ok := s.repos[at]
	if !ok {
		repos, _ = s.r.req.History.At(s.r.ctx, s.days[at])
		s.repos[at] = repos
	}
	for _, r := range repos {
		if p := r.Index.Lookup(s.want.dep.Name); p != nil {
			return p.Version
		}
	}
	return ""
}
