package resolve

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/crillab/gophersat/solver"
)

// randomProblem makes facts such as packages make: requirements of a few
// options, exclusions, and rivals.
func randomProblem(r *rand.Rand, candidates int, density float64) *problem {
	p := &problem{}
	p.grow(candidates)
	pick := func() int32 { return int32(1 + r.IntN(candidates)) }
	options := func(owner int32) (out []int32) {
		for range r.IntN(4) {
			if n := pick(); n != owner && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
		return out
	}
	for range 1 + r.IntN(4) {
		if o := options(0); len(o) > 0 {
			p.add(fact{options: o})
		}
	}
	for range int(density * float64(candidates)) {
		owner := pick()
		if o := options(owner); len(o) > 0 || r.IntN(4) == 0 {
			p.add(fact{owner: owner, options: o})
		}
		if a, b := pick(), pick(); r.IntN(2) == 0 && a != b {
			p.add(fact{owner: a, rival: b})
		}
	}
	for first := int32(1); first < int32(candidates)-4; first += int32(3 + r.IntN(6)) {
		group := []int32{first}
		for n := first + 1; n < first+3; n++ {
			group = append(group, n)
		}
		p.rivals = append(p.rivals, group)
	}
	return p
}

// satisfiable asks gophersat.
func satisfiable(t testing.TB, p *problem, facts []fact, rivals [][2]int32) bool {
	t.Helper()
	var clauses [][]int32
	for _, f := range facts {
		switch {
		case f.isExclusion():
			clauses = append(clauses, []int32{-f.owner, -f.rival})
		case f.owner != 0:
			clauses = append(clauses, append([]int32{-f.owner}, f.options...))
		default:
			clauses = append(clauses, f.options)
		}
	}
	for _, r := range rivals {
		clauses = append(clauses, []int32{-r[0], -r[1]})
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "p cnf %d %d\n", p.candidates, len(clauses))
	for _, c := range clauses {
		if len(c) == 0 {
			return false // gophersat reads no empty clause
		}
		for _, l := range c {
			fmt.Fprintf(&b, "%d ", l)
		}
		b.WriteString("0\n")
	}
	problem, err := solver.ParseCNF(&b)
	if err != nil {
		t.Fatal(err)
	}
	return solver.New(problem).Solve() == solver.Sat
}

func pairs(p *problem) (out [][2]int32) {
	for _, g := range p.rivals {
		for i, a := range g {
			for _, b := range g[i+1:] {
				out = append(out, [2]int32{a, b})
			}
		}
	}
	return out
}

// checkSearch compares the search with gophersat, and checks its answer, its
// core, and that a shrunk core is impossible and not one fact too large.
func checkSearch(t testing.TB, p *problem) (possible bool) {
	t.Helper()
	answer, core, err := newSearch(p).run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if want := satisfiable(t, p, p.facts, pairs(p)); want != (core == nil) {
		t.Fatalf("the search says %v, gophersat %v\n%+v", core == nil, want, p)
	}
	if core == nil {
		checkAnswer(t, p, answer)
		return true
	}
	var facts []fact
	for _, id := range core.facts {
		facts = append(facts, p.facts[id])
	}
	if satisfiable(t, p, facts, core.rivals) {
		t.Fatalf("the core is not impossible: %v", core)
	}
	for _, r := range core.rivals {
		facts = append(facts, fact{owner: r[0], rival: r[1]})
	}
	least, err := shrink(context.Background(), facts)
	if err != nil {
		t.Fatal(err)
	}
	if satisfiable(t, p, least, nil) {
		t.Fatalf("the shrunk core is not impossible: %v", least)
	}
	for i := range least {
		if !satisfiable(t, p, slices.Delete(slices.Clone(least), i, i+1), nil) {
			t.Fatalf("fact %d of %v is not needed", i, least)
		}
	}
	return false
}

func checkAnswer(t testing.TB, p *problem, answer []int32) {
	t.Helper()
	on := make(map[int32]bool)
	for _, n := range answer {
		on[n] = true
	}
	isOn := func(n int32) bool { return on[n] }
	for _, f := range p.facts {
		switch {
		case f.isExclusion() && on[f.owner] && on[f.rival]:
			t.Fatalf("%d and %d exclude each other", f.owner, f.rival)
		case !f.isExclusion() && (f.owner == 0 || on[f.owner]) && !slices.ContainsFunc(f.options, isOn):
			t.Fatalf("%+v is not met by %v", f, answer)
		}
	}
	for _, pair := range pairs(p) {
		if on[pair[0]] && on[pair[1]] {
			t.Fatalf("%v are rivals", pair)
		}
	}
}

func TestSearchAgreesWithGophersat(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rounds, possible := 3000, 0
	if testing.Short() {
		rounds = 300
	}
	for range rounds {
		if checkSearch(t, randomProblem(r, 5+r.IntN(40), 0.5+2*r.Float64())) {
			possible++
		}
	}
	t.Logf("%d problems, %d of them possible", rounds, possible)
}

func FuzzSearch(f *testing.F) {
	f.Add(uint64(1), uint8(10), uint8(20))
	f.Fuzz(func(t *testing.T, seed uint64, candidates, density uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		checkSearch(t, randomProblem(r, 5+int(candidates)%60, float64(density)/64))
	})
}
