package native

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// hostLoader is the host's own dynamic linker, and the path of its libraries.
func hostLoader(t *testing.T) (*loader, string) {
	t.Helper()
	for _, p := range []string{"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"} {
		l, err := openLoader(p)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		dirs, _ := filepath.Glob("/lib/*-linux-gnu")
		return l, strings.Join(append(dirs, "/usr/lib", "/lib64"), ":")
	}
	t.Skip("the host has no glibc")
	return nil, ""
}

// write puts a launcher, or the script that does the same, into a file.
func write(t *testing.T, l *launch, asScript bool) string {
	t.Helper()
	text := l.encode()
	if asScript {
		text = l.script()
	}
	path := filepath.Join(t.TempDir(), "tool")
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func kinds(t *testing.T, f func(t *testing.T, asScript bool)) {
	t.Run("program", func(t *testing.T) { f(t, false) })
	t.Run("script", func(t *testing.T) { f(t, true) })
}

// Every kind of change, each with and without a variable that is there, under a
// dynamic linker and executed.
func TestChangesOfVariables(t *testing.T) {
	env, err := exec.LookPath("env")
	if err != nil {
		t.Fatal(err)
	}
	changes := []change{
		{op: set, name: "SET", value: "new"}, {op: set, name: "SET_ANEW", value: ""},
		{op: setDefault, name: "DEFAULT", value: "no"}, {op: setDefault, name: "DEFAULT_ANEW", value: "it's $HOME"},
		{op: appendTo, name: "APPEND", value: "no", more: ":more"}, {op: appendTo, name: "APPEND_ANEW", value: "first:", more: "no"},
		{op: unset, name: "UNSET"}, {op: unset, name: "UNSET_TOO"},
	}
	long := strings.Repeat("x", 100_000)
	caller := []string{"SET=old", "SETTLED=stays", "DEFAULT=", "APPEND=" + long, "UNSET=gone", "UNSETTLED=stays"}
	want := []string{"SETTLED=stays", "DEFAULT=", "APPEND=" + long + ":more", "UNSETTLED=stays", "SET=new", "SET_ANEW=", "DEFAULT_ANEW=it's $HOME", "APPEND_ANEW=first:"}
	slices.Sort(want)
	try := func(t *testing.T, l *launch, asScript bool) {
		t.Helper()
		l.changes = changes
		cmd := exec.Command(write(t, l, asScript))
		cmd.Env = caller
		out, err := cmd.Output()
		got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		got = slices.DeleteFunc(got, func(s string) bool { // a shell's own
			return strings.HasPrefix(s, "PWD=") || strings.HasPrefix(s, "SHLVL=") || strings.HasPrefix(s, "_=") || strings.HasPrefix(s, "OLDPWD=")
		})
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %.300q\nwant %.300q", err, got, want)
		}
	}
	kinds(t, func(t *testing.T, asScript bool) {
		try(t, &launch{file: env, args: []string{callersName}}, asScript)
		loader, path := hostLoader(t)
		try(t, loader.launch(env, callersName, path), asScript)
	})
}

func TestArguments(t *testing.T) {
	sh, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	kinds(t, func(t *testing.T, asScript bool) {
		loader, path := hostLoader(t)
		l := loader.launch(sh, callersName, path)
		l.args = append(l.args, "-c", `echo "$0|$#|$*"; exit 7`, "zero")
		cmd := exec.Command(write(t, l, asScript), "a b", "", "c'd")
		out, _ := cmd.Output()
		if string(out) != "zero|3|a b  c'd\n" || cmd.ProcessState.ExitCode() != 7 {
			t.Errorf("exit code %d: %q", cmd.ProcessState.ExitCode(), out)
		}
	})
}

// What ps(1) shows, and what a program sees of itself, is the launcher.
func TestALauncherIsTheProgram(t *testing.T) {
	if _, ok := code(); !ok {
		t.Skip("launchers are scripts on this architecture")
	}
	loader, path := hostLoader(t)
	cat, err := exec.LookPath("cat")
	if err != nil {
		t.Fatal(err)
	}
	tool := write(t, loader.launch(cat, callersName, path), false)
	cmd := exec.Command(tool, "/proc/self/comm", "/proc/self/cmdline")
	cmd.Args[0] = "my-name"
	out, err := cmd.Output()
	if err != nil || string(out) != "tool\nmy-name\x00/proc/self/comm\x00/proc/self/cmdline\x00" {
		t.Errorf("%v: %q", err, out)
	}
	readlink, err := exec.LookPath("readlink")
	if err != nil {
		t.Fatal(err)
	}
	tool = write(t, loader.launch(readlink, callersName, path), false)
	out, err = exec.Command(tool, "/proc/self/exe").Output()
	if err != nil || string(out) != tool+"\n" {
		t.Errorf("%v: %q", err, out)
	}
}

// Programs may write to what they are given.
func TestArgumentsCanBeWrittenTo(t *testing.T) {
	loader, path := hostLoader(t)
	perl, err := exec.LookPath("perl")
	if err != nil {
		t.Skip("there is no perl, which writes to its arguments")
	}
	l := loader.launch(perl, callersName, path)
	l.args = append(l.args, "-e", `$0 = "another name"; open F, "/proc/self/cmdline"; print <F>, $ENV{SET}`)
	l.changes = []change{{op: set, name: "SET", value: "is there"}}
	out, err := exec.Command(write(t, l, false)).Output()
	if err != nil || !strings.Contains(string(out), "another name") || !strings.Contains(string(out), "is there") {
		t.Errorf("%v: %q", err, out)
	}
	gawk, err := exec.LookPath("gawk")
	if err != nil {
		t.Skip("there is no gawk, which writes to its variables")
	}
	l = loader.launch(gawk, callersName, path)
	l.changes = []change{{op: set, name: "SET", value: "is there"}}
	if out, err := exec.Command(write(t, l, false), `BEGIN { print ENVIRON["SET"] }`).Output(); err != nil || string(out) != "is there\n" {
		t.Errorf("%v: %q", err, out)
	}
}

func TestALauncherSaysWhatIsMissing(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	loader, path := hostLoader(t)
	loader.path = gone
	for _, l := range []*launch{{file: gone, args: []string{callersName}}, loader.launch("/bin/true", callersName, path)} {
		var words bytes.Buffer
		cmd := exec.Command(write(t, l, false))
		cmd.Stderr = &words
		cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code < 126 || !strings.Contains(words.String(), gone) {
			t.Errorf("exit code %d: %q", code, words.String())
		}
	}
}

// An old dynamic linker takes fewer options.
func TestOldLoaders(t *testing.T) {
	l := (&loader{path: "/ld.so"}).launch("/prog", callersName, "/lib")
	if !slices.Equal(l.args, []string{"/ld.so", "--library-path", "/lib", "/prog"}) {
		t.Errorf("%q", l.args)
	}
}

func TestCheckExec(t *testing.T) {
	if err := CheckExec(t.TempDir()); err != nil {
		t.Error(err)
	}
	var st unix.Statfs_t
	if err := unix.Statfs("/proc", &st); err != nil || st.Flags&unix.ST_NOEXEC == 0 {
		t.Skip("/proc is not mounted noexec")
	}
	var noexec *NoExecError
	if err := CheckExec("/proc"); !errors.As(err, &noexec) || !strings.Contains(err.Error(), "DEVENV_CACHE_DIR") {
		t.Error(err)
	}
}

func BenchmarkLauncher(b *testing.B) {
	l, err := openLoader("/lib64/ld-linux-x86-64.so.2")
	if err != nil {
		b.Skip(err)
	}
	launcher := l.launch("/bin/true", callersName, "/lib/x86_64-linux-gnu:/usr/lib")
	for name, text := range map[string][]byte{"program": launcher.encode(), "script": launcher.script()} {
		path := filepath.Join(b.TempDir(), name)
		os.WriteFile(path, text, 0o755)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := exec.Command(path).Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("itself", func(b *testing.B) {
		for b.Loop() {
			exec.Command("/bin/true").Run()
		}
	})
}
