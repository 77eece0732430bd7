package resolve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"devenv/layers/alpm"
)

// archiveOfDays is thirty days of core and extra, made of one real day: on each
// earlier day some packages, with all that are built with them, are older.
type archiveOfDays struct {
	days    []string            // oldest first
	encoded map[string][][]byte // by day: an index for each repository
	version map[string]string   // "NAME DAY" to the version
	loaded  int
}

const manyDays = 30

var madeDays struct {
	sync.Once
	archive *archiveOfDays
}

// daysArchive makes the archive once for all tests.
func daysArchive(t testing.TB) *archiveOfDays {
	t.Helper()
	dataSets[0].load(t)
	madeDays.Do(func() { madeDays.archive = newArchiveOfDays(t) })
	return madeDays.archive
}

func newArchiveOfDays(t testing.TB) *archiveOfDays {
	t.Helper()
	set := dataSets[0].load(t)[:2]
	a := &archiveOfDays{encoded: make(map[string][][]byte), version: make(map[string]string)}
	for n := range manyDays {
		day := fmt.Sprintf("2014-07-%02d", n+1)
		a.days = append(a.days, day)
		age := manyDays - 1 - n
		for _, r := range set {
			var pkgs []*alpm.Package
			for p := range r.Index.All() {
				q := aged(set, p, age)
				a.version[q.Name+" "+day] = q.Version
				pkgs = append(pkgs, q)
			}
			var b bytes.Buffer
			if _, err := alpm.NewIndex(pkgs).WriteTo(&b); err != nil {
				t.Fatal(err)
			}
			a.encoded[day] = append(a.encoded[day], b.Bytes())
		}
	}
	return a
}

// aged is p as it was some days before.
func aged(set []*Repo, p *alpm.Package, age int) *alpm.Package {
	q := *p
	q.Version = agedVersion(p, age)
	q.SHA256 = q.Version
	q.Depends = nil
	for _, d := range p.Depends {
		for _, r := range set {
			if on := r.Index.Lookup(d.Name); on != nil && d.Op == alpm.EQ && d.Satisfied(on.Version) {
				d.Version = agedVersion(on, age)
				break
			}
		}
		q.Depends = append(q.Depends, d)
	}
	return &q
}

// agedVersion counts, in a part of its own, how often the package's base was
// built anew up to that day: about every tenth day.
func agedVersion(p *alpm.Package, age int) string {
	base := p.Base
	if base == "" {
		base = p.Name
	}
	builds, ok := buildsOf[base]
	if !ok {
		r := rand.New(rand.NewPCG(uint64(crc32.ChecksumIEEE([]byte(base))), 0))
		for day := manyDays - 2; day >= 0; day-- {
			builds[day] = builds[day+1]
			if r.IntN(10) == 0 {
				builds[day]++
			}
		}
		buildsOf[base] = builds
	}
	at := strings.LastIndexByte(p.Version, '-')
	return fmt.Sprintf("%s.%d%s", p.Version[:at], builds[age], p.Version[at:])
}

var buildsOf = make(map[string][manyDays]int)

func (a *archiveOfDays) open(t testing.TB, day string) []*Repo {
	a.loaded++
	repos := open(t, []string{"core", "extra"}, a.encoded[day])
	for _, r := range repos {
		r.Day = day
	}
	return repos
}

// rolledBack pins gcc to the version it had twenty days ago.
func (a *archiveOfDays) rolledBack(others ...string) (list []Want, version string) {
	version = a.version["gcc "+a.days[9]]
	return append(wants(others...), pinned("gcc = "+version)), version
}

// TestThirtyDays has all days in view at once.
func TestThirtyDays(t *testing.T) {
	a := daysArchive(t)
	list, version := a.rolledBack("python", "git", "cmake", "vim", "gdb", "qt4", "make")
	var s *Solution
	var took time.Duration
	for range 3 { // the best of three, for the sake of busy machines
		start := time.Now()
		req := Request{Arch: "x86_64", Wants: list}
		for n := range a.days {
			req.Repos = append(req.Repos, a.open(t, a.days[manyDays-1-n])...)
		}
		var err error
		if s, err = solve(t, req); err != nil {
			t.Fatal(err)
		}
		if since := time.Since(start); took == 0 || since < took {
			took = since
		}
	}
	t.Logf("%d days: %d packages in %v", manyDays, len(s.Packages), took)
	if took > time.Second && !raceEnabled {
		t.Errorf("%v, more than a second", took)
	}
	for _, c := range s.Packages {
		if partner := c.Name == "gcc" || c.Name == "gcc-libs"; partner != (c.Moved != "") || partner && c.Version != version {
			t.Errorf("%s %s of %s, moved from %q; gcc is pinned to %s", c.Name, c.Version, c.Day, c.Moved, version)
		}
	}
}

// TestNearestDay has today in view alone. The pinned version is gone, and the
// day that had it last is to be found by looking at a few.
func TestNearestDay(t *testing.T) {
	a := daysArchive(t)
	list, version := a.rolledBack("git", "cmake")
	history := &History{
		Days: func(context.Context) ([]string, error) { return a.days, nil },
		At:   func(_ context.Context, day string) ([]*Repo, error) { return a.open(t, day), nil },
	}
	kept := &shelfArchive{asked: make(map[string]int)} // has gcc, but not its partner
	for p := range a.open(t, a.days[9])[0].Index.All() {
		if p.Name == "gcc" {
			kept.pkgs = append(kept.pkgs, p)
		}
	}
	a.loaded = 0
	_, err := solve(t, Request{Repos: a.open(t, a.days[manyDays-1]), Wants: list, History: history, Archive: kept})
	var conflict *Conflict
	if !errors.As(err, &conflict) {
		t.Fatal(err)
	}
	t.Log(err)
	nearest := conflict.Nearest()
	if nearest == nil || nearest.Kind != ChangeSnapshot || a.version["gcc "+nearest.Value] != version {
		t.Fatalf("the nearest change is %+v", nearest)
	}
	for _, day := range a.days {
		if day > nearest.Value && a.version["gcc "+day] == version {
			t.Errorf("%s is nearer than %s", day, nearest.Value)
		}
	}
	if a.loaded > 9 {
		t.Errorf("%d days were opened", a.loaded)
	}
}
