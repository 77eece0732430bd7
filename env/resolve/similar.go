package resolve

import (
	"cmp"
	"slices"
	"strings"
)

// maxSimilar is how many names are offered where one was not found.
const maxSimilar = 3

// similar returns the names of packages, groups and provisions that are most
// like name: few letters apart, or the same but for a part before or after.
func similar(name string, repos []*Repo) []string {
	type guess struct {
		name string
		cost int
	}
	var guesses []guess
	seen := make(map[string]bool)
	limit := min(3, 1+len(name)/4)
	look := func(other string) bool {
		if seen[other] {
			return true
		}
		seen[other] = true
		if cost := unlikeness(strings.ToLower(name), strings.ToLower(other), limit); cost <= limit {
			guesses = append(guesses, guess{other, cost})
		}
		return true
	}
	for _, r := range repos {
		r.Index.Names()(look)
		r.Index.Groups()(look)
		r.Index.Provisions()(look)
	}
	slices.SortStableFunc(guesses, func(a, b guess) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(len(a.name), len(b.name)), strings.Compare(a.name, b.name))
	})
	var out []string
	for _, g := range guesses[:min(maxSimilar, len(guesses))] {
		out = append(out, g.name)
	}
	return out
}

// unlikeness is how far a is from b: the letters to change, or 1 where one is
// the other with a part more, as numpy is to python-numpy; above limit it may be
// any number above limit.
func unlikeness(a, b string, limit int) int {
	if len(a) > 2 && len(b) > 2 && (isPartOf(a, b) || isPartOf(b, a)) {
		return 1
	}
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	return editDistance(a, b)
}

func isPartOf(part, whole string) bool {
	return strings.HasPrefix(whole, part+"-") || strings.HasSuffix(whole, "-"+part)
}

// editDistance counts insertions, deletions, changes and swaps of neighbours
// that make b of a.
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
