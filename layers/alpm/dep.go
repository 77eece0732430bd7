package alpm

import (
	"fmt"
	"strings"
)

func (op Op) String() string {
	switch op {
	case EQ:
		return "="
	case LT:
		return "<"
	case LE:
		return "<="
	case GT:
		return ">"
	case GE:
		return ">="
	}
	return ""
}

// ParseDep reads a dependency as depend, provides, conflicts and replaces have
// it: a name, or a name, an operator and a version. A description after ": "
// (optional dependencies) is dropped.
func ParseDep(s string) (Dep, error) {
	d := splitDep(s)
	switch {
	case d.Name == "":
		return Dep{}, fmt.Errorf("dependency %q has no name; write NAME or NAME>=VERSION", s)
	case d.Op != Any && d.Version == "":
		return Dep{}, fmt.Errorf("dependency %q has no version after %s; write NAME%[2]sVERSION or NAME alone", s, d.Op)
	case strings.ContainsAny(d.Name, "<>=") || strings.ContainsAny(d.Version, "<>="):
		return Dep{}, fmt.Errorf("dependency %q compares twice; write one dependency for each comparison", s)
	case strings.ContainsFunc(d.Name, isBlankOrControl), strings.ContainsFunc(d.Version, isBlankOrControl):
		return Dep{}, fmt.Errorf("dependency %q holds a blank or control character; write NAME>=VERSION without blanks", s)
	}
	return d, nil
}

func isBlankOrControl(r rune) bool { return r <= ' ' || r == 0x7f }

// splitDep takes any string apart the way libalpm does, which refuses nothing:
// what is odd in a database must stay there and simply never be satisfied. The
// blank of ": " keeps an epoch from looking like a description.
func splitDep(s string) Dep {
	if i := strings.Index(s, ": "); i >= 0 {
		s = s[:i]
	}
	for _, c := range [...]byte{'<', '>', '='} {
		i := strings.IndexByte(s, c)
		if i < 0 {
			continue
		}
		d := Dep{Name: s[:i], Op: EQ, Version: s[i+1:]}
		orEqual := c != '=' && strings.HasPrefix(d.Version, "=")
		if orEqual {
			d.Version = d.Version[1:]
		}
		switch {
		case c == '<' && orEqual:
			d.Op = LE
		case c == '<':
			d.Op = LT
		case c == '>' && orEqual:
			d.Op = GE
		case c == '>':
			d.Op = GT
		}
		return d
	}
	return Dep{Name: s}
}

// String writes d as a PKGBUILD would.
func (d Dep) String() string { return d.Name + d.Op.String() + d.Version }

// Satisfied says whether version is one that d asks for; d's name is not looked
// at. Where either has no pkgrel, pkgrels do not count.
func (d Dep) Satisfied(version string) bool {
	if d.Op == Any {
		return true
	}
	c := Compare(version, d.Version)
	switch d.Op {
	case EQ:
		return c == 0
	case LT:
		return c < 0
	case LE:
		return c <= 0
	case GT:
		return c > 0
	case GE:
		return c >= 0
	}
	return false
}

// Satisfies says whether having p installed meets d: by its own name and
// version, or by something it provides.
func (p *Package) Satisfies(d Dep) bool {
	return p.Name == d.Name && d.Satisfied(p.Version) || p.SatisfiesByProvision(d)
}

// SatisfiesByProvision says whether one of p's provides meets d. A provision
// without a version meets only a dependency that asks for none.
func (p *Package) SatisfiesByProvision(d Dep) bool {
	for i := range p.Provides {
		v := &p.Provides[i]
		if v.Name == d.Name && (d.Op == Any || v.Op == EQ && d.Satisfied(v.Version)) {
			return true
		}
	}
	return false
}
