package main_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestJobserver runs a make inside under a make of the host's: they share the
// outer one's jobs.
func TestJobserver(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is missing on the host")
	}
	p := bigPlace(t, "make")
	p.write(p.project+"/Makefile", "all: a b\na b:\n\t+"+shared.devenv+" run -- $(MAKE) -f inner dir=$@\n")
	p.write(p.project+"/inner", `all: 1 2 3 4
1 2 3 4:
	@mkdir running.$(dir)$@; ls -d running.* | wc -l; sleep 0.15; rmdir running.$(dir)$@
`)
	p.must("build")
	p.must("run", "--", "true")
	r := resultOf(t, p.host("make", "-s", "-j3"))
	if r.code != 0 || strings.Contains(r.err+r.out, "jobserver") {
		t.Errorf("%v", r)
	}
	if at := strings.Fields(r.out); len(at) != 8 || strings.Contains(r.out, "4") || !strings.Contains(r.out, "3") {
		t.Errorf("jobs at a time: %v", at)
	}
}
