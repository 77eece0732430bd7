// Command bench measures devenv against its peers, each pair interleaved in one
// run, and writes docs/benchmarks.md and .tmp/bench.json. `make bench` runs it as
// root; what is measured runs as an unprivileged user wherever that is the claim.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row is one line of the table.
type row struct {
	What    string  `json:"what"`
	Against string  `json:"against"`
	Ours    float64 `json:"ours_seconds"`
	Theirs  float64 `json:"theirs_seconds"`
	Ratio   float64 `json:"ratio"`
	Must    float64 `json:"must"`
	Runs    int     `json:"runs"`
}

func main() {
	w, err := newWorld()
	if err == nil {
		defer w.remove()
		err = w.all()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (w *world) all() error {
	var rows []row
	for _, m := range []func() (row, error){
		w.warm, w.warmMany, w.warmNix, w.resolve, w.pipe, w.compile, w.coldPacman, w.coldBsdtar, w.oneMore,
	} {
		r, err := m()
		if err != nil {
			fmt.Printf("not measured: %v\n", err)
			continue
		}
		if r.Theirs > 0 {
			r.Ratio = r.Ours / r.Theirs
		}
		fmt.Printf("%-58s %9.2f ms  %-52s %9.2f ms  %.2f (must %.2f)\n", r.What, r.Ours*1e3, r.Against, r.Theirs*1e3, r.Ratio, r.Must)
		rows = append(rows, r)
	}
	b, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(".tmp/bench.json", append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile("docs/benchmarks.md", []byte(page(rows)), 0o644)
}

// page is docs/benchmarks.md.
func page(rows []row) string {
	var s strings.Builder
	s.WriteString("# Benchmarks\n\nWritten by `make bench`. Each pair is interleaved in one run on one machine; a ratio says more than a time. Medians.\n\n")
	fmt.Fprintf(&s, "%s, %d processors, kernel %s, %s; %s.\n\n", cpu(), runtime.NumCPU(), kernel(), runtime.Version(), versions())
	s.WriteString("| what | devenv | against | there | ratio | must | runs |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&s, "| %s | %s | %s | %s | %.2f | %.2f | %d |\n", r.What, human(r.Ours), r.Against, human(r.Theirs), r.Ratio, r.Must, r.Runs)
	}
	return s.String()
}

func human(seconds float64) string {
	if seconds < 1 {
		return fmt.Sprintf("%.2f ms", seconds*1e3)
	}
	return fmt.Sprintf("%.2f s", seconds)
}

func cpu() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(b))
}

// versions names the peers.
func versions() string {
	var out []string
	for _, p := range [][]string{{"bwrap", "--version"}, {"pacman-conf", "--version"}, {"bsdtar", "--version"}, {"nix", "--version"}} {
		b, err := exec.Command(p[0], p[1:]...).Output()
		line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
		if err == nil && line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, ", ")
}

// command is something to time.
type command struct {
	args   []string
	env    []string
	dir    string
	asRoot bool
	before func() error // not timed
}

// interleave runs two commands in turn and gives the median of each.
func (w *world) interleave(n int, ours, theirs command) (a, b float64, err error) {
	var first, second []float64
	for range n {
		for _, c := range []struct {
			command
			to *[]float64
		}{{ours, &first}, {theirs, &second}} {
			d, err := w.time(c.command)
			if err != nil {
				return 0, 0, err
			}
			*c.to = append(*c.to, d)
		}
	}
	return median(first), median(second), nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// time runs one command, without any of os/exec's own goroutines and pipes.
func (w *world) time(c command) (float64, error) {
	if c.before != nil {
		if err := c.before(); err != nil {
			return 0, err
		}
	}
	path := c.args[0]
	if !filepath.IsAbs(path) {
		var err error
		if path, err = exec.LookPath(path); err != nil {
			return 0, err
		}
	}
	attr := w.attributes(c)
	start := time.Now()
	p, err := os.StartProcess(path, c.args, attr)
	if err != nil {
		return 0, err
	}
	state, err := p.Wait()
	took := time.Since(start).Seconds()
	if err != nil {
		return 0, err
	}
	if !state.Success() {
		words := strings.Join(c.args[:min(4, len(c.args))], " ")
		return 0, fmt.Errorf("%s: %s", words[:min(len(words), 80)], state)
	}
	return took, nil
}
