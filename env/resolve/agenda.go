package resolve

// agenda is what is still to be met, in pacman's order: first every want gets
// its package, then each package's dependencies are followed depth first. It is
// a persistent list, so that going back to an earlier choice costs nothing.
type agenda struct {
	top     *task
	visited []int32 // the answer so far: what is chosen and needed
	on      []bool  // per candidate: in visited
	saved   []agendaMark
}

type task struct {
	fact   int32
	follow bool // go on with the dependencies of what meets it
	next   *task
}

type agendaMark struct {
	top     *task
	visited int
}

func (a *agenda) start(p *problem) {
	a.on = make([]bool, p.candidates+1)
	a.push(p.roots, true)
	a.push(p.roots, false)
}

func (a *agenda) push(facts []int32, follow bool) {
	for i := len(facts) - 1; i >= 0; i-- {
		a.top = &task{facts[i], follow, a.top}
	}
}

// next returns the candidate to choose next, or false when all is met.
func (a *agenda) next(p *problem, value []int8) (int32, bool) {
	for a.top != nil {
		t := a.top
		met, open := firstOption(p.facts[t.fact].options, value)
		if met == 0 {
			return open, true
		}
		a.top = t.next
		if t.follow && !a.on[met] {
			a.on[met] = true
			a.visited = append(a.visited, met)
			a.push(p.needs[met], true)
		}
	}
	return 0, false
}

// firstOption returns the first option that is chosen, or else the first that
// can be.
func firstOption(options []int32, value []int8) (met, open int32) {
	for _, o := range options {
		if value[o] > 0 {
			return o, 0
		}
		if open == 0 && value[o] == 0 {
			open = o
		}
	}
	return 0, open
}

func (a *agenda) mark() {
	a.saved = append(a.saved, agendaMark{a.top, len(a.visited)})
}

func (a *agenda) undo(level int) {
	m := a.saved[level]
	for _, c := range a.visited[m.visited:] {
		a.on[c] = false
	}
	a.visited = a.visited[:m.visited]
	a.top = m.top
	a.saved = a.saved[:level]
}
