package resolve

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"devenv/layers/alpm"
)

// world is a small random universe: a few names in a few versions over two
// repositories and an archive, with everything that packages can say.
type world struct {
	repos   []*Repo
	archive *shelfArchive
	wants   []Want
	text    string
}

func randomWorld(t testing.TB, r *rand.Rand) *world {
	names := []string{"a", "b", "c", "d", "e", "f"}[:3+r.IntN(4)]
	virtual := []string{"v", "w", "libx.so"}
	dep := func() string {
		all := append(slices.Clone(names), virtual...)
		d := all[r.IntN(len(all))]
		switch r.IntN(5) {
		case 0:
			d += fmt.Sprintf("=%d", 1+r.IntN(3))
		case 1:
			d += fmt.Sprintf(">=%d", 1+r.IntN(3))
		case 2:
			d += fmt.Sprintf("<%d", 1+r.IntN(3))
		}
		return d
	}
	var texts [3]strings.Builder
	for _, name := range names {
		for v := 1; v <= 3; v++ {
			if r.IntN(3) == 0 {
				continue
			}
			b := &texts[r.IntN(3)]
			fmt.Fprintf(b, "%s %d-1", name, v)
			field := func(key string, odds int) {
				var list []string
				for range r.IntN(odds) {
					list = append(list, dep())
				}
				if len(list) > 0 {
					fmt.Fprintf(b, " %s=%s", key, strings.Join(list, ","))
				}
			}
			field("depends", 4)
			if r.IntN(3) == 0 {
				field("conflicts", 3)
			}
			if r.IntN(3) == 0 {
				fmt.Fprintf(b, " provides=%s=%d", virtual[r.IntN(3)], 1+r.IntN(3))
			} else if r.IntN(4) == 0 {
				fmt.Fprintf(b, " provides=%s", virtual[r.IntN(3)])
			}
			if r.IntN(4) == 0 {
				b.WriteString(" groups=g")
			}
			b.WriteString("\n")
		}
	}
	w := &world{
		repos:   []*Repo{repo(t, "core", texts[0].String()), repo(t, "extra", texts[1].String())},
		archive: archiveOf(t, texts[2].String()),
		text:    "core:\n" + texts[0].String() + "extra:\n" + texts[1].String() + "archive:\n" + texts[2].String(),
	}
	for range 1 + r.IntN(3) {
		all := append(slices.Clone(names), "v", "g")
		text := all[r.IntN(len(all))]
		if r.IntN(2) == 0 && text != "g" {
			text += fmt.Sprintf(" %s %d", []string{"=", ">=", "<="}[r.IntN(3)], 1+r.IntN(3))
		}
		w.wants = append(w.wants, pinned(text))
		w.text += "want " + text + "\n"
	}
	return w
}

// possible tries every set of packages, with at most one version of each name.
func (w *world) possible(pkgs []*alpm.Package) bool {
	byName := make(map[string][]*alpm.Package)
	var names []string
	for _, p := range pkgs {
		if byName[p.Name] == nil {
			names = append(names, p.Name)
		}
		byName[p.Name] = append(byName[p.Name], p)
	}
	var try func(i int, set []*alpm.Package) bool
	try = func(i int, set []*alpm.Package) bool {
		if i == len(names) {
			return len(w.faults(set)) == 0
		}
		for _, p := range byName[names[i]] {
			if try(i+1, append(set, p)) {
				return true
			}
		}
		return try(i+1, set)
	}
	return try(0, nil)
}

func (w *world) inView() (pkgs []*alpm.Package) {
	for _, r := range w.repos {
		pkgs = slices.AppendSeq(pkgs, r.Index.All())
	}
	return pkgs
}

// faults says what is wrong with a set of packages.
func (w *world) faults(set []*alpm.Package) (out []string) {
	has := func(d alpm.Dep) bool {
		return slices.ContainsFunc(set, func(p *alpm.Package) bool { return p.Satisfies(d) })
	}
	for _, p := range set {
		for _, d := range p.Depends {
			if !has(d) {
				out = append(out, p.Name+" lacks "+d.String())
			}
		}
		for _, d := range p.Conflicts {
			for _, o := range set {
				if o.Name != p.Name && o.Satisfies(d) {
					out = append(out, p.Name+" is in conflict with "+o.Name)
				}
			}
		}
	}
	for _, want := range w.wants {
		if !w.met(want, set) {
			out = append(out, want.Name+" is not met")
		}
	}
	return out
}

func (w *world) met(want Want, set []*alpm.Package) bool {
	named := func(p *alpm.Package) bool { return p.Satisfies(alpm.Dep{Name: want.Name}) }
	if want.Name == "g" && !slices.ContainsFunc(w.inView(), named) {
		members := 0
		for _, p := range w.inView() {
			if slices.Contains(p.Groups, "g") {
				members++
				if !slices.ContainsFunc(set, func(o *alpm.Package) bool { return o.Name == p.Name }) {
					return false
				}
			}
		}
		return members > 0
	}
	return slices.ContainsFunc(set, func(p *alpm.Package) bool {
		if want.Accept == nil {
			return named(p)
		}
		if p.Name == want.Name {
			return want.Accept(p.Version)
		}
		return slices.ContainsFunc(p.Provides, func(d alpm.Dep) bool {
			return d.Name == want.Name && d.Op == alpm.EQ && want.Accept(d.Version)
		})
	})
}

// checkWorld compares Solve with trying everything. Without an archive both
// must say the same. With one, an answer must be sound, and there must be one
// where the repositories alone have one.
func checkWorld(t testing.TB, w *world) (answered, archived bool) {
	t.Helper()
	req := Request{Arch: "x86_64", Wants: w.wants, Repos: w.repos}
	possible := w.possible(w.inView())
	s, err := solve(t, req)
	if (err == nil) != possible {
		t.Fatalf("solved: %v, possible: %v\n%s", err, possible, w.text)
	}
	w.check(t, req, s, err)
	again, errAgain := solve(t, req)
	if got(s, err) != got(again, errAgain) {
		t.Fatalf("%s, and then %s\n%s", got(s, err), got(again, errAgain), w.text)
	}
	if err == nil {
		kept := req
		kept.Locked = make(map[string]string)
		for _, c := range s.Packages {
			kept.Locked[c.Name] = c.Version
		}
		if again, err := solve(t, kept); got(again, err) != got(s, nil) {
			t.Fatalf("locked to %s, it becomes %s\n%s", got(s, nil), got(again, err), w.text)
		}
	}
	req.Archive = w.archive
	more, err := solve(t, req)
	if err != nil && possible {
		t.Fatalf("an archive takes the answer away: %v\n%s", err, w.text)
	}
	if err == nil && possible && got(more, nil) != got(s, nil) {
		t.Fatalf("an archive changes the answer from %s to %s\n%s", got(s, nil), got(more, nil), w.text)
	}
	w.check(t, req, more, err)
	return possible, err == nil && !possible
}

// check looks at one answer or refusal.
func (w *world) check(t testing.TB, req Request, s *Solution, err error) {
	t.Helper()
	var conflict *Conflict
	switch {
	case err == nil:
		var set []*alpm.Package
		for _, c := range s.Packages {
			set = append(set, c.Package)
			if len(c.By)+len(c.Wants) == 0 {
				t.Fatalf("%s is there for nothing\n%s", c.Name, w.text)
			}
		}
		faults := slices.DeleteFunc(w.faults(set), func(f string) bool {
			return slices.ContainsFunc(s.Deferred, func(d Deferred) bool { return f == d.Package+" lacks "+d.Dep.String() })
		})
		if len(faults) > 0 {
			t.Fatalf("%s: %v\n%s", got(s, nil), faults, w.text)
		}
	case errors.As(err, &conflict):
		if len(conflict.Reasons) == 0 {
			t.Fatalf("a conflict without a reason\n%s", w.text)
		}
		if len(conflict.Changes) == 0 && len(req.Wants) > 1 {
			t.Fatalf("nothing helps against %v\n%s", err, w.text)
		}
		for _, change := range conflict.Changes {
			if _, err := solve(t, changed(req, change)); err != nil {
				t.Fatalf("%s does not work: %v\n%s", change, err, w.text)
			}
		}
	}
}

// changed does to a request what a Change says.
func changed(req Request, change Change) Request {
	var wants []Want
	for _, w := range req.Wants {
		if w.Name == change.Name && w.Origin == change.Origin {
			switch change.Kind {
			case ChangeRemove:
				continue
			case ChangeRelax:
				w.Accept, w.Pin, w.Exact, w.Repos = nil, "", "", nil
			case ChangeVersion:
				w.Accept = func(v string) bool { return v == change.Value }
			}
		}
		wants = append(wants, w)
	}
	req.Wants = wants
	for _, more := range change.And {
		req = changed(req, more)
	}
	return req
}

func TestSolveAgreesWithTryingEverything(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	rounds, answered, archived := 6000, 0, 0
	if testing.Short() {
		rounds = 500
	}
	for range rounds {
		a, b := checkWorld(t, randomWorld(t, r))
		if a {
			answered++
		}
		if b {
			archived++
		}
	}
	t.Logf("%d worlds, %d of them with an answer, %d with one from the archive alone", rounds, answered, archived)
}

func FuzzSolve(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) { checkWorld(t, randomWorld(t, rand.New(rand.NewPCG(a, b)))) })
}
