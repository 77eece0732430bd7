// Command bench measures devenv against its peers. `make bench` runs it, as
// root, because pacman needs that; what is measured runs as an unprivileged
// user wherever that is the claim.
//
// What is compared runs in turn in one run, on one machine, from one state of
// the page cache; a row is the ratio of two medians. Nothing that a run found
// out is used by another one. docs/benchmarks.md and .tmp/bench.json hold the
// table.
//
//	bench [ROWS]    all rows, or these (warm,pipe): then docs/benchmarks.md is left alone
package main

import (
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// measurement makes one row or several that share their runs.
type measurement struct {
	name    string
	measure func(*world) ([]row, error)
}

// measurements are in the order of the table. What enters an environment comes
// first, because it needs only one; what builds follows; what fills the store
// with a thousand layers comes last.
var measurements = []measurement{
	{"warm", (*world).warm},
	{"nix", (*world).nix},
	{"many", (*world).many},
	{"compile", (*world).compile},
	{"pipe", (*world).pipe},
	{"resolve", (*world).resolve},
	{"cold", (*world).cold},
	{"one", (*world).oneMore},
	{"disk", (*world).disk},
	{"memory", (*world).memory},
	{"thousand", (*world).thousand},
}

func main() {
	names := strings.FieldsFunc(strings.Join(os.Args[1:], " "), func(r rune) bool { return r == ',' || r == ' ' })
	if err := run(names); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(names []string) error {
	selected, err := choose(names)
	if err != nil {
		return err
	}
	start := time.Now()
	w := new(world)
	defer w.remove()
	go func() {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		<-stop
		w.remove()
		os.Exit(1)
	}()
	if err := w.prepare(); err != nil {
		return err
	}
	r := report{Machine: machine(), Toolchain: len(w.files)}
	for _, m := range selected {
		rows, err := m.measure(w)
		if err != nil {
			r.Missing = append(r.Missing, missing{m.name, err.Error()})
			fmt.Printf("%-9s NOT MEASURED: %v\n", m.name, err)
			continue
		}
		for _, x := range rows {
			x.Name = m.name
			fmt.Println(x)
			r.Rows = append(r.Rows, x)
		}
	}
	r.Took = time.Since(start).Seconds()
	return r.write(len(names) == 0)
}

// choose gives the measurements of these names, all for none.
func choose(names []string) ([]measurement, error) {
	if len(names) == 0 {
		return measurements, nil
	}
	var known []string
	var out []measurement
	for _, m := range measurements {
		known = append(known, m.name)
		if slices.Contains(names, m.name) {
			out = append(out, m)
		}
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("no row is called %q; there are %s", n, strings.Join(known, ", "))
		}
	}
	return out, nil
}
