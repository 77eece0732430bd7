package mirror

import (
	"context"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"devenv/cache/fetch"
)

// How long the archive's lists of days are used unasked: a list that is still
// growing, and one that only ever loses days as a whole.
const (
	growingAge = time.Hour
	grownAge   = 30 * 24 * time.Hour
)

// Days lists every day the archive has repositories of, oldest first. The
// first time it takes a page for each month; months that are over are then
// known for long.
func (a *Archive) Days(ctx context.Context) ([]string, error) {
	months, err := a.months(ctx)
	if err != nil {
		return nil, err
	}
	perMonth := make([][]string, len(months))
	err = inParallel(ctx, len(months), func(ctx context.Context, i int) (err error) {
		perMonth[i], err = a.daysOf(ctx, months[i])
		return err
	})
	return slices.Concat(perMonth...), err
}

// months are the months that the archive has days of, as "2026-11", oldest first.
func (a *Archive) months(ctx context.Context) ([]string, error) {
	if a.m.cfg.Archive == "" {
		return nil, nil
	}
	years, err := a.numbers(ctx, 4, "repos")
	if err != nil {
		return nil, err
	}
	perYear := make([][]string, len(years))
	err = inParallel(ctx, len(years), func(ctx context.Context, i int) error {
		months, err := a.numbers(ctx, 2, "repos", years[i])
		for _, month := range months {
			perYear[i] = append(perYear[i], years[i]+"-"+month)
		}
		return err
	})
	return slices.Concat(perYear...), err
}

func (a *Archive) daysOf(ctx context.Context, month string) ([]string, error) {
	year, mon, _ := strings.Cut(month, "-")
	numbers, err := a.numbers(ctx, 2, "repos", year, mon)
	days := make([]string, 0, len(numbers))
	for _, n := range numbers {
		day := month + "-" + n
		if _, err := time.Parse(time.DateOnly, day); err == nil {
			days = append(days, day)
		}
	}
	return days, err
}

// numbers lists the subdirectories of a directory of the archive whose names
// are numbers of so many digits, sorted. A directory that is not there has none.
func (a *Archive) numbers(ctx context.Context, digits int, elem ...string) ([]string, error) {
	age := grownAge
	if now := time.Now().UTC().Format("repos/2006/01"); strings.HasPrefix(now, strings.Join(elem, "/")) {
		age = growingAge
	}
	entries, err := a.m.list(ctx, fetch.Join(a.m.cfg.Archive, elem...), path.Join(elem...)+"/days", age)
	if err != nil && !isMissing(err) {
		return nil, err
	}
	var numbers []string
	for _, e := range entries {
		if e.dir && len(e.name) == digits && strings.Trim(e.name, "0123456789") == "" {
			numbers = append(numbers, e.name)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}

// Near gives the nearest days that the archive has before and after a day,
// empty where there is none, and whether it has the day itself.
func (a *Archive) Near(ctx context.Context, day string) (before, after string, has bool, err error) {
	months, err := a.months(ctx)
	if err != nil {
		return "", "", false, err
	}
	month := day[:min(len(day), len("2006-01"))]
	at := sort.SearchStrings(months, month)
	for i := at; i < len(months) && after == ""; i++ {
		days, err := a.daysOf(ctx, months[i])
		if err != nil {
			return "", "", false, err
		}
		for _, d := range days {
			switch {
			case d == day:
				has = true
			case d < day:
				before = d
			case after == "":
				after = d
			}
		}
	}
	for i := at - 1; i >= 0 && before == ""; i-- {
		days, err := a.daysOf(ctx, months[i])
		if err != nil {
			return "", "", false, err
		}
		if len(days) > 0 {
			before = days[len(days)-1]
		}
	}
	return before, after, has, nil
}

// explainMissing finds out why a day has no such database.
func (m *Mirror) explainMissing(ctx context.Context, db database) error {
	archive := fetch.Show(m.cfg.Archive)
	elem := []string{"repos", strings.ReplaceAll(db.day, "-", "/")}
	repos, err := m.list(ctx, fetch.Join(m.cfg.Archive, elem...), path.Join(elem...)+"/repos", grownAge)
	if err == nil {
		missing := &NoRepoError{Repo: db.repo, Arch: m.cfg.Arch, Day: db.day}
		for _, e := range repos {
			if e.dir {
				missing.Has = append(missing.Has, e.name)
			}
		}
		return missing
	}
	before, after, _, err := m.archive.Near(ctx, db.day)
	return &NoDayError{Day: db.day, Archive: archive, Before: before, After: after, Known: err == nil}
}

// inParallel calls f for 0 to n-1 and gives the first error, by number. The
// client bounds how many transfers run at once.
func inParallel(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if errs[i] = f(ctx, i); errs[i] != nil {
				cancel() // the others could not help
			}
		})
	}
	wg.Wait()
	return firstOf(errs)
}
