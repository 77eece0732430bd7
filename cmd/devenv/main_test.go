package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The tests drive the program as a person does. They build it once, with the
// entry as its first instruction, and make one small mirror of packages that
// hold busybox; both lie in a directory that every user can read.
var shared struct {
	dir, devenv, mirror string
}

// nobody is an unprivileged user that every host has.
const nobody = 65534

// again says to the test program that it was started by itself, as nobody.
const again = "DEVENV_TEST_SHARED"

func TestMain(m *testing.M) {
	os.Exit(func() int {
		shared.dir = os.Getenv(again)
		if shared.dir == "" {
			if err := prepare(); err != nil {
				fmt.Fprintln(os.Stderr, "preparing the tests:", err)
				return 1
			}
			defer os.RemoveAll(shared.dir)
		}
		shared.devenv, shared.mirror = shared.dir+"/bin/devenv", shared.dir+"/mirror"
		return m.Run()
	}())
}

func prepare() error {
	dir, err := os.MkdirTemp("/tmp", "devenv-test-")
	if err != nil {
		return err
	}
	shared.dir = dir
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-tags", "urfave_cli_no_docs", "-ldflags", "-E devenv/env/sandbox/entry.entry -X main.version=test", "-o", dir+"/bin/devenv", ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building devenv: %w\n%s", err, out)
	}
	// Where nobody can read them, whoever owns the checkout.
	if out, err := exec.Command("cp", "-r", "../../examples", dir+"/examples").CombinedOutput(); err != nil {
		return fmt.Errorf("copying the examples: %w\n%s", err, out)
	}
	if err := exec.Command("chmod", "-R", "a+rX", dir+"/examples").Run(); err != nil {
		return err
	}
	return makeMirror(dir + "/mirror")
}

// asNobody runs the calling test again as an unprivileged user, which is what
// most people are. It reports whether the caller is that second run, or no
// second run is needed.
func asNobody(t *testing.T) (here bool) {
	t.Helper()
	if os.Getuid() != 0 {
		return true
	}
	dir := t.TempDir()
	for d := dir; d != "/tmp" && d != "/"; d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	work := dir + "/work"
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(work, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	self := dir + "/self"
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(self, exe, 0o755); err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	// The scripts must be where nobody can read them.
	if out, err := exec.Command("cp", "-r", wd+"/testdata", dir+"/testdata").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(self, "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v")
	cmd.Dir = dir
	cmd.Env = []string{again + "=" + shared.dir, "HOME=" + work, "TMPDIR=" + work, "PATH=" + os.Getenv("PATH"), "DEVENV_TEST_MIRROR=" + os.Getenv("DEVENV_TEST_MIRROR")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("as an unprivileged user: %v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("as an unprivileged user: %s", out)
	}
	return false
}

func scripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", shared.dir+"/bin:"+e.Getenv("PATH"))
			e.Setenv("MIRROR", shared.mirror)
			e.Setenv("HOME", e.WorkDir+"/home")
			e.Setenv("XDG_CACHE_HOME", "")
			e.Setenv("XDG_CONFIG_HOME", "")
			e.Setenv("NO_COLOR", "1")
			if err := os.MkdirAll(e.WorkDir+"/home/.config/devenv", 0o755); err != nil {
				return err
			}
			config := fmt.Sprintf("base = [\"busybox\"]\n[mirrors]\nservers = [\"%s/$repo/os/$arch\"]\narchive = \"%s/archive\"\nrepos = [\"core\"]\nsiglevel = \"never\"\n", shared.mirror, shared.mirror)
			return os.WriteFile(e.WorkDir+"/home/.config/devenv/config.toml", []byte(config), 0o644)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit":   exitCode,
			"damage": damage,
		},
	})
}

// exitCode runs a command that must end with a code: exit CODE COMMAND…
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: exit CODE COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if exit, ok := err.(*exec.ExitError); ok {
		got = fmt.Sprint(exit.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit %s, want %s (%v)", got, args[0], err)
	}
}

// damage changes one byte in the middle of a file: damage FILE
func damage(ts *testscript.TestScript, neg bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	b[len(b)/2] ^= 0x55
	os.Remove(path)
	ts.Check(os.WriteFile(path, b, 0o644))
}

// TestScripts runs testdata/script as whoever runs the tests.
func TestScripts(t *testing.T) { scripts(t) }

// TestScriptsUnprivileged runs them as an unprivileged user if that is another.
func TestScriptsUnprivileged(t *testing.T) {
	if os.Getuid() != 0 && os.Getenv(again) == "" {
		t.Skip("already an unprivileged user: TestScripts is this test")
	}
	if asNobody(t) {
		scripts(t)
	}
}
