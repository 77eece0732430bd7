package main_test

import (
	"strings"
	"testing"
	"time"
)

// atHost is an interactive shell of the host's on a terminal, from which devenv
// is called as a person would.
func atHost(t *testing.T, p *place) *screen {
	t.Helper()
	q := *p
	q.set("PS1=host> ", "HISTFILE=/dev/null")
	s := onScreen(t, q.host("bash", "--norc", "--noprofile", "-i"))
	s.until("host>")
	return s
}

// back waits for the host's prompt on an otherwise empty last line.
func (s *screen) back() {
	s.t.Helper()
	s.wait("the host's prompt", func() bool { return strings.HasSuffix("\n"+s.String(), "\nhost>") })
}

// clear empties the screen of a shell at whose prompt one is.
func (s *screen) clear() {
	s.t.Helper()
	s.back()
	s.keys("printf '\\033[2J\\033[H'\r")
	s.wait("an empty screen", func() bool { return s.String() == "host>" })
}

// eachShell runs a test for every kind of shell that an environment may have.
func eachShell(t *testing.T, test func(t *testing.T, p *place)) {
	everyone(t, func(t *testing.T) {
		small := newPlace(t, "busybox")
		big := bigPlace(t, "bash", "zsh", "fish", "dash")
		for _, shell := range []string{"busybox", "bash", "zsh", "fish", "dash"} {
			t.Run(shell, func(t *testing.T) {
				p := *big
				if shell == "busybox" {
					p = *small
				}
				p.t = t
				p.set("SHELL=/bin/"+shell, "TERM=xterm")
				p.must("run", "--", "true")
				test(t, &p)
			})
		}
	})
}

// TestShellOwnsTerminal: a shell inside has the terminal as its own, whichever
// shell it is: also one that insists, as dash does. It ends with its own code
// and without a word, and the host's shell goes on.
func TestShellOwnsTerminal(t *testing.T) {
	eachShell(t, func(t *testing.T, p *place) {
		s := atHost(t, p)
		s.keys(shared.devenv + " enter; echo code $?\r")
		s.until("(project)")

		// A job of the shell's own, stopped, continued, interrupted.
		prompts := func() int { return strings.Count(s.String(), "(project)") }
		s.keys("sh -c 'w=on; trap \"echo goes \\$w\" CONT; echo be\"\"gun; while :; do sleep 0.1; done'\r")
		s.until("\nbegun")
		s.keys("\x1a")
		s.wait("says it is stopped", func() bool {
			text := strings.ToLower(s.String())
			return strings.Contains(text, "stopped") || strings.Contains(text, "suspended")
		})
		s.wait("a second prompt", func() bool { return prompts() == 2 })
		s.keys("fg\r")
		s.until("\ngoes on")
		s.keys("\x03")
		s.wait("a third prompt", func() bool { return prompts() == 3 })
		s.keys("exit 7\r")
		s.until("code 7")
		if text := strings.ToLower(s.String()); strings.Contains(text, "tty") || strings.Contains(text, "job control") {
			t.Errorf("complains of its terminal:\n%s", s)
		}
		s.clear()
		s.keys("exit 3\r")
		if code := s.exit(); code != 3 {
			t.Errorf("the host's shell ends with %d:\n%s", code, s)
		}
	})
}

// TestShellInBackground: a shell that is entered in the background does not
// take the terminal; it waits until it is given it.
func TestShellInBackground(t *testing.T) {
	eachShell(t, func(t *testing.T, p *place) {
		s := atHost(t, p)
		run := " run -- " + p.shell()
		if strings.HasSuffix(run, "busybox") {
			run += " sh"
		}
		for _, how := range []string{" enter", run} {
			s.clear()
			s.keys(shared.devenv + how + " &\r")
			s.wait("stops", func() bool {
				s.keys("\r") // bash tells at a prompt
				time.Sleep(100 * time.Millisecond)
				return strings.Contains(s.String(), "Stopped")
			})
			s.keys("printf '\\033[2J\\033[H'; echo still-\"\"mine\r")
			s.until("still-mine")
			s.keys("fg; echo code $?\r")
			s.wait("comes to the front", func() bool {
				return strings.Contains(s.String(), "(project)")
			})
			s.keys("exit 5\r")
			s.until("code 5")
		}
		s.keys("exit\r")
		s.exit()
	})
}

// shell is the SHELL of a place.
func (p *place) shell() string {
	for _, v := range p.env {
		if name, value, _ := strings.Cut(v, "="); name == "SHELL" {
			return value
		}
	}
	return ""
}

// TestPipelineSharesTerminal: a command that is one end of a pipeline leaves
// the terminal to the whole of it; Ctrl-C and Ctrl-Z reach both ends.
func TestPipelineSharesTerminal(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		p.must("run", "--", "true")
		s := atHost(t, p)
		reader := `sh -c 'read l; echo "$l"; read x </dev/tty; echo got $x; exec sleep 1000'`
		s.keys(shared.devenv + " run -- sh -c 'echo be\"\"gun; sleep 1000' | " + reader + "; echo code $?\r")
		s.until("begun")
		s.keys("typed\r")
		s.until("got typed")
		s.keys("\x1a")
		s.until("Stopped")
		s.back()
		s.clear()
		s.keys("fg\r")
		s.until("read x")
		time.Sleep(300 * time.Millisecond) // nothing says that the job goes on
		s.keys("\x03")
		s.back()
		s.keys("echo code $?\r")
		s.until("code 130")
		s.back()
		left := resultOf(t, p.host("sh", "-c", "ps -e -o args | grep '[r]un -- sh -c echo be' || :"))
		if left.out != "" {
			t.Errorf("left behind: %s", left.out)
		}
		// The other end: what is piped in leaves the terminal to the command.
		s.clear()
		s.keys("echo line | " + shared.devenv + " run -- sh -c 'read l; echo read $l; read x </dev/tty; echo got $x'\r")
		s.until("read line")
		s.keys("more\r")
		s.until("got more")
		s.clear()
		s.keys("exit\r")
		s.exit()
	})
}

// TestScriptSharesTerminal: Ctrl-C ends a script and the command that it runs,
// and jobs beside each other may all read.
func TestScriptSharesTerminal(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		p.must("run", "--", "true")
		p.write(p.dir+"/script", `trap 'echo script hears it; exit 9' INT
`+shared.devenv+` run -- sh -c 'trap "echo command hears it; exit 8" INT; echo begun; while :; do sleep 0.1; done'
echo goes on $?
`)
		s := atHost(t, p)
		s.keys("sh ../script; echo code $?\r")
		s.until("\nbegun")
		s.keys("\x03")
		s.until("command hears it")
		s.until("script hears it")
		s.until("code 9")
		if strings.Contains(s.String(), "goes on") {
			t.Errorf("the script goes on:\n%s", s)
		}
		s.keys("exit\r")
		s.exit()
	})
}

// TestCommandAlone: a command that has the terminal for itself is a job like
// any other, also where what it left must be tidied up afterwards.
func TestCommandAlone(t *testing.T) {
	everyone(t, func(t *testing.T) {
		eachEntry(t, newPlace(t, "busybox"), func(t *testing.T, p *place, run func(...string) []string) {
			s := atHost(t, p)
			line := shared.devenv + " " + strings.Join(run("sh", "-c", `'echo be""gun; read x; echo got $x; exit 4'`), " ")
			// in the background it stops as it reads, and goes on in the foreground
			s.keys(line + " &\r")
			s.wait("stops", func() bool {
				s.keys("\r")
				time.Sleep(100 * time.Millisecond)
				return strings.Contains(s.String(), "Stopped")
			})
			s.keys("fg; echo code $?\r")
			time.Sleep(300 * time.Millisecond) // nothing says that the job goes on
			s.keys("typed\r")
			s.until("got typed")
			s.until("code 4")
			// stopped, continued in the background, stopped there as it reads
			s.clear()
			s.keys(line + "\r")
			s.until("begun")
			s.keys("\x1a")
			s.until("Stopped")
			s.back()
			s.keys("bg\r")
			s.wait("stops again", func() bool {
				s.keys("\r")
				time.Sleep(100 * time.Millisecond)
				return strings.Count(s.String(), "Stopped") > 1
			})
			s.keys("fg; echo code $?\r")
			time.Sleep(300 * time.Millisecond)
			s.keys("again\r")
			s.until("got again")
			s.until("code 4")
			// Ctrl-C, and what is still there at the end
			s.clear()
			s.keys(shared.devenv + " " + strings.Join(run("sh", "-c", `'echo be""gun; sleep 1000'`), " ") + "; echo code $?\r")
			s.until("begun")
			s.keys("\x03")
			s.until("\nhost>")
			s.clear()
			s.keys("kill -0 %1; exit 6\r")
			if code := s.exit(); code != 6 {
				t.Errorf("exit %d:\n%s", code, s)
			}
		})
	})
}

// TestLeaderIgnoresCtrlZ: where nobody could continue a stopped job, as under a
// terminal that runs devenv itself, Ctrl-Z stops nothing.
func TestLeaderIgnoresCtrlZ(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		p.must("run", "--", "true")
		s := onScreen(t, p.command("run", "--", "sh", "-c", "echo begun; read x; echo got $x; exit 5"))
		s.until("begun")
		s.keys("\x1a")
		time.Sleep(200 * time.Millisecond)
		s.keys("typed\r")
		s.until("got typed")
		if code := s.exit(); code != 5 {
			t.Errorf("exit %d:\n%s", code, s)
		}
	})
}

// TestNoTerminal: standard descriptors that are a terminal, but not one's own.
func TestNoTerminal(t *testing.T) {
	p := newPlace(t, "busybox")
	p.must("run", "--", "true")
	s := onScreen(t, p.host("sh", "-c", "setsid "+shared.devenv+" run -- sh -c 'echo alone; exit 3'; echo code $?"))
	s.until("alone")
	s.until("code 3")
	s.exit()
}
