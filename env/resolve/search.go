package resolve

import "context"

// literal is a candidate chosen (2n) or not chosen (2n+1).
type literal int32

func chosen(n int32) literal     { return literal(2 * n) }
func refused(n int32) literal    { return literal(2*n + 1) }
func (l literal) not() literal   { return l ^ 1 }
func (l literal) of() int32      { return int32(l) >> 1 }
func (l literal) isChosen() bool { return l&1 == 0 }

// cause names what forced something: a clause of the search, or, where rival
// is set, that candidate and rival cannot both be chosen, or, where only
// candidate is set, whatever decided candidate before any choice was made.
type cause struct {
	clause    int32 // 1 + its number; 0 for none
	candidate int32
	rival     int32
}

// clause is a fact or something learned, as a list of literals of which one
// must hold. The first two are watched.
type clause struct {
	literals []literal
	fact     int32   // number of the fact, or -1
	from     []cause // what it was learned from
}

// search finds a set of candidates in which all facts of a problem hold, or a
// set of facts that cannot hold together. It makes choices in the order in
// which pacman would meet the dependencies, each time the preferred candidate,
// draws every conclusion from that, and on a contradiction learns its reason
// and returns to the last choice that matters.
type search struct {
	problem *problem
	clauses []clause
	watches [][]int32 // literal to the clauses that watch it
	groups  [][]int32 // candidate to the rivals lists it is in

	value   []int8 // per candidate: 0 open, 1 chosen, -1 refused
	level   []int32
	reason  []cause
	trail   []literal
	head    int   // trail up to here is propagated
	marks   []int // trail length at each choice
	agenda  agenda
	seen    []bool // scratch of learn
	learned int
}

func newSearch(p *problem) *search {
	n := p.candidates + 1
	s := &search{
		problem: p,
		watches: make([][]int32, 2*n),
		groups:  make([][]int32, n),
		value:   make([]int8, n),
		level:   make([]int32, n),
		reason:  make([]cause, n),
		seen:    make([]bool, n),
		clauses: make([]clause, 0, len(p.facts)+64),
	}
	for g, group := range p.rivals {
		for _, c := range group {
			s.groups[c] = append(s.groups[c], int32(g))
		}
	}
	s.agenda.start(p)
	return s
}

// run returns the chosen candidates, or the numbers of facts and the pairs of
// rivals that together rule out every answer.
func (s *search) run(ctx context.Context) (answer []int32, core *core, err error) {
	if clash, bad := s.load(); bad {
		return nil, s.blame(clash), nil
	}
	for {
		clash, bad := s.propagate()
		switch {
		case bad && len(s.marks) == 0:
			return nil, s.blame(clash), nil
		case bad:
			s.learn(clash)
			if s.learned%256 == 0 && ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
		default:
			next, more := s.agenda.next(s.problem, s.value)
			if !more {
				return s.agenda.visited, nil, nil
			}
			s.marks = append(s.marks, len(s.trail))
			s.agenda.mark()
			s.assign(chosen(next), cause{})
		}
	}
}

// load turns the facts into clauses.
func (s *search) load() (cause, bool) {
	for id := range s.problem.facts {
		f := &s.problem.facts[id]
		var literals []literal
		if f.isExclusion() {
			literals = []literal{refused(f.owner), refused(f.rival)}
		} else {
			literals = make([]literal, 0, len(f.options)+1)
			for _, o := range f.options {
				literals = append(literals, chosen(o))
			}
			if f.owner != 0 {
				literals = append(literals, refused(f.owner))
			}
		}
		if clash, bad := s.addClause(clause{literals: literals, fact: int32(id)}); bad {
			return clash, true
		}
	}
	return cause{}, false
}

// addClause takes c in; with fewer than two literals it acts at once, before
// any choice.
func (s *search) addClause(c clause) (cause, bool) {
	s.clauses = append(s.clauses, c)
	why := cause{clause: int32(len(s.clauses))}
	switch len(c.literals) {
	case 0:
		return why, true
	case 1:
		l := c.literals[0]
		if s.holds(l) < 0 {
			return why, true
		}
		if s.holds(l) == 0 {
			s.assign(l, why)
		}
		return cause{}, false
	}
	s.watch(c.literals[0])
	s.watch(c.literals[1])
	return cause{}, false
}

func (s *search) watch(l literal) {
	s.watches[l] = append(s.watches[l], int32(len(s.clauses)-1))
}

// holds is 1 where l is true, -1 where it is false, 0 while it is open.
func (s *search) holds(l literal) int8 {
	if l.isChosen() {
		return s.value[l.of()]
	}
	return -s.value[l.of()]
}

func (s *search) assign(l literal, why cause) {
	c := l.of()
	s.value[c] = 1
	if !l.isChosen() {
		s.value[c] = -1
	}
	s.level[c] = int32(len(s.marks))
	s.reason[c] = why
	s.trail = append(s.trail, l)
}

// propagate draws every conclusion from the trail; it returns the cause of a
// contradiction.
func (s *search) propagate() (cause, bool) {
	for s.head < len(s.trail) {
		l := s.trail[s.head]
		s.head++
		if l.isChosen() {
			if clash, bad := s.refuseRivals(l.of()); bad {
				return clash, true
			}
		}
		if clash, bad := s.visitWatches(l.not()); bad {
			return clash, true
		}
	}
	return cause{}, false
}

func (s *search) refuseRivals(c int32) (cause, bool) {
	for _, g := range s.groups[c] {
		for _, rival := range s.problem.rivals[g] {
			if rival == c {
				continue
			}
			why := cause{candidate: c, rival: rival}
			if s.value[rival] > 0 {
				return why, true
			}
			if s.value[rival] == 0 {
				s.assign(refused(rival), why)
			}
		}
	}
	return cause{}, false
}

// visitWatches looks at the clauses that watch the literal that became false.
func (s *search) visitWatches(fallen literal) (cause, bool) {
	list := s.watches[fallen]
	kept := list[:0]
	for i, id := range list {
		c := s.clauses[id].literals
		if c[0] == fallen {
			c[0], c[1] = c[1], c[0]
		}
		if s.holds(c[0]) > 0 || !s.rewatch(c, id) {
			kept = append(kept, id)
			if s.holds(c[0]) > 0 {
				continue
			}
			why := cause{clause: id + 1}
			if s.holds(c[0]) < 0 {
				s.watches[fallen] = append(kept, list[i+1:]...)
				return why, true
			}
			s.assign(c[0], why)
		}
	}
	s.watches[fallen] = kept
	return cause{}, false
}

// rewatch puts another literal than the fallen second one on watch.
func (s *search) rewatch(c []literal, id int32) bool {
	for k := 2; k < len(c); k++ {
		if s.holds(c[k]) >= 0 {
			c[1], c[k] = c[k], c[1]
			s.watches[c[1]] = append(s.watches[c[1]], id)
			return true
		}
	}
	return false
}

// undo takes back every choice above level.
func (s *search) undo(level int) {
	mark := s.marks[level]
	for _, l := range s.trail[mark:] {
		s.value[l.of()] = 0
		s.reason[l.of()] = cause{}
	}
	s.trail = s.trail[:mark]
	s.head = mark
	s.marks = s.marks[:level]
	s.agenda.undo(level)
}
