package resolve

import (
	"fmt"
	"slices"
	"time"

	"devenv/layers/alpm"
)

// maxDays is how many days are tried that have the pinned version: each time
// twice as far back.
const maxDays = 8

// changeDay looks for the latest day on which the repositories had what one of
// the wants is pinned to, and the whole request can be met. Days that cannot be
// read are no help; that must not hide the conflict.
func (r *resolution) changeDay(wants []*want) []Change {
	if r.req.History == nil {
		return nil
	}
	days, err := r.req.History.Days(r.ctx)
	if err != nil {
		return nil
	}
	for _, w := range wants {
		if w.Accept == nil || w.limited() {
			continue
		}
		s := &daySearch{r: r, want: w, days: days, repos: make(map[int][]*Repo)}
		if at := s.latest(); at >= 0 {
			text := fmt.Sprintf("snapshot = %q, a day on which %s was %s", days[at], w.Name, s.version(at))
			return []Change{{Kind: ChangeSnapshot, Value: days[at], Name: w.Name, Text: text}}
		}
	}
	return nil
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
