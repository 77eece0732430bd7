package entry_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMachineCode reads what the compiler made of this package: before the Go
// runtime runs, nothing may call into it. What a bounds check or a full stack
// would call is there, and never reached: indexes are checked before, and the
// fake g's stack has no end.
func TestMachineCode(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "probe")
	build := exec.Command("go", "build", "-ldflags", "-E devenv/env/sandbox/entry.entry", "-o", bin, "devenv/env/sandbox/testdata/probe")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the probe: %v\n%s", err, out)
	}
	out, err := exec.Command("go", "tool", "objdump", "-s", `^devenv/env/sandbox/entry\.`, bin).Output()
	if err != nil {
		t.Fatal(err)
	}
	allowed := regexp.MustCompile(`^(devenv/env/sandbox/entry\.|runtime\.panicBounds\(|runtime\.morestack_noctxt\.abi0\(|_rt0_amd64_linux\()`)
	calls := 0
	for line := range strings.Lines(string(out)) {
		m := regexp.MustCompile(`\b(?:CALL|JMP)\s+(\S+\(SB\))`).FindStringSubmatch(line)
		if m == nil {
			continue
		}
		calls++
		if !allowed.MatchString(m[1]) {
			t.Errorf("calls %s:\n%s", m[1], line)
		}
	}
	if calls < 30 {
		t.Errorf("only %d calls found: is the package in the program at all?", calls)
	}
}

// TestImports holds the package to its word: unsafe alone.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{join .Imports \" \"}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != "unsafe" {
		t.Errorf("imports %s", got)
	}
}
