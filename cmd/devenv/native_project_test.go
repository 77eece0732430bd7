package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
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

// TestShellAsksOnce: a second use within a day asks no network; with a day of
// the archive it never does again.
func TestShellAsksOnce(t *testing.T) {
	everyone(t, func(t *testing.T) {
		var asked atomic.Int64
		files := http.FileServer(http.Dir(shared.mirror))
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			files.ServeHTTP(w, r)
		}))
		defer s.Close()
		p := newPlace(t)
		p.set("DEVENV_CACHE_DIR="+p.dir+"/cache", "no_proxy=*")
		p.write(p.home+"/.config/devenv/config.toml", mirrorConfig(s.URL))
		count := func(args ...string) (string, int64) {
			asked.Store(0)
			return p.must(append([]string{"shell"}, args...)...), asked.Load()
		}
		// Databases that were asked for just now count for some minutes.
		forget := func() {
			for _, db := range glob(p.dir + "/cache/sync/*/*.db*") {
				os.Remove(db)
			}
		}
		age := func() {
			forget()
			for _, f := range glob(p.dir + "/cache/sync/adhoc-*") {
				text, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				today, yesterday := time.Now().Format("2006-01-02T"), time.Now().Add(-49*time.Hour).Format("2006-01-02T")
				os.WriteFile(f, []byte(strings.Replace(string(text), today, yesterday, 1)), 0o600)
			}
		}
		for _, c := range []struct {
			name, says string
			args       []string
			forEver    bool
		}{
			{"today", "tool new x", []string{"tool", "busybox", "--", "tool", "x"}, false},
			{"a pin", "tool old x", []string{"tool@1.0", "busybox", "--", "tool", "x"}, false},
			{"a day", "tool old x", []string{"--snapshot", "2024-01-02", "tool", "--", "tool", "x"}, true},
			{"a namespace", "tool new x", []string{"--namespace", "tool", "busybox", "--", "tool", "x"}, false},
		} {
			t.Run(c.name, func(t *testing.T) {
				p.t = t
				forget()
				if said, n := count(c.args...); said != c.says || n == 0 {
					t.Fatalf("first: %q, %d requests", said, n)
				}
				if said, n := count(c.args...); said != c.says || n != 0 {
					t.Errorf("second: %q, %d requests", said, n)
				}
				age()
				if said, n := count(c.args...); said != c.says || (n == 0) != c.forEver {
					t.Errorf("a day later: %q, %d requests", said, n)
				}
				if said, n := count(append([]string{"--refresh"}, c.args...)...); said != c.says || n == 0 && !c.forEver {
					t.Errorf("--refresh: %q, %d requests", said, n)
				}
			})
		}
		p.t = t
		s.Close()
		if said := p.must("shell", "tool", "busybox", "--", "tool", "x"); said != "tool new x" {
			t.Errorf("without a network: %q", said)
		}
	})
}

func glob(pattern string) []string {
	list, _ := filepath.Glob(pattern)
	return list
}

// TestShellNamespace: an environment of the tools' own, from which the host's
// root can be read, and its /run is as it was.
func TestShellNamespace(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t)
		before, err := os.ReadDir("/run")
		if err != nil {
			t.Fatal(err)
		}
		host, err := os.ReadFile("/etc/passwd")
		if err != nil {
			t.Fatal(err)
		}
		in := func(script string) result {
			return p.try("shell", "--namespace", "tool", "busybox", "--", "sh", "-c", script)
		}
		if r := in("cat /run/host/etc/passwd"); r.code != 0 || r.out != string(host) {
			t.Errorf("the host's file: %v", r)
		}
		if r := in("ls /run/host/usr/bin | head -n 1; cat /etc/box.conf; tool x"); !strings.HasSuffix(r.out, "\na\ntool new x\n") {
			t.Errorf("both: %v", r)
		}
		target := p.dir + "/of-the-host"
		p.write(target, "as it was")
		for _, script := range []string{"echo x >/run/host" + target, "rm /run/host" + target, "echo x >/run/host/etc/devenv-was-here", "mkdir /run/host/run/devenv-was-here"} {
			if r := in(script); r.code == 0 {
				t.Errorf("%s: %v", script, r)
			}
		}
		if b, err := os.ReadFile(target); err != nil || string(b) != "as it was" {
			t.Errorf("%q, %v", b, err)
		}
		if r := in("echo x >/run/devenv-was-here; cat /run/devenv-was-here"); r.code == 0 && r.out != "x\n" {
			t.Errorf("a /run of one's own: %v", r)
		}
		after, err := os.ReadDir("/run")
		if err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("the host's /run: %v, then %v, %v", before, after, err)
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

// TestShellNamespaceHasSockets: what the host's /run holds is there, sockets of
// the session too.
func TestShellNamespaceHasSockets(t *testing.T) {
	h := newRunningHost(t, people[0])
	dir := h.path("run/user/" + fmt.Sprint(hostUser))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	os.Chown(dir, hostUser, hostUser)
	listener, err := net.Listen("unix", dir+"/bus")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var r result
	h.traceless(t, func(h *runningHost) {
		r = h.do(`stat -c %i /run/user/1000/bus
devenv -q shell --namespace tool busybox -- sh -c 'stat -c %i /run/user/1000/bus; test -S /run/user/1000/bus && cat /run/host/usr/of-the-host; echo x >/run/user/1000/own; cat /run/host/run/user/1000/own; rm /run/user/1000/own'`)
	}, "file /run/user/1000")
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if r.code != 0 || len(lines) != 4 || lines[0] != lines[1] || lines[2] != "a file of the host" || lines[3] != "x" {
		t.Errorf("%v", r)
	}
}
