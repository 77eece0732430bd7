package table

import (
	"fmt"
	"strconv"
	"strings"
)

// chooseSeries says for each day which version of each series it gets.
// A version whose debs other packages were built against is not offered: it
// must be there on all days, as a package of its own.
func (p *planner) chooseSeries() ([]map[string]string, error) {
	if _, err := p.repeat(func() ([]*dayPlan, error) {
		var days []*dayPlan
		for _, d := range p.table.Days {
			day, err := p.day(d.Date, nil)
			if err != nil {
				return nil, err
			}
			days = append(days, day)
		}
		return days, nil
	}); err != nil {
		return nil, err
	}
	chosen := make([]map[string]string, len(p.table.Days))
	for i := range chosen {
		chosen[i] = map[string]string{}
	}
	for name, s := range p.table.Series {
		versions := p.versions(name, s)
		if len(versions) == 0 {
			return nil, fmt.Errorf("apt has no %s for series %s", s.Pick, name)
		}
		for i := range chosen {
			k := len(versions) - 1
			if len(chosen) > 1 {
				k = (2*i*(len(versions)-1) + len(chosen) - 1) / (2 * (len(chosen) - 1))
			}
			chosen[i][name] = versions[k]
		}
	}
	return chosen, nil
}

// versions lists the numbers of a series that can be had and are not claimed.
func (p *planner) versions(series string, s Series) []string {
	prefix, suffix, _ := strings.Cut(s.Pick, "#")
	var versions []string
	for _, deb := range p.avail.Match(s.Pick) {
		v := strings.TrimSuffix(strings.TrimPrefix(deb, prefix), suffix)
		n, err := strconv.Atoi(v)
		if err == nil && (s.Max == 0 || n <= s.Max) && !p.claimed(series, v) {
			versions = append(versions, v)
		}
	}
	return versions
}

func (p *planner) claimed(series, version string) bool {
	for _, e := range p.table.Package {
		for _, deb := range e.Debs {
			name := strings.TrimSuffix(strings.ReplaceAll(deb, "{"+series+"}", version), "?")
			if name != deb && p.autoOf[name] != "" {
				return true
			}
		}
	}
	return false
}

func (p *planner) allDays(series []map[string]string) ([]*dayPlan, error) {
	p.auto, p.autoOf = map[string][]string{}, map[string]string{}
	return p.repeat(func() ([]*dayPlan, error) {
		var days []*dayPlan
		for i, d := range p.table.Days {
			day, err := p.day(d.Date, series[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d.Date, err)
			}
			days = append(days, day)
		}
		return days, nil
	})
}

// repeat runs f until it finds no more packages that the table lacks.
func (p *planner) repeat(f func() ([]*dayPlan, error)) ([]*dayPlan, error) {
	for {
		p.changed = false
		days, err := f()
		if err != nil || !p.changed {
			return days, err
		}
	}
}
