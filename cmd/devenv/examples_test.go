package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// realMirror is the local mirror of real packages, made by devenv-mirror.
func realMirror(t *testing.T) string {
	t.Helper()
	m := os.Getenv("DEVENV_TEST_MIRROR")
	if m == "" {
		t.Skip("DEVENV_TEST_MIRROR names no mirror: `make test` makes one")
	}
	if _, err := os.Stat(filepath.Join(m, "core/os/x86_64/core.db")); err != nil {
		t.Skipf("DEVENV_TEST_MIRROR is no mirror: %v", err)
	}
	return m
}

// TestExamples builds and tests every example, as an unprivileged user, with
// compilers that are not on the host's PATH: nothing is.
func TestExamples(t *testing.T) {
	mirror := realMirror(t)
	if !asNobody(t) {
		return
	}
	examples(t, mirror)
}

// TestExamplesAsRoot does so as root, where no user namespace is made.
func TestExamplesAsRoot(t *testing.T) {
	mirror := realMirror(t)
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	examples(t, mirror, "c-make")
}

func examples(t *testing.T, mirror string, only ...string) {
	home := t.TempDir()
	if len(only) == 0 {
		only = []string{"c-make", "cpp-cmake", "autotools", "meson"}
	}
	for _, name := range only {
		project := filepath.Join(home, name)
		from := filepath.Join(shared.dir, "examples", name)
		if out, err := exec.Command("cp", "-r", from, project).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, goal := range []string{"", "check"} {
			cmd := exec.Command(shared.devenv, strings.Fields("run -- make "+goal)...)
			cmd.Dir = project
			cmd.Env = []string{"HOME=" + home, "PATH=/nonexistent", "DEVENV_MIRROR=" + mirror, "CC=/nonexistent/cc"}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: make %s: %v\n%s", name, goal, err, out)
			}
			if goal == "check" && !strings.Contains(string(out), name+": all tests passed") {
				t.Errorf("%s: make check says\n%s", name, out)
			}
		}
		lock, err := os.ReadFile(filepath.Join(project, "devenv.lock"))
		if err != nil || !strings.Contains(string(lock), `name = "gcc"`) {
			t.Errorf("%s: devenv.lock: %v", name, err)
		}
	}
}
