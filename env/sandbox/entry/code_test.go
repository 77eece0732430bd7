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
// fake g's stack has no end. Where there is no assembly the code runs in a child
// that has no runtime any more, which is no different.
func TestMachineCode(t *testing.T) {
	for arch, flags := range map[string]string{"amd64": first, "arm64": first, "riscv64": first, "arm": ""} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			machineCode(t, arch, flags)
		})
	}
}

const first = "-E devenv/env/sandbox/entry.entry"

var (
	function = regexp.MustCompile(`^TEXT devenv/env/sandbox/entry\.(\S+)\(SB\)`)
	call     = regexp.MustCompile(`\b(?:CALL|JMP|BL|B)\s+(\S+\(SB\))`)
	allowed  = regexp.MustCompile(`^(devenv/env/sandbox/entry\.|runtime\.panicBounds\(|runtime\.morestack_noctxt(\.abi0)?\(|_rt0_(amd64|arm64|riscv64)_linux\()`)
	ordinary = regexp.MustCompile(`^syscall\.runtime_(Before|After)Fork(InChild)?\(`)
)

func machineCode(t *testing.T, arch, flags string) {
	bin := filepath.Join(t.TempDir(), "probe")
	build := exec.Command("go", "build", "-ldflags", flags, "-o", bin, "devenv/env/sandbox/testdata/probe")
	build.Env = append(build.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the probe: %v\n%s", err, out)
	}
	out, err := exec.Command("go", "tool", "objdump", "-s", `^devenv/env/sandbox/entry\.`, bin).Output()
	if err != nil {
		t.Fatal(err)
	}
	calls, in := 0, ""
	for line := range strings.Lines(string(out)) {
		if m := function.FindStringSubmatch(line); m != nil {
			in = m[1]
		}
		m := call.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		calls++
		switch to := m[1]; {
		case allowed.MatchString(to):
		case in == "Fork" && ordinary.MatchString(to): // the one function of ordinary Go
		case in == "sys6" && to == "syscall.RawSyscall6(SB)":
		default:
			t.Errorf("%s calls %s:\n%s", in, to, line)
		}
	}
	if calls < 30 {
		t.Errorf("only %d calls found: is the package in the program at all?", calls)
	}
}

// TestImports holds the package to its word: unsafe alone.
func TestImports(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64", "riscv64", "arm"} {
		list := exec.Command("go", "list", "-f", "{{join .Imports \" \"}}", ".")
		list.Env = append(list.Environ(), "GOARCH="+arch)
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(out)); got != "unsafe" {
			t.Errorf("%s: imports %s", arch, got)
		}
	}
}
