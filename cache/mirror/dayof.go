package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"time"

	"devenv/layers/alpm"
)

// communityUntil is the first day on which Arch had no community repository: its
// packages had moved to extra.
const communityUntil = "2023-05-21"

// NeverCurrentError says that a version was on none of the days the archive
// keeps: it came and went within one day, or only ever in a testing repository, or
// its days are gone. errors.Is finds fs.ErrNotExist in it.
type NeverCurrentError struct{ Name, Version string }

func (e *NeverCurrentError) Error() string {
	return fmt.Sprintf("%s %s was current on none of the days that the archive keeps", e.Name, e.Version)
}

func (e *NeverCurrentError) Is(target error) bool { return target == fs.ErrNotExist }

// DayOf finds the first day that the archive keeps on which that version of a
// package was the current one. Versions only rise with the days, so that it needs the
// databases of few: it begins on the day the version was built.
func (a *Archive) DayOf(ctx context.Context, name, version string) (day string, err error) {
	days, err := a.Days(ctx)
	if err != nil {
		return "", err
	}
	if len(days) == 0 {
		return "", &NeverCurrentError{name, version}
	}
	s := &daySearch{a: a, days: days, name: name, version: version, seen: make(map[int]int), present: len(days)}
	if s.built, err = a.builtBefore(ctx, days, name, version); err != nil {
		return "", err
	}
	first, err := s.first(ctx)
	if err != nil {
		return "", err
	}
	return days[first], nil
}

// builtBefore is the number of the first day that may have a version: the one on
// which it was built. Where its head is gone, that is the first of all.
func (a *Archive) builtBefore(ctx context.Context, days []string, name, version string) (int, error) {
	pkg, err := a.Package(ctx, name, version)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return sort.SearchStrings(days, time.Unix(pkg.BuildDate, 0).UTC().Format(time.DateOnly)), nil
}

// daySearch looks for the days of one version among all.
type daySearch struct {
	a             *Archive
	days          []string
	name, version string
	built         int
	repo          string      // where it was seen last
	seen          map[int]int // by day's number: how its version compares with the one looked for
	present       int         // the first day it was found on, so far; len(days): none
}

// first gallops forward from the day of building until a version is as new as
// the one looked for, then bisects the last stride.
func (s *daySearch) first(ctx context.Context) (int, error) {
	older, stride := s.built-1, 1
	reached := -1
	for at := s.built; ; at = min(at+stride, len(s.days)-1) {
		if at >= len(s.days) {
			return 0, &NeverCurrentError{s.name, s.version}
		}
		c, err := s.compare(ctx, at)
		if err != nil {
			return 0, err
		}
		if c >= 0 {
			reached = at
			break
		}
		if at == len(s.days)-1 {
			return 0, &NeverCurrentError{s.name, s.version}
		}
		older, stride = at, 2*stride
	}
	var failed error
	n := sort.Search(reached-older-1, func(i int) bool {
		c, err := s.compare(ctx, older+1+i)
		failed = errors.Join(failed, err)
		return c >= 0
	})
	if failed != nil {
		return 0, failed
	}
	first := older + 1 + n
	if c, err := s.compare(ctx, first); err != nil || c != 0 {
		return 0, errors.Join(err, &NeverCurrentError{s.name, s.version})
	}
	return first, nil
}

// compare is how the version of a day compares with the one looked for. A day
// without the package counts as older, since it was not there yet; or as newer,
// if it had been there before: then it was dropped.
func (s *daySearch) compare(ctx context.Context, i int) (int, error) {
	if c, ok := s.seen[i]; ok {
		return c, nil
	}
	pkg, err := s.lookup(ctx, s.days[i])
	if err != nil {
		return 0, err
	}
	c := -1
	switch {
	case pkg != nil:
		c = alpm.Compare(pkg.Version, s.version)
		s.present = min(s.present, i)
	case i > s.present:
		c = 1
	}
	s.seen[i] = c
	return c, nil
}

// lookup finds the package in the day's repositories, first where it was last.
func (s *daySearch) lookup(ctx context.Context, day string) (*alpm.Package, error) {
	repos := slices.Clone(s.a.m.cfg.Repos)
	if day < communityUntil && !slices.Contains(repos, "community") {
		repos = append(repos, "community")
	}
	slices.SortStableFunc(repos, func(a, b string) int { return isNot(a, s.repo) - isNot(b, s.repo) })
	for _, repo := range repos {
		if s.a.m.extra(repo) != nil {
			continue // the same on every day
		}
		index, _, err := s.a.m.Sync(ctx, repo, day, Options{})
		if errors.As(err, new(*NoRepoError)) || errors.As(err, new(*NoDayError)) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if pkg := index.Lookup(s.name); pkg != nil {
			s.repo = repo
			return pkg, nil
		}
	}
	return nil, nil
}

func isNot(a, b string) int {
	if a == b {
		return 0
	}
	return 1
}
