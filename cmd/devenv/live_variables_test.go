package main_test

import (
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// planned is the stamp of the place's one entry plan: the same as long as
// entries are warm.
func (p *place) planned() string {
	p.t.Helper()
	var out string
	filepath.WalkDir(p.cache(), func(path string, d fs.DirEntry, err error) error {
		if b, err := os.ReadFile(path); err == nil && filepath.Base(filepath.Dir(path)) == "plans" && strings.Contains(string(b), p.project+"\x00") {
			info, _ := d.Info()
			out += info.ModTime().String() + " "
		}
		return nil
	})
	if out == "" {
		p.t.Fatal("there is no plan")
	}
	return out
}

func (p *place) cache() string {
	for _, v := range p.env {
		if dir, ok := strings.CutPrefix(v, "DEVENV_CACHE_DIR="); ok {
			return dir
		}
	}
	return p.home + "/.cache/devenv"
}

// TestTerminals enters with one plan from many terminals: each is described
// inside, whichever the plan was made in, and the usual ones make no new plan.
func TestTerminals(t *testing.T) {
	if _, err := exec.LookPath("tic"); err != nil {
		t.Skip("tic is missing (Debian: ncurses-bin)")
	}
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		describe := func(name, dir string) string {
			t.Helper()
			p.write(p.dir+"/odd.ti", name+"|a terminal of the tests,\n\tcols#80, lines#24, clear=\\E[H\\E[2J,\n")
			if out, err := exec.Command("tic", "-o", dir, p.dir+"/odd.ti").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			return name
		}
		own := p.dir + "/terminfo"
		odd, kitty, other := describe("xterm-devenv-odd", own), describe("xterm-kitty", own), describe("other-odd", p.dir+"/more")
		in := func(vars ...string) {
			p.set("TERM", "TERMINFO", "TERMINFO_DIRS")
			p.set(vars...)
		}
		described := func(name string) {
			t.Helper()
			find := `for d in $(echo $TERMINFO_DIRS | sed "s/:/ /g") /usr/share/terminfo; do [ ! -s $d/$1 ] || { echo found; break; }; done`
			if got := p.must("run", "--", "busybox", "sh", "-c", find, "sh", name[:1]+"/"+name); got != "found" {
				t.Errorf("%s is not described inside", name)
			}
		}
		in("TERM=xterm")
		p.must("run", "--", "true")
		// made in an ordinary terminal, entered from others
		in("TERM="+odd, "TERMINFO="+own)
		described(odd)
		in("TERM="+kitty, "TERMINFO="+own)
		described(kitty)
		before := p.planned()
		described(kitty)
		in("TERM=xterm") // back in the ordinary one: the plan still holds
		p.must("run", "--", "true")
		in()
		p.must("run", "--", "true")
		in("TERM="+kitty, "TERMINFO="+own)
		p.must("run", "--", "true")
		if p.planned() != before {
			t.Error("a known terminal made a new plan")
		}
		// one that is described later, in a place of the caller's
		in("TERM="+other, "TERMINFO_DIRS="+p.dir+"/later")
		p.must("run", "--", "true")
		os.Rename(p.dir+"/more", p.dir+"/later")
		described(other)
	})
}

// TestVariablesOfEachEntry: what a caller's session is about is looked at when
// entering, not kept in the plan.
func TestVariablesOfEachEntry(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		names := []string{"DISPLAY", "WAYLAND_DISPLAY", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "XAUTHORITY", "COLORTERM", "TZ", "http_proxy", "EDITOR"}
		show := "for n in " + strings.Join(names, " ") + "; do eval echo \\$$n; done"
		p.must("run", "--", "true")
		before := p.planned()
		for _, value := range []string{"/run/one", "/run/two", ""} {
			want := ""
			for _, n := range names {
				p.set(n + "=" + value)
				want += value + "\n"
			}
			if got := p.sh(show); got+"\n" != want {
				t.Errorf("%q: %q", value, got)
			}
		}
		if p.planned() != before {
			t.Error("another session made a new plan")
		}
		for _, lang := range []string{"C.UTF-8", "C", "de_DE.UTF-8"} {
			p.set("LANG=" + lang)
			if got := p.sh("echo $LANG"); got != lang {
				t.Errorf("LANG %q inside, %q outside", got, lang)
			}
		}
	})
}

// TestAgentsInPrivateDirectories: --ephemeral takes the files of /tmp away, but
// not the sockets that the session's variables name.
func TestAgentsInPrivateDirectories(t *testing.T) {
	everyone(t, func(t *testing.T) {
		dir, err := os.MkdirTemp("/tmp", "ssh-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		agent, err := net.Listen("unix", dir+"/agent.1")
		if err != nil {
			t.Fatal(err)
		}
		defer agent.Close()
		if err := syscall.Mkfifo(dir+"/GMfifo1", 0o600); err != nil {
			t.Fatal(err)
		}
		p := newPlace(t, "busybox")
		p.write(p.home+"/.Xauthority", "the key\n")
		p.set("SSH_AUTH_SOCK="+dir+"/agent.1", "XAUTHORITY="+p.home+"/.Xauthority", "MAKEFLAGS= -j3 --jobserver-auth=fifo:"+dir+"/GMfifo1")
		// the very socket: one seen through an overlay could not be connected to
		show := "stat -c '%d %i %F' $SSH_AUTH_SOCK " + dir + "/GMfifo1; cat $XAUTHORITY"
		want := resultOf(t, p.host("busybox", "sh", "-c", show)).out
		for _, flags := range [][]string{nil, {"--ephemeral"}, {"--ephemeral", "--without", "overlay"}} {
			args := append(append([]string{"run"}, flags...), "--", "busybox", "sh", "-c", show)
			if got := p.must(args...); got+"\n" != want || !strings.Contains(got, "the key") {
				t.Errorf("%v: %q", flags, got)
			}
		}
	})
}

// TestOnEnterOnce: on-enter is of enter, and runs once for each.
func TestOnEnterOnce(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		p.write(p.project+"/devenv.toml", "[packages]\nbusybox = \"*\"\n[shell]\non-enter = \"echo on-\\\"\\\"enter\"\n")
		p.set("SHELL=/bin/busybox", "PS1=")
		p.must("build")
		for _, c := range []struct {
			args []string
			want int
		}{
			{[]string{"enter"}, 1},
			{[]string{"run", "--", "busybox", "sh"}, 0},
			{[]string{"run", "--", "sh", "-i"}, 0},
			{[]string{"enter"}, 1},
		} {
			s := onScreen(t, p.command(c.args...))
			s.until("(project)")
			// a shell of a shell, and a command of run in it
			s.keys("busybox sh -i\r")
			s.wait("a second prompt", func() bool { return strings.Count(s.String(), "(project)") == 2 })
			s.keys("echo mark=$DEVENV_ENTER=; exit\r")
			s.until("mark==")
			s.keys("exit 3\r")
			if code := s.exit(); code != 3 {
				t.Errorf("%v: exit %d:\n%s", c.args, code, s)
			}
			if n := strings.Count(s.String(), "on-enter\n"); n != c.want {
				t.Errorf("%v: on-enter ran %d times:\n%s", c.args, n, s)
			}
		}
		if got := p.sh("echo =$DEVENV_ENTER="); got != "==" {
			t.Errorf("run has DEVENV_ENTER: %q", got)
		}
	})
}
