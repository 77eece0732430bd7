package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// row is one line of the table: two medians and what their ratio must reach.
type row struct {
	Name    string  `json:"name"`
	What    string  `json:"what"`
	Against string  `json:"against"`
	Unit    string  `json:"unit"` // s or B
	Ours    float64 `json:"ours"`
	Theirs  float64 `json:"theirs"`
	Ratio   float64 `json:"ratio"`
	Must    float64 `json:"must"`
	Aim     float64 `json:"aim,omitempty"`

	OurRuns   []float64 `json:"our_runs,omitempty"`
	TheirRuns []float64 `json:"their_runs,omitempty"`
}

// timed is a row of times, each in seconds.
func timed(what, against string, must, aim float64, ours, theirs []float64) row {
	r := row{What: what, Against: against, Unit: "s", Must: must, Aim: aim, Ours: median(ours), Theirs: median(theirs), OurRuns: microseconds(ours), TheirRuns: microseconds(theirs)}
	r.Ratio = r.Ours / r.Theirs
	return r
}

// sized is a row of bytes, of which the most that was seen counts.
func sized(what, against string, must, aim float64, ours []float64, theirs float64) row {
	most := slices.Max(ours)
	return row{What: what, Against: against, Unit: "B", Must: must, Aim: aim, Ours: most, Theirs: theirs, Ratio: most / theirs, OurRuns: ours}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// microseconds leaves out what no clock knows.
func microseconds(v []float64) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = math.Round(v[i]*1e6) / 1e6
	}
	return out
}

// sum adds what was measured apart, round by round.
func sum(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] + b[i]
	}
	return out
}

func (r row) String() string {
	return fmt.Sprintf("%-9s %s: %s; %s: %s; ratio %.3f, must %s%s", r.Name, plain(r.What), r.amount(r.Ours), plain(r.Against), r.amount(r.Theirs), r.Ratio, bound(r.Must), r.verdict())
}

func plain(s string) string { return strings.ReplaceAll(s, "`", "") }

func (r row) verdict() string {
	if r.Must > 0 && r.Ratio > r.Must {
		return " MISSED"
	}
	return ""
}

func bound(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("≤ %.2f", v)
}

func (r row) amount(v float64) string {
	switch {
	case r.Unit == "B":
		return fmt.Sprintf("%.1f MiB", v/(1<<20))
	case v < 1:
		return fmt.Sprintf("%.2f ms", v*1e3)
	}
	return fmt.Sprintf("%.2f s", v)
}

func (r row) runs() string {
	return fmt.Sprint(max(1, len(r.OurRuns)))
}

// missing is what could not be measured, and why.
type missing struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// report is what a run found out.
type report struct {
	Machine   map[string]string `json:"machine"`
	Toolchain int               `json:"toolchain_packages"`
	Took      float64           `json:"took_seconds"`
	Rows      []row             `json:"rows"`
	Missing   []missing         `json:"not_measured,omitempty"`
}

// write writes .tmp/bench.json, and docs/benchmarks.md of a whole run.
func (r *report) write(whole bool) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(".tmp", 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(".tmp/bench.json", append(b, '\n'), 0o644); err != nil {
		return err
	}
	where := ".tmp/bench.json"
	if whole {
		where += " and docs/benchmarks.md"
		if err := os.WriteFile("docs/benchmarks.md", []byte(r.page()), 0o644); err != nil {
			return err
		}
	}
	missed := 0
	for _, x := range r.Rows {
		if x.verdict() != "" {
			missed++
		}
	}
	fmt.Printf("%d rows in %.0f s, %d miss what they must reach, %d not measured; in %s\n", len(r.Rows), r.Took, missed, len(r.Missing), where)
	if len(r.Missing) > 0 {
		return fmt.Errorf("%d measurements failed", len(r.Missing))
	}
	return nil
}

// page is docs/benchmarks.md.
func (r *report) page() string {
	var s strings.Builder
	fmt.Fprintf(&s, `# Benchmarks

Written by %[1]smake bench%[1]s, which installs the peers, makes a mirror of its own (%[1]s.tmp/bench-mirror%[1]s, three minutes the first time) and measures every row; %[1]smake bench ROWS=warm,pipe%[1]s measures some.
What is compared runs in turn, in one run on one machine; a row is the ratio of the medians, which says more than a time does. %[1]s.tmp/bench.json%[1]s has each run.

`, "`")
	fmt.Fprintf(&s, "The environment is a C and C++ toolchain of %d packages (gcc, g++, make, cmake, git, python, gdb, …), compressed with zstd at level %d as Arch's are. devenv runs as an unprivileged user, pacman and nix as root.\n", r.Toolchain, level)
	s.WriteString("Before each cold build everything is written to the disk, the page cache is dropped, and the packages are read once; nothing is deleted right before one; signatures are checked, scriptlets and hooks run, on both sides.\n\n")
	for _, k := range sortedKeys(r.Machine) {
		fmt.Fprintf(&s, "- %s: %s\n", k, r.Machine[k])
	}
	s.WriteString("\n| row | what | devenv | against | there | ratio | must | aim | runs |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, x := range r.Rows {
		ratio := fmt.Sprintf("%.2f", x.Ratio)
		if x.Ratio < 0.1 {
			ratio = fmt.Sprintf("%.3f", x.Ratio)
		}
		if x.verdict() != "" {
			ratio = "**" + ratio + "**"
		}
		fmt.Fprintf(&s, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", x.Name, x.What, x.amount(x.Ours), x.Against, x.amount(x.Theirs), ratio, bound(x.Must), bound(x.Aim), x.runs())
	}
	s.WriteString("\nA ratio in bold misses what it must reach.\n")
	for _, m := range r.Missing {
		fmt.Fprintf(&s, "\nNot measured: %s (%s).\n", m.Name, m.Why)
	}
	s.WriteString("\nWhat does not depend on the machine (system calls, bytes, processes, threads, files opened) is counted by every `make test`: [cmd/devenv/count_test.go](../cmd/devenv/count_test.go).\n")
	return s.String()
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// machine names what was measured on, and the versions of the peers.
func machine() map[string]string {
	m := map[string]string{
		"machine": fmt.Sprintf("%s, %d processors, %s of memory, kernel %s", field("/proc/cpuinfo", "model name"), runtime.NumCPU(), memory(), kernel()),
		"devenv":  version("bin/devenv") + ", built with " + runtime.Version(),
	}
	var peers []string
	for _, peer := range []string{"bwrap", "pacman", "bsdtar", "curl", "nix-shell"} {
		peers = append(peers, version(peer))
	}
	m["peers"] = strings.Join(peers, ", ")
	return m
}

var number = regexp.MustCompile(`\d+\.\d[\w.-]*`)

// version is what a program calls itself, and its first number.
func version(program string) string {
	b, err := exec.Command(program, "--version").Output()
	if err != nil {
		return program + " of unknown version"
	}
	return strings.TrimSpace(filepath.Base(program) + " " + number.FindString(string(b)))
}

func kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(b))
}

func memory() string {
	var kib float64
	fmt.Sscan(field("/proc/meminfo", "MemTotal"), &kib)
	return fmt.Sprintf("%.0f GiB", kib/(1<<20))
}

// field is the value of the first "key: value" of a file.
func field(path, key string) string {
	b, _ := os.ReadFile(path)
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}
