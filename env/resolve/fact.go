package resolve

// A problem is all that the search knows: numbered candidates (from 1 on) and
// facts about them. What the numbers stand for is the business of the universe.
type problem struct {
	candidates int
	facts      []fact
	roots      []int32   // facts to be met from the start, in the order of the wants
	needs      [][]int32 // candidate to its facts, in the order of its dependencies
	rivals     [][]int32 // each list: candidates of which at most one can be chosen
}

// fact is one thing that must hold. With options it is a requirement: if owner
// is chosen, so is one of options, the first for preference; owner 0 stands for
// the request itself. With rival it is an exclusion: owner and rival are never
// both chosen.
type fact struct {
	owner   int32
	rival   int32
	options []int32
	origin  int32 // what the universe knows of it; the search hands it back
}

func (f *fact) isExclusion() bool { return f.rival != 0 }

// add files f and returns its number.
func (p *problem) add(f fact) int32 {
	id := int32(len(p.facts))
	p.facts = append(p.facts, f)
	switch {
	case f.isExclusion():
	case f.owner == 0:
		p.roots = append(p.roots, id)
	default:
		p.needs[f.owner] = append(p.needs[f.owner], id)
	}
	return id
}

// grow makes room for candidates up to n.
func (p *problem) grow(n int) {
	for len(p.needs) <= n {
		p.needs = append(p.needs, nil)
	}
	p.candidates = max(p.candidates, n)
}
