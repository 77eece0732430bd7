package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestForeignHost builds a program with real packages on a host that has no
// library, no /usr/share and no compiler: the result is that of any other host.
func TestForeignHost(t *testing.T) {
	mirror := bigMirror(t)
	h := newBusyHost(t)
	real, err := filepath.EvalSymlinks(mirror)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(h.path("home/me/.config/devenv/config.toml"))
	example := "../../examples/c-make"
	output(t, "cp", "-r", example, h.path("home/me/example"))
	output(t, "chown", "-R", "1000:1000", h.path("home/me/example"))
	r := h.shWith(real, `export DEVENV_MIRROR=/mirror; cd ~/example && devenv run -- make 2>&1 && devenv run -- sh -c 'gcc --version; make --version' && echo 'exit 9' | devenv enter; echo $?; ls`)
	if r.code != 0 || !strings.Contains(r.out, "gcc") || !strings.Contains(r.out, "GNU Make") || !strings.Contains(r.out, "\n9\n") {
		t.Errorf("%v", r)
	}
	t.Logf("%.2000s", r.out)
}
