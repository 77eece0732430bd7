package resolve

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestSpeedAgainstPacman measures both in one run, turn by turn, and compares
// the best of each: from the databases as they are synced, and from an index
// as a cache keeps it. A busy machine disturbs both unevenly, so it is given
// several rounds.
func TestSpeedAgainstPacman(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("times are not measured with -short or with the race detector")
	}
	for _, set := range dataSets {
		root, want := newPacmanRoot(t, set, false), benchNames[set.name]
		names, encoded := set.encode(t)
		best := map[string]time.Duration{}
		measure := func(what string, do func()) {
			start := time.Now()
			do()
			if took := time.Since(start); best[what] == 0 || took < best[what] {
				best[what] = took
			}
		}
		for round := 0; round < 4 || round < 40 && (ratio(best, "cold") > 0.5 || ratio(best, "cached") > 0.15); round++ {
			measure("pacman", func() { root.print(t, want) })
			measure("cold", func() { mustAsk(t, set.read(t), set.arch, want) })
			measure("cached", func() { mustAsk(t, open(t, names, encoded), set.arch, want) })
		}
		t.Logf("%s: pacman %v, devenv cold %v (%.2f of it), with its index %v (%.3f of it)", set.name,
			best["pacman"], best["cold"], ratio(best, "cold"), best["cached"], ratio(best, "cached"))
		if ratio(best, "cold") > 0.5 || ratio(best, "cached") > 0.15 {
			t.Errorf("%s: slower than 0.5 and 0.15 of pacman's time", set.name)
		}
	}
}

func ratio(best map[string]time.Duration, what string) float64 {
	return float64(best[what]) / float64(best["pacman"])
}

func mustAsk(t testing.TB, repos []*Repo, arch string, names []string) {
	t.Helper()
	if _, err := ask(repos, arch, names); err != nil {
		t.Fatal(err)
	}
}

// TestPeakMemory resolves from cold in a process of its own.
func TestPeakMemory(t *testing.T) {
	const child = "DEVENV_TEST_RESOLVE_ONCE"
	if name := os.Getenv(child); name != "" {
		for _, set := range dataSets {
			if set.name == name {
				mustAsk(t, set.read(t), set.arch, benchNames[name])
				status, err := os.ReadFile("/proc/self/status")
				fmt.Printf("%s\n%v\n", status, err)
			}
		}
		return
	}
	if raceEnabled {
		t.Skip("the race detector needs memory of its own")
	}
	for _, set := range dataSets {
		set.dir(t)
		cmd := exec.Command(os.Args[0], "-test.run=^TestPeakMemory$")
		cmd.Env = append(os.Environ(), child+"="+set.name)
		out, err := cmd.CombinedOutput()
		_, rest, found := strings.Cut(string(out), "VmHWM:")
		var peak int // KiB; what wait(2) reports would count this process, too
		if _, scanErr := fmt.Sscan(rest, &peak); err != nil || !found || scanErr != nil {
			t.Fatalf("%v: %s", err, out)
		}
		t.Logf("%s: %d MiB", set.name, peak>>10)
		if peak > 150<<10 {
			t.Errorf("%s: a cold resolve took %d MiB, more than 150", set.name, peak>>10)
		}
	}
}
