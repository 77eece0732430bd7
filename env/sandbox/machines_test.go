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

func (m machine) build(t *testing.T, file, program string) {
	t.Helper()
	build := exec.Command("go", "build", "-ldflags", m.flags, "-o", file, program)
	build.Env = append(build.Environ(), "CGO_ENABLED=0", "GOARCH="+m.arch)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", program, err, out)
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
		{"riscv64", asFirst, "qemu-riscv64-static"},
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
	if m.flags != asFirst {
		return
	}
	m.build(t, w.probe, "devenv/cmd/devenv")
	for _, option := range []string{"--version", "--help"} {
		if out, code := w.result(option); code != 0 || !strings.Contains(out, "devenv") {
			t.Errorf("devenv %s: exit %d: %s", option, code, out)
		}
	}
}

// TestPlainBuild: devenv itself enters however it was built, also by go install,
// which knows nothing of the entry.
func TestPlainBuild(t *testing.T) {
	w := newWorld(t, false)
	w.plan()
	w.machine.build(t, w.probe, "devenv/cmd/devenv")
	if out, code := w.result("--version"); code != 0 || !strings.HasPrefix(out, "devenv ") {
		t.Errorf("--version: exit %d: %s", code, out)
	}
	if out, code := w.result("_plan", w.planFile(), "sh", "-c", `echo "$DEVENV_NAME"; exit 7`); code != 7 || out != "test\n" {
		t.Errorf("an entry: exit %d: %s", code, out)
	}
	out, code := w.result("_plan", w.planFile(), "nothing-of-this-name")
	if code != 127 || !strings.Contains(out, "nothing-of-this-name") {
		t.Errorf("an entry without a command: exit %d: %s", code, out)
	}
}

// TestMakefile: the linker is told of the entry where there is one.
func TestMakefile(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed")
	}
	for _, c := range []struct {
		arch, cgo string
		want      bool
	}{{"amd64", "0", true}, {"arm64", "0", true}, {"riscv64", "0", true}, {"arm", "0", false}, {"386", "0", false}, {"amd64", "1", false}} {
		cmd := exec.Command("make", "-C", "../..", "-n", "build")
		cmd.Env = append(cmd.Environ(), "MAKEFLAGS=", "GOARCH="+c.arch, "CGO_ENABLED="+c.cgo)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(out), asFirst); got != c.want {
			t.Errorf("GOARCH=%s CGO_ENABLED=%s: got %v, want %v:\n%s", c.arch, c.cgo, got, c.want, out)
		}
	}
}
