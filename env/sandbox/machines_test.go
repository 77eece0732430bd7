package sandbox_test

import (
	"os/exec"
	"strings"
	"testing"

	"devenv/env/sandbox"
)

// machine is what the probe is built for and runs on.
type machine struct {
	arch     string
	flags    string // of the linker
	emulator string // "" if this machine runs it
}

// asFirst makes the entry the program's first instruction.
const asFirst = "-E devenv/env/sandbox/entry.entry"

func (m machine) build(t *testing.T, file string) {
	t.Helper()
	build := exec.Command("go", "build", "-ldflags", m.flags, "-o", file, "./testdata/probe")
	build.Env = append(build.Environ(), "CGO_ENABLED=0", "GOARCH="+m.arch)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the probe: %v\n%s", err, out)
	}
}

// TestMachines enters by programs of other machines: by one with 32 bits and no
// assembly that this kernel runs as well, and by those that qemu emulates.
func TestMachines(t *testing.T) {
	t.Run("386", func(t *testing.T) {
		w := newWorldIn(t, "/tmp", machine{arch: "386"})
		if err := w.command().Start(); err != nil && strings.Contains(err.Error(), "exec format error") {
			t.Skip("this kernel runs no programs for 386")
		}
		enters(t, w)
	})
	for _, m := range []machine{
		{"arm64", asFirst, "qemu-aarch64-static"},
		{"riscv64", "", "qemu-riscv64-static"},
		{"arm", "", "qemu-arm-static"},
	} {
		t.Run(m.arch, func(t *testing.T) { emulated(t, m) })
	}
}

// emulated enters as root, for qemu has threads, and so can make no user
// namespace. Nor does it know open_tree(2): the cache lies where no entry has to
// cover it. What is executed inside is this machine's own program.
func emulated(t *testing.T, m machine) {
	if _, err := exec.LookPath(m.emulator); err != nil {
		t.Skipf("%s is not installed (Debian: qemu-user-static)", m.emulator)
	}
	h, err := sandbox.Look(t.Context(), "", "", func(string) bool { return false })
	must(t, err)
	if !h.Privileged {
		t.Skip("only root can enter in an emulator")
	}
	w := newWorldIn(t, "/var/tmp", m)
	w.uid, w.home = 0, w.project
	w.abilities = &sandbox.Abilities{Overlay: true, FreshProc: true}
	for _, keep := range []bool{false, true} {
		w.spec.KeepProcesses = keep
		w.plan()
		for _, c := range []struct {
			out  string
			code int
			args []string
		}{
			{"a  b\n", 7, []string{"run", "--", "sh", "-c", `echo "$1"; exit 7`, "sh", "a  b"}},
			{"the shell\n", 0, []string{"enter"}},
			{"bin\nlocal\n", 0, []string{"run", "ls", "/usr"}},
			{"not warm: [lock]\n", 99, []string{"lock"}},
			{"not warm: [run task]\n", 99, []string{"run", "task"}},
		} {
			if out, code := w.result(c.args...); out != c.out || code != c.code {
				t.Errorf("keep=%v %q: got %q, exit %d; want %q, exit %d", keep, c.args, out, code, c.out, c.code)
			}
		}
	}
	if out, code := w.result("run", "sh", "-c", "kill -TERM $$"); code != 128+15 && code != -1 {
		t.Errorf("ended by a signal: %s, exit %d", out, code)
	}
}
