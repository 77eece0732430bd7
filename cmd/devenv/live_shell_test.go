package main_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestNativeShell lives in `devenv shell` on the host: the user's own shell with
// its own prompt behind the mark, its jobs, the window's size, its exit code. The
// start-up files give each shell the same prompt, so that the screens can be
// compared as they are.
func TestNativeShell(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t)
		p.cwd = p.home
		p.write(p.home+"/.bashrc", "PS1='> '; HISTFILE=\n")
		p.write(p.home+"/.zshrc", "PROMPT='> '; unsetopt prompt_sp\n")
		p.write(p.home+"/.config/fish/config.fish", "function fish_prompt; printf '> '; end; set fish_greeting; set -g fish_autosuggestion_enabled 0\n")
		p.write(p.home+"/.local/share/fish/generated_completions/none", "") // or it reads every manual page first
		p.write(p.home+"/.shrc", "PS1='> '\n")
		p.set("ENV="+p.home+"/.shrc", "TERM=xterm")
		p.must("shell", "tool", "--", "tool")
		for _, shell := range []string{"bash", "zsh", "fish", "dash"} {
			t.Run(shell, func(t *testing.T) {
				path, err := exec.LookPath(shell)
				if err != nil {
					t.Skipf("%s is missing on the host", shell)
				}
				p := *p
				p.t = t
				p.set("SHELL=" + path)
				s := atHost(t, &p)
				s.clear()
				s.keys(shared.devenv + " -q shell tool; echo code $?\r")
				const mark = "(tool) >"
				last := func() string {
					lines := strings.Split(s.String(), "\n")
					return lines[len(lines)-1]
				}
				prompt := func() {
					t.Helper()
					s.wait("the prompt "+mark, func() bool { return last() == mark })
				}
				golden := func(command, screen string) {
					t.Helper()
					prompt()
					s.keys("clear; " + command + "\r")
					if screen != "" {
						screen += "\n"
					}
					screen += mark
					s.wait("shows exactly\n"+screen+"\n", func() bool { return s.String() == screen })
				}
				golden("tool a 'b  c'", "tool new a b  c")
				golden("stty size", "24 80")
				s.resize(10, 40)
				golden("stty size", "10 40")
				golden("false", "")
				// jobs of its own
				// (sh starts nothing meanwhile: a shell that waits for vfork(2) cannot stop)
				s.keys("clear; sh -c 'w=on; trap \"echo goes \\$w\" CONT; echo be\"\"gun; until read x; do :; done'\r")
				s.until("begun")
				s.keys("\x1a")
				s.wait("says it is stopped", func() bool {
					text := strings.ToLower(s.String())
					return strings.Contains(text, "stopped") || strings.Contains(text, "suspended")
				})
				prompt()
				s.keys("fg\r")
				s.until("goes on")
				s.keys("\x03")
				s.wait("a prompt after Ctrl-C", func() bool { return strings.HasPrefix(last(), "(tool)") })
				s.keys("clear\r")
				golden("tool again", "tool new again")
				// devenv has become the shell: it is stopped and continued as one
				s.keys("exit 7\r")
				s.until("code 7")
				s.clear()
				s.keys("command -v tool; echo =$DEVENV_NAME=; exit 3\r")
				if code := s.exit(); code != 3 {
					t.Errorf("exit %d:\n%s", code, s)
				}
				s.until("==")
			})
		}
	})
}
