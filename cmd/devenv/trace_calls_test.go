package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestWarmPathIsShort counts what a warm entry costs the kernel: the system
// calls and processes of devenv until the command starts, and that no thread,
// no other program and no socket is among them.
func TestWarmPathIsShort(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is missing")
	}
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		p.must("run", "--", "true")
		log := p.dir + "/log"
		if r := resultOf(t, p.host(strace, "-f", "-o", log, shared.devenv, "run", "--", "true")); r.code != 0 {
			t.Fatal(r)
		}
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		call := regexp.MustCompile(`^(\d+) +(\w+)\((.*)`)
		counts := map[string]int{}
		processes := map[string]bool{}
		total, done := 0, ""
		for line := range strings.Lines(string(b)) {
			m := call.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			processes[m[1]] = true
			if m[1] == done {
				continue // the command's own
			}
			total++
			counts[m[2]]++
			if m[2] == "execve" && strings.Contains(m[3], "/usr/bin/true") && !strings.Contains(m[3], "ENOENT") {
				done = m[1]
			}
		}
		top, _ := filepath.Glob("/*")
		// Mounts grow with the directories of the host's root, prctl with the
		// kernel's capabilities; all else is what an entry needs.
		rest := total - counts["mount"] - counts["prctl"]
		t.Logf("%d system calls, %d mounts, %d prctl, %d processes: %v", total, counts["mount"], counts["prctl"], len(processes), counts)
		if rest > 90 || counts["mount"] > len(top)+8 || len(processes) != 3 {
			t.Errorf("too much")
		}
		for _, name := range []string{"socket", "connect", "futex", "mmap", "clone3", "vfork", "fork", "brk"} {
			if counts[name] > 0 {
				t.Errorf("%d times %s", counts[name], name)
			}
		}
		if counts["clone"] != 2 || counts["execve"] > 4 {
			t.Errorf("clone %d times, execve %d times", counts["clone"], counts["execve"])
		}
	})
}
