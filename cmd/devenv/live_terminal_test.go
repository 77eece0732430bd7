package main_test

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// screen is a program on a terminal, and what a person sees there.
type screen struct {
	t     *testing.T
	cmd   *exec.Cmd
	tty   *os.File
	view  *display
	ended chan struct{}
}

// display is a terminal that may be looked at while it is written to, which the
// emulator's own lock does not cover.
type display struct {
	mu sync.Mutex
	*vt.SafeEmulator
}

func (d *display) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.SafeEmulator.Write(b)
}

func (d *display) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.SafeEmulator.String()
}

func (d *display) Resize(width, height int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.SafeEmulator.Resize(width, height)
}

func onScreen(t *testing.T, cmd *exec.Cmd) *screen {
	t.Helper()
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, cmd: cmd, tty: tty, view: &display{SafeEmulator: vt.NewSafeEmulator(80, 24)}, ended: make(chan struct{})}
	go io.Copy(tty, s.view) // the terminal's own answers
	go io.Copy(s.view, tty)
	go func() {
		cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		tty.Close()
		select {
		case <-s.ended:
		case <-time.After(2 * time.Second):
			cmd.Process.Kill()
			<-s.ended
		}
		// The emulator is left open: closing it races with its own reader.
	})
	return s
}

func (s *screen) String() string {
	var lines []string
	for l := range strings.Lines(s.view.String()) {
		lines = append(lines, strings.TrimRight(l, " \r\n"))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// until waits until the screen shows a text.
func (s *screen) until(text string) {
	s.t.Helper()
	s.wait("shows "+text, func() bool { return strings.Contains(s.String(), text) })
}

func (s *screen) wait(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("never %s:\n%s", what, s)
		}
	}
}

// prompt waits until the last line is a prompt that shows a name.
func (s *screen) prompt(end string) {
	s.t.Helper()
	s.wait("a prompt "+end, func() bool {
		lines := strings.Split(s.String(), "\n")
		last := strings.Join(lines[max(0, len(lines)-2):], "") // a long one is wrapped
		return strings.Contains(last, "("+end+")") && !strings.Contains(last, "; ")
	})
}

func (s *screen) keys(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.tty, text); err != nil {
		s.t.Fatalf("typing %q: %v\n%s", text, err, s)
	}
}

// exit waits for the program's end.
func (s *screen) exit() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		s.t.Fatalf("does not end:\n%s", s)
	}
	return s.cmd.ProcessState.ExitCode()
}

func (s *screen) resize(rows, cols int) {
	s.view.Resize(cols, rows)
	pty.Setsize(s.tty, &pty.Winsize{Rows: uint16(rows), Cols: uint16(cols)})
}

// bigMirror is a mirror of real packages; a test that needs them does not run
// without one.
func bigMirror(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DEVENV_TEST_MIRROR")
	if dir == "" {
		t.Skip("DEVENV_TEST_MIRROR names no mirror of real packages")
	}
	return dir
}

// bigPlace is a place whose packages come from bigMirror.
func bigPlace(t *testing.T, packages ...string) *place {
	t.Helper()
	mirror := bigMirror(t)
	p := newPlace(t, packages...)
	os.Remove(p.home + "/.config/devenv/config.toml")
	p.set("DEVENV_MIRROR=" + mirror)
	return p
}

// TestShells lives in each shell: the prompt, Ctrl-C, Ctrl-Z and fg, the
// window's size, exit with jobs in the background.
func TestShells(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := bigPlace(t, "bash", "zsh", "fish", "vim", "tmux", "ncurses")
		p.must("build")
		for _, shell := range []string{"bash", "zsh", "fish"} {
			t.Run(shell, func(t *testing.T) {
				p := *p
				p.t = t
				p.set("SHELL=/bin/" + shell)
				s := onScreen(t, p.command("enter"))
				s.prompt("project")
				pid := "$$"
				if shell == "fish" {
					pid = "$fish_pid"
				}
				s.keys("echo a$DEVENV_NAME; stty size; ps -o comm= -p " + pid + "\r")
				s.until("aproject")
				s.until("24 80")
				s.until("\n" + shell)
				s.prompt("project")

				// A job of the shell's own.
				s.keys("clear; sleep 1000; true\r")
				time.Sleep(200 * time.Millisecond)
				s.keys("\x03")
				s.prompt("project")
				s.keys("clear\r")
				s.keys("sleep 1001; true\r")
				time.Sleep(300 * time.Millisecond)
				s.keys("\x1a")
				s.wait("says it is stopped", func() bool {
					text := strings.ToLower(s.String())
					return strings.Contains(text, "stopped") || strings.Contains(text, "suspended")
				})
				s.keys("clear\r")
				s.keys("fg\r")
				s.until("sleep 1001")
				time.Sleep(100 * time.Millisecond)
				s.keys("\x03")
				s.prompt("project")

				s.resize(30, 100)
				s.keys("clear; stty size\r")
				s.until("30 100")

				s.keys("clear; sleep 1002 &\r")
				s.prompt("project")
				s.keys("exit 7\r")
				select {
				case <-s.ended:
				case <-time.After(300 * time.Millisecond): // some shells ask once
					s.keys("exit 7\r")
				}
				if code := s.exit(); code != 7 {
					t.Errorf("exit %d:\n%s", code, s)
				}
			})
		}
		t.Run("vim", func(t *testing.T) {
			p := *p
			p.t = t
			s := onScreen(t, p.command("run", "--", "vim", "-u", "NONE", "-c", "set laststatus=2", "text"))
			s.until("text")
			s.keys("ihello\x1b:sp\r")
			s.wait("two windows", func() bool { return strings.Count(s.String(), "hello") == 2 })
			s.resize(40, 120)
			s.wait("draws its status line at the new end", func() bool {
				lines := strings.Split(s.String(), "\n")
				return len(lines) == 39 && strings.HasPrefix(lines[38], "text")
			})
			s.keys(":qa!\r")
			if code := s.exit(); code != 0 {
				t.Errorf("exit %d:\n%s", code, s)
			}
		})
		t.Run("tmux", func(t *testing.T) {
			p := *p
			p.t = t
			p.set("SHELL=/bin/bash", "LC_ALL=C.UTF-8")
			s := onScreen(t, p.command("run", "--", "tmux", "-L", "devenv-test", "-f", "/dev/null"))
			s.until("[0]")
			s.keys("stty size\r")
			s.until("23 80")
			s.resize(40, 120)
			s.keys("clear; stty size\r")
			s.until("39 120")
			s.keys("exit\r")
			if code := s.exit(); code != 0 {
				t.Errorf("exit %d:\n%s", code, s)
			}
		})
	})
}

// TestJobControl stops and continues devenv itself from a shell of the host's.
func TestJobControl(t *testing.T) {
	everyone(t, func(t *testing.T) {
		eachEntry(t, newPlace(t, "busybox"), func(t *testing.T, p *place, run func(...string) []string) {
			q := *p
			q.set("PS1=host> ", "SHELL=/bin/sh")
			s := onScreen(t, q.host("bash", "--norc", "--noprofile", "-i"))
			s.until("host>")
			words := append([]string{shared.devenv}, run("sh", "-c", "'trap \"echo int\" 2; echo begun; read x; echo got $x; exit 5'")...)
			s.keys(strings.Join(words, " ") + "; echo code $?\r")
			s.until("\nbegun")
			s.keys("\x1a")
			s.until("Stopped")
			s.until("code 1")
			s.keys("fg; echo code $?\r")
			time.Sleep(200 * time.Millisecond)
			s.keys("more\r")
			s.until("got more")
			s.until("code 5")
			// a shell inside that stops itself
			s.keys("clear; " + strings.Join(append([]string{shared.devenv}, run("sh", "-c", "'kill -STOP $$; exit 6'")...), " ") + "\r")
			s.until("Stopped")
			s.keys("clear; fg; echo code $?\r")
			s.until("code 6")
			// Ctrl-C ends the command, and devenv as the command ended
			s.keys("clear; while :; do " + strings.Join(append([]string{shared.devenv}, run("sh", "-c", "'echo r\"\"uns; sleep 1000'")...), " ") + "; done\r")
			s.wait("begins", func() bool { return strings.Contains("\n"+s.String(), "\nruns") })
			s.keys("\x03")
			s.wait("stops the loop", func() bool { return strings.HasSuffix(s.String(), "host>") })
			s.keys("echo code $?\r")
			s.until("code 130")
			s.keys("exit\r")
			s.exit()
		})
	})
}

// TestTerminalIsGivenBack: a script that goes on after an interactive shell
// can read from the terminal.
func TestTerminalIsGivenBack(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := bigPlace(t, "bash")
		p.must("build")
		p.set("SHELL=/bin/bash")
		s := onScreen(t, p.host("sh", "-c", shared.devenv+" enter; echo left $?; read x; echo read $x"))
		s.prompt("project")
		s.keys("sleep 1003 &\r")
		s.prompt("project")
		s.keys("exit 4\r")
		s.until("left 4")
		s.keys("this\r")
		s.until("read this")
		if code := s.exit(); code != 0 {
			t.Errorf("exit %d", code)
		}
	})
}

// TestClosedTerminal: with the terminal everything inside goes, also what a
// shell inside runs in the foreground and does not mind.
func TestClosedTerminal(t *testing.T) {
	everyone(t, func(t *testing.T) {
		eachEntry(t, newPlace(t, "busybox"), func(t *testing.T, p *place, run func(...string) []string) {
			mark := p.dir + "/alive"
			os.Remove(mark)
			s := onScreen(t, p.command(run("sh", "-c", "while :; do touch "+mark+"; echo .; sleep 0.05; done")...))
			s.wait("begins", func() bool { _, err := os.Stat(mark); return err == nil })
			s.tty.Close()
			select {
			case <-s.ended:
			case <-time.After(5 * time.Second):
				t.Fatal("outlives its terminal")
			}
			os.Remove(mark)
			time.Sleep(200 * time.Millisecond)
			if _, err := os.Stat(mark); err == nil {
				t.Error("what is inside outlives its terminal")
			}
		})
	})
}
