package main_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// budget is what devenv may do at most, counted by strace, which no machine's
// noise changes; a dash is not counted. It is a limit, not a wish: where a
// change needs more, its commit says why and raises the number; where one needs
// less, it lowers it. Files and bytes are those of the project, the user's own
// file, the mirror and the cache. In turn:
//
//	run     a warm `devenv run -- true`, until true runs
//	lock    `devenv lock` where the lock fits
//	relock  `devenv lock` without a lock, with the databases' index cached
//	build   `devenv build` of three packages into an empty cache
//	rebuild `devenv build` where all is there
const budget = `
counted                               | run   | lock | relock | build | rebuild
system calls                          | 96    | -    | -      | -     | -
mounts besides the host's directories | 10    | -    | -      | -     | -
calls of runtimes and networks        | 0     | -    | -      | -     | -
threads started                       | 0     | -    | -      | -     | -
processes started                     | 2     | 0    | 0      | 6     | 3
programs executed                     | 2     | 1    | 1      | 5     | 3
files opened                          | 6     | 5    | 13     | 700   | 60
bytes read                            | 24576 | 4096 | 4096   | -     | 16384
waits for the disk                    | 0     | 0    | 1      | 36    | 2
`

// columns reads the budget: for each column what it counts.
func columns(t *testing.T) map[string]counts {
	t.Helper()
	out := map[string]counts{}
	var names []string
	for line := range strings.Lines(strings.TrimSpace(budget)) {
		cells := strings.Split(line, "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if names == nil {
			names = cells
			for _, n := range names[1:] {
				out[n] = counts{}
			}
			continue
		}
		for i, cell := range cells[1:] {
			if cell == "-" {
				continue
			}
			n, err := strconv.Atoi(cell)
			if err != nil {
				t.Fatalf("budget: %s, %s: %v", cells[0], names[i+1], err)
			}
			out[names[i+1]][cells[0]] = n
		}
	}
	return out
}

// counted is one column: what is done, and what must be so before.
type counted struct {
	column string
	args   []string
	before func(p *place)
	until  string
}

var countedRuns = []counted{
	{column: "build", args: []string{"build"}, before: func(p *place) {
		p.set("DEVENV_CACHE_DIR=" + p.dir + "/cache-of-its-own")
		os.RemoveAll(p.project + "/devenv.lock")
	}},
	{column: "rebuild", args: []string{"build"}, before: func(p *place) { p.must("build") }},
	{column: "lock", args: []string{"lock"}, before: func(p *place) { p.must("lock") }},
	{column: "relock", args: []string{"lock"}, before: func(p *place) {
		p.must("lock")
		os.Remove(p.project + "/devenv.lock")
	}},
	{column: "run", args: []string{"run", "--", "true"}, before: func(p *place) { p.must("run", "--", "true") }, until: "true"},
}

// countedPlace has three packages, one of them with a dependency.
func countedPlace(t *testing.T) *place { return newPlace(t, "busybox", "tool") }

// roots are the directories whose files count.
func (p *place) roots() []string {
	out := []string{p.dir, shared.mirror}
	for _, v := range p.env {
		if dir, ok := strings.CutPrefix(v, "DEVENV_CACHE_DIR="); ok {
			out = append(out, dir)
		}
	}
	return out
}

// TestCounts holds devenv to its budget, as root and as anyone.
func TestCounts(t *testing.T) {
	limits := columns(t)
	everyone(t, func(t *testing.T) {
		for _, r := range countedRuns {
			t.Run(r.column, func(t *testing.T) {
				p := countedPlace(t)
				r.before(p)
				got, seen := p.traced(r.until, p.roots(), append([]string{shared.devenv}, r.args...)...)
				t.Logf("%s: %v", r.column, got)
				for name, limit := range limits[r.column] {
					if got[name] > limit {
						t.Errorf("%s: %d %s, and the budget has %d. If devenv has to do this, say why in the commit and raise the number in count_test.go; if not, it does it here:\n%s",
							r.column, got[name], name, limit, firstOf(seen[name]))
					}
				}
			})
		}
	})
}

// firstOf are as many calls as a person reads.
func firstOf(calls []string) string {
	const most, wide = 150, 200
	var out strings.Builder
	for _, call := range calls[:min(most, len(calls))] {
		out.WriteString(call[:min(wide, len(call))] + "\n")
	}
	return out.String()
}

// TestCountsNotice does the same with something wasted before: each number of
// the budget must be exceeded then, or it would guard nothing.
func TestCountsNotice(t *testing.T) {
	const waste = `f=$1; devenv=$2; shift 2
	i=0; while [ $i -lt 40 ]; do sync "$f"; i=$((i+1)); done
	i=0; while [ $i -lt 300 ]; do files="$files $f"; i=$((i+1)); done; cat $files >/dev/null
	"$devenv" --version >/dev/null
	"$@"; "$@"`
	for _, r := range countedRuns {
		t.Run(r.column, func(t *testing.T) {
			p := countedPlace(t)
			r.before(p)
			file := p.dir + "/wasted"
			p.write(file, strings.Repeat("x", 1<<10))
			words := append([]string{"/bin/sh", "-c", waste, "sh", file, shared.devenv, shared.devenv}, r.args...)
			got, _ := p.traced(r.until, p.roots(), words...)
			for name, limit := range columns(t)[r.column] {
				if got[name] <= limit {
					t.Errorf("%d %s are within the budget of %d, with what was wasted", got[name], name, limit)
				}
			}
		})
	}
}
