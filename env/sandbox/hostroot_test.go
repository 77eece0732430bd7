package sandbox_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// names lists a directory of the host.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var out []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			out = append(out, e.Name())
		}
	}
	return out
}

// TestHostRoot: with HostRoot the host's root stands at /run/host, nothing of
// it can be written, and the host's own /run holds nothing new.
func TestHostRoot(t *testing.T) {
	if _, err := os.Lstat("/run/host"); err == nil {
		t.Skip("this host has a /run/host of its own")
	}
	w := newWorld(t, true)
	w.spec.HostRoot = true
	must(t, os.WriteFile(w.dir+"/mine", []byte("of the host\n"), 0o666))
	w.own()
	for _, without := range [][]string{nil, {"overlay"}, {"pidns"}} {
		w.without = without
		w.plan()
		check := func(want string, script string) {
			t.Helper()
			if got, _ := w.result("run", "sh", "-c", script); strings.TrimSpace(got) != want {
				t.Errorf("without %v: %s: %q, want %q", without, script, got, want)
			}
		}
		check(strings.Join(names(t, "/usr"), "\n"), "ls /run/host/usr")
		check("bin\nlocal", "ls /usr")
		check("of the host", "cat /run/host"+w.dir+"/mine")
		run := append(names(t, "/run"), "host")
		slices.Sort(run)
		check(strings.Join(run, "\n"), "ls /run")
		for _, dir := range []string{w.dir, w.project, w.cache, "/tmp", "/dev/shm", "/run"} {
			if got, code := w.result("run", "touch", "/run/host"+dir+"/x"); code == 0 || !strings.Contains(got, "Read-only") {
				t.Errorf("without %v: %s can be written through /run/host: %q", without, dir, got)
			}
		}
		check("", "touch /run/of-the-entry && ls "+w.project+"/sub")
		for _, trace := range []string{"/run/host", "/run/of-the-entry"} {
			if _, err := os.Lstat(trace); err == nil {
				t.Errorf("without %v: %s is left on the host", without, trace)
			}
		}
	}
	w.without = nil
	w.spec.HostRoot = false
	w.plan()
	if got, code := w.result("run", "ls", "/run/host"); code == 0 {
		t.Errorf("without HostRoot there is a /run/host: %s", got)
	}
}
