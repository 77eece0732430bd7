package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"devenv/env/sandbox"
)

// nobody is an unprivileged user that every host has.
const nobody = 65534

// world is a cache with a tree of busybox, and a project, that nobody owns.
type world struct {
	t                   *testing.T
	dir, cache, project string
	probe               string
	spec                sandbox.Spec
	without             []string
	uid                 int
	home                string
	machine             machine
	abilities           *sandbox.Abilities // nil to try them
}

// newWorld makes one; first says whether the entry is the probe's first
// instruction.
func newWorld(t *testing.T, first bool) *world {
	t.Helper()
	m := machine{arch: runtime.GOARCH}
	if first {
		m.flags = asFirst
	}
	return newWorldIn(t, "/tmp", m)
}

func newWorldIn(t *testing.T, parent string, m machine) *world {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("busybox is not installed (Debian: busybox-static)")
	}
	dir, err := os.MkdirTemp(parent, "sandbox-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &world{t: t, dir: dir, cache: dir + "/cache", project: dir + "/project", probe: dir + "/probe", uid: os.Getuid(), home: dir, machine: m}
	m.build(t, w.probe, "./testdata/probe")
	bin := w.cache + "/trees/t/fs/usr/bin"
	must(t, os.MkdirAll(bin, 0o755))
	must(t, os.MkdirAll(w.cache+"/plans", 0o755))
	must(t, os.MkdirAll(w.cache+"/tmp", 0o755))
	must(t, os.MkdirAll(w.project+"/sub", 0o755))
	must(t, os.WriteFile(w.project+"/devenv.toml", nil, 0o644))
	must(t, os.Symlink("usr/bin", w.cache+"/trees/t/fs/bin"))
	b, err := os.ReadFile(busybox)
	must(t, err)
	must(t, os.WriteFile(bin+"/busybox", b, 0o755))
	for _, name := range []string{"sh", "true", "false", "cat", "ls", "id", "ps", "sleep", "kill", "env", "touch", "pwd", "mount", "grep", "readlink", "head", "yes"} {
		must(t, os.Symlink("busybox", bin+"/"+name))
	}
	must(t, os.WriteFile(bin+"/script", []byte("echo script \"$@\"\n"), 0o755))
	must(t, os.WriteFile(bin+"/plain", []byte("no program"), 0o644))
	if w.uid == 0 {
		w.uid = nobody
		must(t, os.Chmod(dir, 0o755))
		must(t, exec.Command("chown", "-R", fmt.Sprintf("%d:%d", nobody, nobody), dir).Run())
	}
	w.spec = sandbox.Spec{Cache: w.cache, Lower: []string{"hosts/h/fs", "trees/t/fs"}, Project: w.project, Name: "test",
		Path: []string{"/usr/local/bin", "/usr/bin"}, Shell: []string{"/usr/bin/sh", "-c", "echo the shell"}, Tasks: []string{"task"}}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// command is the probe with arguments, as the unprivileged user.
func (w *world) command(args ...string) *exec.Cmd {
	cmd := exec.Command(w.probe, args...)
	if w.machine.emulator != "" {
		cmd = exec.Command(w.machine.emulator, append([]string{w.probe}, args...)...)
	}
	cmd.Dir = w.project
	cmd.Env = []string{"HOME=" + w.home, "DEVENV_CACHE_DIR=" + w.cache, "PATH=/usr/bin:/bin", "KEPT=yes", "LD_PRELOAD=x", "CFLAGS=-O9"}
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(w.uid), Gid: uint32(w.uid)}}
	}
	return cmd
}

func (w *world) planFile() string {
	return filepath.Join(w.cache, "plans", sandbox.FileName(w.project))
}

func (w *world) plan() {
	w.t.Helper()
	b, err := json.Marshal(map[string]any{"Spec": w.spec, "Home": w.home, "File": w.planFile(), "Without": w.without, "Abilities": w.abilities})
	must(w.t, err)
	name := w.dir + "/setup.json"
	must(w.t, os.WriteFile(name, b, 0o644))
	if out, err := w.command("plan", name).CombinedOutput(); err != nil {
		w.t.Fatalf("making the plan: %v\n%s", err, out)
	}
}

// result runs the probe and gives its output and exit code.
func (w *world) result(args ...string) (string, int) {
	w.t.Helper()
	out, err := w.command(args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	code := 0
	if exit != nil {
		code = exit.ExitCode()
	}
	return string(out), code
}

// each runs a test with the entry before the runtime, and in a child.
func each(t *testing.T, f func(t *testing.T, w *world)) {
	for _, first := range []bool{true, false} {
		t.Run(map[bool]string{true: "first", false: "forked"}[first], func(t *testing.T) {
			f(t, newWorld(t, first))
		})
	}
}

func TestEntry(t *testing.T) { each(t, enters) }

func enters(t *testing.T, w *world) {
	for _, keep := range []bool{false, true} {
		w.spec.KeepProcesses = keep
		w.plan()
		check := func(want string, code int, args ...string) {
			t.Helper()
			got, c := w.result(args...)
			if strings.TrimSpace(got) != want || c != code {
				t.Errorf("keep=%v %q: got %q, exit %d; want %q, exit %d", keep, args, got, c, want, code)
			}
		}
		check("a  b", 0, "run", "--", "sh", "-c", `echo "$1"`, "sh", "a  b")
		check("", 0, "run", "true")
		check("", 1, "run", "--", "false")
		for _, code := range []int{0, 1, 2, 100, 126, 127, 128, 255} {
			check("", code, "run", "sh", "-c", "exit "+strconv.Itoa(code))
		}
		if !keep {
			check("", 128+9, "run", "sh", "-c", "kill -9 $$")
			check("", 128+15, "run", "sh", "-c", "kill -15 $$")
		}
		check("the shell", 0, "enter")
		check(w.project, 0, "run", "pwd")
		check("script x", 0, "run", "script", "x")
		check("yes:/usr/local/bin:/usr/bin::test:"+w.project, 0, "run", "sh", "-c", "echo $KEPT:$PATH:$LD_PRELOAD$CFLAGS:$DEVENV_NAME:$DEVENV_PROJECT")
		check(strconv.Itoa(w.uid)+":"+strconv.Itoa(w.uid), 0, "run", "sh", "-c", "echo $(id -u):$(id -g)")
		check("CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1", 0,
			"run", "grep", "-E", "^(Cap|NoNew)", "/proc/self/status")
		for _, miss := range [][]string{{"run", "--", "nothing-of-this-name"}, {"run", "./nothing"}, {"run", "plain"}} {
			if got, c := w.result(miss...); c != 127 || !strings.Contains(got, "failed") {
				t.Errorf("%q: got %q, exit %d", miss, got, c)
			}
		}
		for _, cold := range [][]string{{"run", "task"}, {"run", "-x"}, {"run"}, {"run", "--"}, {"enter", "x"}, {"lock"}} {
			if got, c := w.result(cold...); c != 99 || !strings.HasPrefix(got, "not warm: ["+cold[0]) {
				t.Errorf("%q: got %q, exit %d", cold, got, c)
			}
		}
	}
}

// TestCovers tries what must not be possible: to write into the cache, to see
// the host's /usr, to leave a trace in what the environment replaces.
func TestCovers(t *testing.T) {
	w := newWorld(t, true)
	w.plan()
	if out, code := w.result("run", "touch", w.cache+"/x"); code == 0 || !strings.Contains(out, "Read-only") {
		t.Errorf("the cache can be written: %q, exit %d", out, code)
	}
	if out, _ := w.result("run", "ls", "/usr"); strings.TrimSpace(out) != "bin\nlocal" {
		t.Errorf("/usr holds %q", out)
	}
	if out, code := w.result("run", "sh", "-c", "touch /usr/bin/x /etc/x && ls /usr/bin/x"); code != 0 {
		t.Errorf("the environment cannot be written: %q", out)
	}
	for _, p := range []string{w.cache + "/trees/t/fs/usr/bin/x", "/usr/bin/x", "/etc/x"} {
		if _, err := os.Stat(p); err == nil {
			t.Errorf("%s is left behind", p)
		}
	}
	if out, _ := w.result("run", "touch", w.project+"/made"); out != "" {
		t.Errorf("the project cannot be written: %s", out)
	}
	count := w.command()
	count.Path, count.Args = "/bin/sh", []string{"sh", "-c", "ls -l /proc/self/fd"}
	outside, err := count.CombinedOutput()
	must(t, err)
	if out, _ := w.result("run", "sh", "-c", "ls -l /proc/self/fd"); strings.Count(out, "->") > bytes.Count(outside, []byte("->")) {
		t.Errorf("descriptors leak:\n%s\noutside:\n%s", out, outside)
	}
}

// TestBackground: what was started inside ends with the entry, also when its
// process is killed.
func TestBackground(t *testing.T) {
	each(t, background)
}

func background(t *testing.T, w *world) {
	w.plan()
	name := fmt.Sprint(1e6 + os.Getpid())
	alive := func() bool {
		return exec.Command("pgrep", "-f", "sleep "+name).Run() == nil
	}
	if out, code := w.result("run", "sh", "-c", "sleep "+name+" >/dev/null 2>&1 & exit 3"); code != 3 {
		t.Fatalf("exit %d: %s", code, out)
	}
	if alive() {
		t.Error("a background process outlives run")
	}
	cmd := w.command("run", "sh", "-c", "sleep "+name+" & sleep "+name)
	must(t, cmd.Start())
	for range 200 {
		if time.Sleep(10 * time.Millisecond); alive() {
			break
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	for range 200 {
		if time.Sleep(10 * time.Millisecond); !alive() {
			return
		}
	}
	t.Error("processes outlive a killed run")
}

// TestSignals: what is sent to devenv reaches the command.
func TestSignals(t *testing.T) {
	w := newWorld(t, true)
	w.plan()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1} {
		cmd := w.command("run", "sh", "-c", fmt.Sprintf("trap 'exit %d' %d; echo ready; while :; do sleep 0.05; done", 40+int(s), int(s)))
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		b := make([]byte, 16)
		out.Read(b)
		must(t, cmd.Process.Signal(s))
		err = cmd.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 40+int(s) {
			t.Errorf("%v: %v", s, err)
		}
	}
}

// TestStale: nothing that the plan was made from may differ.
func TestStale(t *testing.T) {
	w := newWorld(t, true)
	toml := w.project + "/devenv.toml"
	extra := w.project + "/devenv.local.toml"
	base := w.spec
	fresh := func() {
		t.Helper()
		w.spec = base
		w.spec.Depend = []sandbox.Check{sandbox.Stat(toml), sandbox.Stat(extra), sandbox.Stat(w.cache + "/trees/t/fs")}
		w.spec.Want = []string{"KEPT=yes", "ABSENT"}
		w.plan()
		if out, code := w.result("run", "true"); code != 0 {
			t.Fatalf("not warm when fresh: %s", out)
		}
	}
	stale := func(what string) {
		t.Helper()
		if out, code := w.result("run", "true"); code != 99 {
			t.Errorf("%s: entered: exit %d %s", what, code, out)
		}
	}
	fresh()
	st, err := os.Stat(toml)
	must(t, err)
	must(t, os.WriteFile(toml, nil, 0o644))
	must(t, os.Chtimes(toml, st.ModTime(), st.ModTime()))
	stale("same size and mtime")
	fresh()
	must(t, os.WriteFile(extra, nil, 0o644))
	stale("a file appeared")
	must(t, os.Remove(extra))
	fresh()
	cmd := w.command("run", "true")
	cmd.Env = append(cmd.Env, "KEPT=no")
	cmd.Env = slices.DeleteFunc(cmd.Env, func(s string) bool { return s == "KEPT=yes" })
	if cmd.Run(); cmd.ProcessState.ExitCode() != 99 {
		t.Error("another value of a variable: entered")
	}
	cmd = w.command("run", "true")
	cmd.Env = append(cmd.Env, "ABSENT=")
	if cmd.Run(); cmd.ProcessState.ExitCode() != 99 {
		t.Error("a variable that must not be set: entered")
	}
	plan := filepath.Join(w.cache, "plans", sandbox.FileName(w.project))
	b, err := os.ReadFile(plan)
	must(t, err)
	for _, damage := range []func([]byte) []byte{
		func(b []byte) []byte { b[len(b)-9] ^= 1; return b },
		func(b []byte) []byte { return b[:len(b)-8] },
		func(b []byte) []byte { return append(b, 0) },
		func(b []byte) []byte { return nil },
		func(b []byte) []byte { b[0]++; return b },
	} {
		must(t, os.WriteFile(plan, damage(slices.Clone(b)), 0o644))
		stale("damaged plan")
	}
	fresh()
	moved := w.dir + "/moved"
	must(t, os.Rename(w.project, moved))
	cmd = w.command("run", "true")
	cmd.Dir = moved
	if cmd.Run(); cmd.ProcessState.ExitCode() != 99 {
		t.Error("a moved project: entered")
	}
	must(t, os.Rename(moved, w.project))
	fresh()
	must(t, os.Rename(w.cache+"/trees/t", w.cache+"/trees/u"))
	stale("a removed tree")
	must(t, os.Rename(w.cache+"/trees/u", w.cache+"/trees/t"))
	if os.Getuid() == 0 {
		fresh()
		cmd := exec.Command(w.probe, "run", "true")
		cmd.Dir, cmd.Env = w.project, w.command().Env
		if cmd.Run(); cmd.ProcessState.ExitCode() != 99 {
			t.Error("another user's plan: entered")
		}
	}
}

// TestSubdirectory: the nearest devenv.toml upward is the project's.
func TestSubdirectory(t *testing.T) {
	w := newWorld(t, true)
	w.plan()
	cmd := w.command("run", "pwd")
	cmd.Dir = w.project + "/sub"
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != cmd.Dir {
		t.Errorf("%v %s", err, out)
	}
}

// TestSystemCalls counts what a warm entry costs, which no machine's noise
// changes: the calls of the three processes up to the command's first own.
func TestSystemCalls(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed")
	}
	w := newWorld(t, true)
	w.plan()
	trace := w.dir + "/trace"
	cmd := w.command("run", "true")
	cmd.Args = append([]string{"strace", "-f", "-qq", "-o", trace}, cmd.Args...)
	cmd.Args[4+1] = w.probe
	cmd.Path, _ = exec.LookPath("strace")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(trace)
	must(t, err)
	own := 0
	execs := 0
	for line := range bytes.Lines(b) {
		if regexp.MustCompile(`execve\(.*= 0$`).Match(bytes.TrimSpace(line)) {
			execs++
		}
		if execs == 2 {
			break
		}
		if regexp.MustCompile(`^\d+ +(<\.\.\. )?\w+(\(| resumed)`).Match(line) && !bytes.Contains(line, []byte("PR_CAPBSET_DROP")) && !bytes.Contains(line, []byte("resumed")) {
			own++
		}
	}
	for _, never := range []string{"socket(", "connect(", "clone3(", "mmap(", "futex("} {
		before, _, _ := bytes.Cut(b, []byte("/usr/bin/true"))
		if bytes.Contains(before, []byte(never)) {
			t.Errorf("a warm entry calls %s)", never)
		}
	}
	t.Logf("%d system calls before the command's own, dropping of capabilities not counted", own)
	entries, err := os.ReadDir("/")
	must(t, err)
	if limit := 80 + len(entries); own > limit {
		t.Errorf("%d system calls, more than %d:\n%s", own, limit, b)
	}
}

// TestFallbacks forces each way that an entry can take on a host that allows
// less.
func TestFallbacks(t *testing.T) {
	w := newWorld(t, true)
	etc := w.cache + "/trees/t/fs/etc"
	must(t, os.MkdirAll(etc+"/sub", 0o755))
	must(t, os.WriteFile(etc+"/sub/file", []byte("of the environment\n"), 0o644))
	must(t, os.Symlink("sub/file", etc+"/link"))
	must(t, os.MkdirAll(w.cache+"/trees/t/fs/var/lib", 0o755))
	w.own()
	for _, without := range [][]string{{"overlay"}, {"pidns"}, {"overlay", "pidns"}} {
		w.without = without
		w.plan()
		script := "set -e; cat /etc/link; echo changed >/etc/sub/file; cat /etc/sub/file; touch /var/lib/x /etc/new; id -un"
		out, code := w.result("run", "sh", "-c", script)
		if code != 0 || !strings.HasPrefix(out, "of the environment\nchanged\n") {
			t.Errorf("without %v: exit %d: %s", without, code, out)
		}
		if out, code := w.result("run", "sh", "-c", "exit 7"); code != 7 {
			t.Errorf("without %v: exit %d: %s", without, code, out)
		}
		if b, _ := os.ReadFile(etc + "/sub/file"); string(b) != "of the environment\n" {
			t.Fatalf("without %v: the tree was written to", without)
		}
		if slices.Contains(without, "overlay") {
			if out, code := w.result("run", "touch", "/usr/bin/x"); code == 0 {
				t.Errorf("without %v: /usr can be written: %s", without, out)
			}
		}
	}
	w.without, w.spec.Top = []string{"xattr"}, w.dir+"/top"
	must(t, os.Mkdir(w.spec.Top, 0o755))
	w.own()
	w.plan()
	if out, code := w.result("run", "sh", "-c", "touch /etc/kept && rm -r /etc/sub && mkdir /etc/sub && ls /etc/sub"); code != 0 || strings.TrimSpace(out) != "" {
		t.Errorf("without xattr: exit %d: %s", code, out)
	}
	if _, err := os.Stat(w.spec.Top + "/upper/etc/kept"); err != nil {
		t.Errorf("without xattr: %v", err)
	}
}

// own gives what a test made to the unprivileged user.
func (w *world) own() {
	if os.Getuid() == 0 {
		must(w.t, exec.Command("chown", "-R", fmt.Sprintf("%d:%d", w.uid, w.uid), w.dir).Run())
	}
}

// TestHome: another home than the host's keeps the project, and what is to be
// kept, and loses the rest.
func TestHome(t *testing.T) {
	w := newWorld(t, true)
	must(t, os.MkdirAll(w.dir+"/kept", 0o755))
	must(t, os.WriteFile(w.dir+"/mine", []byte("host\n"), 0o644))
	must(t, os.WriteFile(w.dir+"/file", []byte("a\n"), 0o644))
	w.own()
	script := "cat ~/mine; echo lost > ~/mine; echo x > ~/new; echo y > ~/kept/y; echo b > ~/file; touch " + w.project + "/z /tmp/devenv-test-private; exit 5"
	for _, mode := range []sandbox.HomeMode{sandbox.HomeEphemeral, sandbox.HomeEmpty} {
		w.spec.Home, w.spec.PrivateTmp = mode, true
		w.spec.Keep = []string{w.dir + "/kept", w.dir + "/file", w.dir + "/absent"}
		w.plan()
		out, code := w.result("run", "sh", "-c", script)
		if code != 5 || (mode == sandbox.HomeEphemeral) != strings.HasPrefix(out, "host\n") {
			t.Errorf("%s: exit %d: %s", mode, code, out)
		}
		for _, gone := range []string{w.dir + "/new", "/tmp/devenv-test-private"} {
			if _, err := os.Stat(gone); err == nil {
				t.Errorf("%s: %s is left", mode, gone)
			}
		}
		if b, _ := os.ReadFile(w.dir + "/mine"); string(b) != "host\n" {
			t.Errorf("%s: the host's file holds %q", mode, b)
		}
		for _, there := range []string{w.dir + "/kept/y", w.project + "/z"} {
			if err := os.Remove(there); err != nil {
				t.Errorf("%s: %v", mode, err)
			}
		}
		if b, _ := os.ReadFile(w.dir + "/file"); string(b) != "b\n" {
			t.Errorf("%s: the kept file holds %q", mode, b)
		}
	}
}
