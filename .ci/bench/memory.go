package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// allowed is the memory that a cold build may take.
const allowed = 200 << 20

// memory watches a cold build: the most that devenv's own process ever had in
// memory, as the kernel counts it, and the most that all processes together had
// at one time, what they share counted once.
func (w *world) memory() ([]row, error) {
	var own, all []float64
	for range 2 {
		c := w.fromPackages()
		if err := c.before(); err != nil {
			return nil, err
		}
		words, err := os.Create(w.dir + "/words")
		if err != nil {
			return nil, err
		}
		m := &meter{stop: make(chan struct{})}
		_, err = w.one(c, words, m.start)
		m.end()
		words.Close()
		if err != nil {
			return nil, err
		}
		own, all = append(own, m.own), append(all, max(m.all, m.own))
	}
	if err := unless(slices.Min(own) > 0, "the build was not seen in /proc"); err != nil {
		return nil, err
	}
	return []row{
		sized("peak memory of a cold build: devenv", "what it may take", 1, 0.5, own, allowed),
		sized("peak memory of a cold build: with every process it starts", "what it may take", 1, 0.5, all, allowed),
	}, nil
}

// meter looks at a process and what it starts, again and again.
type meter struct {
	own, all float64 // bytes
	stop     chan struct{}
	done     sync.WaitGroup
}

func (m *meter) start(pid int) {
	m.done.Go(func() {
		for {
			m.look(pid)
			select {
			case <-m.stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
}

func (m *meter) end() {
	close(m.stop)
	m.done.Wait()
}

func (m *meter) look(pid int) {
	m.own = max(m.own, kib(fmt.Sprintf("/proc/%d/status", pid), "VmHWM"))
	total := 0.0
	for _, p := range family(pid) {
		total += kib(fmt.Sprintf("/proc/%d/smaps_rollup", p), "Pss")
	}
	m.all = max(m.all, total)
}

// family is a process and all that descend from it.
func family(pid int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name stands in brackets and may hold anything.
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(fields) < 2 {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		children[parent] = append(children[parent], child)
	}
	out := []int{pid}
	for i := 0; i < len(out); i++ {
		out = append(out, children[out[i]]...)
	}
	return out
}

// kib reads a number of KiB from a file of /proc as bytes; 0 if the process has
// ended.
func kib(path, key string) float64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), key+":"); ok {
			n, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return n * 1024
		}
	}
	return 0
}
