package main_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// How `run --native` ends, and what it passes on, is tried with every other way
// in: see entries.

// TestNativeProject: a project's tools, variables and tasks on the host as it is.
func TestNativeProject(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox", "tool", "cc")
		p.write(p.project+"/devenv.toml", `[packages]
busybox = "*"
tool = "*"
cc = "*"
[env]
GREETING = "hello $USER_NAME"
PATH = "$DEVENV_X/extra:$PATH"
[shell]
on-enter = "echo entered $GREETING"
[shell.aliases]
hi = "echo alias"
[tasks]
greet = { command = "tool $GREETING", cwd = "sub" }
all = { command = "pwd", depends = ["greet"] }
`)
		os.MkdirAll(p.project+"/sub", 0o755)
		p.set("USER_NAME=me", "DEVENV_X=/x", "HIDDEN=from --pure")
		run := func(words ...string) string { return p.must(append([]string{"run", "--native"}, words...)...) }

		if got := run("--", "tool", "a", "b c"); got != "tool new a b c" {
			t.Errorf("a script: %q", got)
		}
		got := run("--", "/bin/sh", "-c", `echo "$DEVENV_NAME,$DEVENV_PROJECT,$GREETING"; echo $PATH; readlink /proc/self/ns/mnt`)
		lines := strings.Split(got, "\n")
		ns, _ := os.Readlink("/proc/self/ns/mnt")
		if lines[0] != "project,"+p.project+",hello me" || lines[2] != ns {
			t.Errorf("variables and namespace: %q", lines)
		}
		if !strings.HasPrefix(lines[1], "/x/extra:") || !strings.Contains(lines[1], "/launchers/") || !strings.HasSuffix(lines[1], ":"+os.Getenv("PATH")) {
			t.Errorf("PATH: %q", lines[1])
		}
		if got := run("all"); !strings.HasSuffix(got, "tool new hello me\n"+p.project) {
			t.Errorf("tasks: %q", got)
		}
		if got := run("--pure", "--", "/bin/sh", "-c", "echo ${HIDDEN-gone} $GREETING"); got != "gone hello me" {
			t.Errorf("--pure: %q", got)
		}
		if r := p.try("run", "--native", "--", "cc"); r.code != 126 || !strings.Contains(r.err, "cannot run on the host as it is: a compiler") || !strings.Contains(r.err, "`devenv run -- cc`") {
			t.Errorf("what cannot run natively: %v", r)
		}
		for _, flag := range []string{"--ephemeral", "--no-network", "--read-only-project", "--explain", "--without=pidns"} {
			if r := p.try("run", "--native", flag, "--", "true"); r.code != 2 || !strings.Contains(r.err, "needs a namespace") {
				t.Errorf("%s: %v", flag, r)
			}
		}
		if r := p.try("run", "--", "/bin/sh", "-c", "cd "+p.project+" && exec devenv run --native -- true"); r.code != 1 || !strings.Contains(r.err, "inside another environment") {
			t.Errorf("from inside: %v", r)
		}
		cmd := p.command("enter", "--native")
		cmd.Stdin = strings.NewReader("tool in\nexit 9\n")
		if r := resultOf(t, cmd); r.code != 9 || r.out != "tool new in\n" {
			t.Errorf("a shell that reads a script: %v", r)
		}
	})
}

// TestNativeShells: the host's own shells, with the mark of the project.
func TestNativeShells(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox", "tool")
		p.write(p.project+"/devenv.toml", "packages.tool = \"*\"\n[env]\nX = \"x\"\n[shell]\non-enter = \"echo entered $X\"\n[shell.aliases]\nhi = \"echo alias\"\n")
		for _, shell := range []string{"bash", "zsh", "fish"} {
			t.Run(shell, func(t *testing.T) {
				q := *p
				q.t = t
				q.set("SHELL=/bin/" + shell)
				s := onScreen(t, q.command("enter", "--native"))
				s.until("entered x")
				s.prompt("project")
				s.keys("clear; hi; tool $X $DEVENV_NAME\r")
				s.until("alias\ntool new x project")
				s.prompt("project")
				s.keys("sleep 1000; true\r")
				s.until("sleep 1000; true")
				time.Sleep(200 * time.Millisecond)
				s.keys("\x03")
				s.prompt("project")
				s.keys("exit 7\r")
				if code := s.exit(); code != 7 {
					t.Errorf("exit %d:\n%s", code, s)
				}
			})
		}
	})
}

// TestNativeSetUp: what set-up makes is there natively, too: a locale that the
// host need not have.
func TestNativeSetUp(t *testing.T) {
	if bigMirror(t); !asNobody(t) {
		return
	}
	p := bigPlace(t)
	p.write(p.project+"/devenv.toml", "base = [\"bash\", \"gzip\"]\npackages.glibc = \"*\"\nlocale.generate = [\"de_DE.UTF-8\"]\n")
	p.set("LC_ALL=de_DE.UTF-8")
	if r := p.try("run", "--native", "--", "locale", "decimal_point"); r.code != 0 || r.out != ",\n" {
		t.Errorf("%v", r)
	}
}

// waiting is a command that has said "ready" and waits for a line.
type waiting struct {
	in   io.WriteCloser
	out  *bufio.Reader
	wait func() error
}

func (p *place) waiting(args ...string) *waiting {
	p.t.Helper()
	cmd := p.command(args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	w := &waiting{in: in, out: bufio.NewReader(out), wait: cmd.Wait}
	if line, err := w.out.ReadString('\n'); line != "ready\n" {
		p.t.Fatalf("%v says %q, %v", args, line, err)
	}
	return w
}

// TestNativeIsHeld: gc takes nothing away that something runs from, neither from
// a command and what it has started, nor from a shell.
func TestNativeIsHeld(t *testing.T) {
	everyone(t, func(t *testing.T) {
		base := newPlace(t, "busybox", "tool")
		launchers := func(p *place) (n int) {
			list, _ := filepath.Glob(p.dir + "/cache/launchers/*/bin/tool")
			return len(list)
		}
		for name, start := range map[string][]string{
			"run --native":   {"run", "--native", "--", "/bin/sh", "-c", "echo ready; read x; tool $x"},
			"its child":      {"run", "--native", "--", "/bin/sh", "-c", "(echo ready; read x; tool $x) <&3 & wait"},
			"enter --native": {"enter", "--native"},
			"shell":          {"shell", "tool", "busybox", "--", "/bin/sh", "-c", "echo ready; read x; tool $x"},
		} {
			t.Run(name, func(t *testing.T) {
				p := *base
				p.t, p.dir = t, t.TempDir()
				p.set("DEVENV_CACHE_DIR=" + p.dir + "/cache")
				p.write(p.project+"/devenv.toml", "packages.busybox = \"*\"\npackages.tool = \"*\"\n")
				if name == "its child" {
					start[5] = "exec 3<&0; " + start[5]
				}
				var w *waiting
				if name == "enter --native" {
					cmd := p.command(start...)
					cmd.Stdin = strings.NewReader("echo ready; while [ ! -e " + p.dir + "/go ]; do sleep 0.05; done; tool x\n")
					out, err := cmd.StdoutPipe()
					if err != nil {
						t.Fatal(err)
					}
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
					w = &waiting{out: bufio.NewReader(out), wait: cmd.Wait}
					if line, err := w.out.ReadString('\n'); line != "ready\n" {
						t.Fatalf("says %q, %v", line, err)
					}
				} else {
					w = p.waiting(start...)
				}
				// Nothing but the running command uses it now.
				records, _ := filepath.Glob(p.dir + "/cache/projects/*")
				for _, r := range records {
					os.Remove(r)
				}
				if out := p.must("cache", "gc"); launchers(&p) != 1 {
					t.Fatalf("gc took the launchers:\n%s", out)
				}
				if w.in != nil {
					fmt.Fprintln(w.in, "x")
					w.in.Close()
				}
				os.WriteFile(p.dir+"/go", nil, 0o644)
				said, _ := io.ReadAll(w.out)
				if err := w.wait(); err != nil || string(said) != "tool new x\n" {
					t.Errorf("%q, %v", said, err)
				}
				if out := p.must("cache", "gc"); launchers(&p) != 0 {
					t.Errorf("gc leaves the launchers:\n%s", out)
				}
				if left, _ := filepath.Glob(p.dir + "/cache/launchers/*"); len(left) > 0 {
					t.Errorf("left: %q", left)
				}
			})
		}
	})
}

// TestNativeProjectOnAForeignHost: a project's tools where there is nothing but
// busybox, and no user namespace is to be had. What says so names --native.
func TestNativeProjectOnAForeignHost(t *testing.T) {
	lab := newLab(t, realMirror(t))
	work := lab.work(t, "project", false)
	toml := "[packages]\njq = \"*\"\nzsh = \"*\"\n[env]\nX = \"x\"\n[tasks]\nanswer = \"jq -n 6*7\"\n"
	if err := os.WriteFile(work+"/devenv.toml", []byte(toml), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(work+"/devenv.toml", lab.uid, lab.uid); err != nil {
		t.Fatal(err)
	}
	try := func(in string, args ...string) result {
		cmd := lab.command(t, work, true, false, append([]string{"-q"}, args...)...)
		cmd.Stdin = strings.NewReader(in)
		return resultOf(t, cmd)
	}
	if r := try("{\"a\": 1}", "run", "--native", "--", "jq", "-c", "[.a, env.X]"); r != (result{out: "[1,\"x\"]\n"}) {
		t.Errorf("a command: %v", r)
	}
	if r := try("", "run", "--native", "answer"); r != (result{out: "42\n"}) {
		t.Errorf("a task: %v", r)
	}
	if r := try("", "run", "--native", "--", "/bin/sh", "-c", "kill -9 $$"); r.code != -1 {
		t.Errorf("death by a signal is devenv's own: %v", r)
	}
	if r := try("jq -n 1; exit 5\n", "enter", "--native"); r != (result{out: "1\n", code: 5}) {
		t.Errorf("a shell: %v", r)
	}
	if r := try("", "run", "--native", "--", "zsh", "--version"); r.code != 126 || !strings.Contains(r.err, "zsh cannot run on the host as it is") {
		t.Errorf("zsh: %v", r)
	}
	if r := try("", "run", "--", "jq", "-n", "1"); r.code != 1 || !strings.Contains(r.err, "refuses user namespaces") || !strings.Contains(r.err, "devenv run --native -- COMMAND") {
		t.Errorf("an entry: %v", r)
	}
}

// TestNoExec: from a cache on a file system that is mounted noexec nothing can
// be started; that is said, and what to do.
func TestNoExec(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "tool")
		cache := p.dir + "/no exec"
		os.Mkdir(cache, 0o755)
		p.set("DEVENV_CACHE_DIR=" + cache + "/cache")
		for _, args := range []string{"shell tool -- tool", "run --native -- tool"} {
			unshare := []string{"unshare", "-m", "sh", "-c", "mount -t tmpfs -o noexec none '" + cache + "' && exec " + shared.devenv + " " + args}
			if os.Getuid() != 0 {
				unshare[1] = "-rm"
			}
			r := resultOf(t, p.host(unshare...))
			if r.code != 1 || !strings.Contains(r.err, cache+"/cache is on a file system that is mounted noexec") || !strings.Contains(r.err, "set DEVENV_CACHE_DIR") || !strings.Contains(r.err, "mount -o remount,exec "+cache+"\n") {
				t.Errorf("%s: %v", args, r)
			}
		}
	})
}
