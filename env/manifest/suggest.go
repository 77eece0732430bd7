package manifest

import (
	"strings"
	"unicode/utf8"
)

// Suggest is the candidate that word was most likely meant to be, or "" if
// none is near. Of equally near ones it takes one with the same beginning,
// then the first in alphabetical order.
func Suggest(word string, candidates []string) string {
	best, bestCost := "", limit(word)+1
	lower := strings.ToLower(word)
	var rows rows
	for _, c := range candidates {
		if c == word || c == "" {
			continue
		}
		cost := rows.distance(lower, strings.ToLower(c), bestCost)
		if cost < bestCost || cost == bestCost && best != "" && better(c, best, word) {
			best, bestCost = c, cost
		}
	}
	return best
}

// limit is how many slips a word of that length may have.
func limit(word string) int {
	switch n := utf8.RuneCountInString(word); {
	case n <= 4:
		return 1
	case n <= 8:
		return 2
	default:
		return n / 3
	}
}

func better(c, best, word string) bool {
	first := word[:min(1, len(word))]
	if a, b := strings.HasPrefix(c, first), strings.HasPrefix(best, first); a != b {
		return a
	}
	return c < best
}

// rows are three rows of the table that distance fills, kept from word to word.
type rows struct{ before, last, row []int }

func (r *rows) resize(n int) {
	for _, s := range []*[]int{&r.before, &r.last, &r.row} {
		if cap(*s) < n {
			*s = make([]int, 2*n)
		}
		*s = (*s)[:n]
	}
}

// distance counts the slips (a letter more, less, wrong, or two exchanged)
// between two words, or says max+1 if there are more than max.
func (r *rows) distance(a, b string, max int) int {
	if d := len(a) - len(b); d > max || -d > max {
		return max + 1
	}
	r.resize(len(b) + 1)
	before, last, row := r.before, r.last, r.row
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > max {
			return max + 1
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// didYouMean is a hint, or "" if no candidate is near.
func didYouMean(word string, candidates []string) string {
	if s := Suggest(word, candidates); s != "" {
		return "did you mean `" + s + "`?"
	}
	return ""
}
