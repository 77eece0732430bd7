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
// version. It begins where that is likely and takes growing strides from there
// until it has the day between two, then halves.
func (s *daySearch) lastWith(version string) int {
	lo, hi := -1, len(s.days) // the answer is in [lo, hi)
	for at, stride := s.likely(version), 4; lo < at && at < hi; stride *= 2 {
		if s.notNewer(at, version) {
			lo, at = at, at+stride
		} else {
			hi, at = at, at-stride
		}
	}
	for hi-lo > 1 {
		mid := int(uint(lo+hi) / 2)
		if s.notNewer(mid, version) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

func (s *daySearch) notNewer(at int, version string) bool {
	v := s.version(at)
	return v != "" && alpm.Compare(v, version) <= 0
}

// likely is the number of the day on which the version after that was built, as
// it came into the repositories soon after; or else of the day on which this
// one was built, or of any.
func (s *daySearch) likely(version string) int {
	versions := s.r.allVersions(s.want.dep.Name)
	at := slices.Index(versions, version)
	for _, v := range versions[max(at-1, 0) : at+1] {
		if built := s.r.buildDate(s.want.dep.Name, v); built > 0 {
			n, _ := slices.BinarySearch(s.days, time.Unix(built, 0).UTC().Format(time.DateOnly))
			return min(n, len(s.days)-1)
		}
	}
	return len(s.days) / 2
}

// buildDate is when a version was built, or 0.
func (r *resolution) buildDate(name, version string) int64 {
	for _, c := range r.pool.literals(name) {
		if c.Version == version {
			return c.BuildDate
		}
	}
	if pkg := r.pool.archive.fetch(name, version); pkg != nil {
		return pkg.BuildDate
	}
	return 0
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
