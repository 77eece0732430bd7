package resolve

import (
	"context"
	"slices"
)

// learn finds out why the search ran into clash, keeps that as a clause, and
// goes back to the first choice at which the clause says something.
func (s *search) learn(clash cause) {
	s.learned++
	level := int32(len(s.marks))
	c := clause{fact: -1, from: []cause{clash}}
	literals := []literal{0} // the place of the one literal of this level
	open, at := 0, len(s.trail)
	var marked []int32
	take := func(falsified []literal, skip literal) {
		for _, l := range falsified {
			n := l.of()
			if l == skip || s.seen[n] {
				continue
			}
			s.seen[n] = true
			marked = append(marked, n)
			switch {
			case s.level[n] == 0:
				c.from = append(c.from, cause{candidate: n})
			case s.level[n] == level:
				open++
			default:
				literals = append(literals, l)
			}
		}
	}
	take(s.literals(clash), -1)
	for {
		at--
		for !s.seen[s.trail[at].of()] {
			at--
		}
		l := s.trail[at]
		open--
		if open == 0 {
			literals[0] = l.not()
			break
		}
		why := s.reason[l.of()]
		c.from = append(c.from, why)
		take(s.literals(why), l)
	}
	for _, n := range marked {
		s.seen[n] = false
	}
	c.literals = literals
	s.undo(s.highestSecond(literals))
	s.addClause(c)
	if len(literals) > 1 {
		s.assign(literals[0], cause{clause: int32(len(s.clauses))})
	}
}

// highestSecond moves the literal of the highest level but the first's to the
// second place, where it is watched, and returns its level.
func (s *search) highestSecond(literals []literal) int {
	if len(literals) == 1 {
		return 0
	}
	best := 1
	for i := 2; i < len(literals); i++ {
		if s.level[literals[i].of()] > s.level[literals[best].of()] {
			best = i
		}
	}
	literals[1], literals[best] = literals[best], literals[1]
	return int(s.level[literals[1].of()])
}

// literals returns the clause that why stands for.
func (s *search) literals(why cause) []literal {
	if why.clause != 0 {
		return s.clauses[why.clause-1].literals
	}
	return []literal{refused(why.candidate), refused(why.rival)}
}

// core is a set of facts, numbered, and of pairs of rivals, that cannot all
// hold.
type core struct {
	facts  []int32
	rivals [][2]int32
}

// blame follows a contradiction that needed no choice back to the facts.
func (s *search) blame(clash cause) *core {
	var (
		out     core
		clauses = make(map[int32]bool)
		units   = make(map[int32]bool)
		pairs   = make(map[[2]int32]bool)
		stack   = []cause{clash}
	)
	// A candidate decided before any choice has a reason of its own.
	decided := func(l literal) {
		if n := l.of(); !units[n] {
			units[n] = true
			stack = append(stack, s.reason[n])
		}
	}
	for len(stack) > 0 {
		why := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch {
		case why.rival != 0:
			pair := [2]int32{min(why.candidate, why.rival), max(why.candidate, why.rival)}
			if !pairs[pair] {
				pairs[pair] = true
				out.rivals = append(out.rivals, pair)
			}
			decided(chosen(why.candidate))
			decided(chosen(why.rival))
		case why.clause == 0:
			if why.candidate != 0 {
				decided(chosen(why.candidate))
			}
		case !clauses[why.clause]:
			clauses[why.clause] = true
			c := &s.clauses[why.clause-1]
			if c.fact >= 0 {
				out.facts = append(out.facts, c.fact)
			}
			stack = append(stack, c.from...)
			for _, l := range c.literals {
				if s.level[l.of()] == 0 && s.value[l.of()] != 0 {
					decided(l)
				}
			}
		}
	}
	slices.Sort(out.facts)
	slices.SortFunc(out.rivals, func(a, b [2]int32) int { return slices.Compare(a[:], b[:]) })
	return &out
}

// maxTrials bounds the work of shrink. What it stops at then is still a
// contradiction, only not the least.
const maxTrials = 300

// shrink drops facts from an impossible set for as long as it stays impossible:
// first many at a time, then one by one, those that come last first.
func shrink(ctx context.Context, facts []fact) ([]fact, error) {
	dense := renumbered(facts)
	kept := make([]int, len(facts)) // numbers of the facts that are left
	for i := range kept {
		kept[i] = i
	}
	trials := 0
	for size := max(1, len(kept)/4); size > 0; size /= 2 {
		for end := len(kept); end > 0 && trials < maxTrials; end = min(end-size, len(kept)) {
			trials++
			without := slices.Delete(slices.Clone(kept), max(0, end-size), end)
			_, c, err := newSearch(problemOf(dense, without)).run(ctx)
			if err != nil {
				return nil, err
			}
			if c == nil {
				continue
			}
			kept = kept[:0] // still impossible: even the facts of this new core suffice
			for _, id := range c.facts {
				kept = append(kept, without[id])
			}
		}
	}
	out := make([]fact, len(kept))
	for i, k := range kept {
		out[i] = facts[k]
	}
	return out, nil
}

// renumbered is facts with their candidates counted from 1 without gaps, so
// that a search over a few facts is small.
func renumbered(facts []fact) []fact {
	numbers := map[int32]int32{0: 0}
	number := func(c int32) int32 {
		n, ok := numbers[c]
		if !ok {
			n = int32(len(numbers))
			numbers[c] = n
		}
		return n
	}
	out := make([]fact, len(facts))
	for i, f := range facts {
		out[i] = fact{owner: number(f.owner), rival: number(f.rival), options: make([]int32, len(f.options))}
		for j, o := range f.options {
			out[i].options[j] = number(o)
		}
	}
	return out
}

// problemOf is the problem of some of the facts alone.
func problemOf(facts []fact, chosen []int) *problem {
	p := &problem{}
	for _, i := range chosen {
		f := facts[i]
		p.grow(int(max(f.owner, f.rival)))
		for _, o := range f.options {
			p.grow(int(o))
		}
		p.add(f)
	}
	return p
}
