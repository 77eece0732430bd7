package shellhooks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const noGreeting = "function fish_greeting; end\n"

// Themes set the prompt in every way there is; the label is there once, and
// what the theme shows of the last command's end is true.
func TestThemes(t *testing.T) {
	for name, c := range map[string]struct{ shell, rc, prompt, failed string }{
		"bash, no file":              {"bash", "", "(demo) ", ""},
		"bash, set once":             {"bash", `PS1='[$?] '`, "(demo) [0]", "(demo) [3]"},
		"bash, at each prompt":       {"bash", `theme() { PS1="[$?] "; }; PROMPT_COMMAND=theme`, "(demo) [0]", "(demo) [3]"},
		"bash, appended":             {"bash", `theme() { PS1="[$?] "; }; PROMPT_COMMAND+=(theme)`, "(demo) [0]", "(demo) [3]"},
		"bash, array replaced":       {"bash", `theme() { PS1="[$?] "; }; PROMPT_COMMAND=(theme)`, "(demo) [0]", "(demo) [3]"},
		"bash, unset":                {"bash", `unset PROMPT_COMMAND; PS1='[$?] '`, "(demo) [0]", "(demo) [3]"},
		"bash, line break before":    {"bash", `theme() { PS1=$'\n'"[$?] "; }; PROMPT_COMMAND=theme`, "(demo) [0]", "(demo) [3]"},
		"bash, written line break":   {"bash", `PS1='\n[$?] '`, "(demo) [0]", "(demo) [3]"},
		"bash, preexec":              {"bash", "p() { local s=$?; PS1=\"[$s] \"; }; trap 'x=1' DEBUG; PROMPT_COMMAND=$'p\\n__z'; __z() { :; }", "(demo) [0]", "(demo) [3]"},
		"bash, strict":               {"bash", `set -u; PS1='[$?] '`, "(demo) [0]", "(demo) [3]"},
		"zsh, no file":               {"zsh", "", "(demo) ", ""},
		"zsh, set once":              {"zsh", `PS1='[%?] '`, "(demo) [0]", "(demo) [3]"},
		"zsh, substituted":           {"zsh", `setopt prompt_subst; PS1='[$?] '`, "(demo) [0]", "(demo) [3]"},
		"zsh, at each prompt":        {"zsh", `precmd() { PROMPT="[$?] " }`, "(demo) [0]", "(demo) [3]"},
		"zsh, hook":                  {"zsh", `theme() { PROMPT="[$?] " }; precmd_functions+=(theme)`, "(demo) [0]", "(demo) [3]"},
		"zsh, hooks replaced":        {"zsh", `theme() { PROMPT="[$?] " }; precmd_functions=(theme)`, "(demo) [0]", "(demo) [3]"},
		"zsh, psvar":                 {"zsh", `precmd() { psvar=($?); }; PROMPT='[%1v] '`, "(demo) [0]", "(demo) [3]"},
		"zsh, line break before":     {"zsh", `PROMPT=$'\n[%?] '`, "(demo) [0]", "(demo) [3]"},
		"zsh, added at the first":    {"zsh", `theme() { PROMPT="[$?] " }; precmd() { precmd_functions+=(theme); unset -f precmd }; PROMPT='[0] '`, "(demo) [0]", "(demo) [3]"},
		"fish, set once":             {"fish", noGreeting + `function fish_prompt; echo -n "[$status] "; end`, "(demo) [0]", "(demo) [3]"},
		"fish, pipestatus":           {"fish", noGreeting + `function fish_prompt; echo -n "[$pipestatus] "; end`, "(demo) [0]", "(demo) [3]"},
		"fish, line break before":    {"fish", noGreeting + `function fish_prompt; set -l s $status; echo; echo -n "[$s] "; end`, "(demo) [0]", "(demo) [3]"},
		"fish, defined at the first": {"fish", noGreeting + `function theme --on-event fish_prompt; functions -e theme; function fish_prompt; echo -n "[$status] "; end; end`, "(demo) [0]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := map[string]string{"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}[c.shell]
			s := session(c.shell)
			s.OnEnter = nil
			cmd := inside(t, s, home(t, map[string]string{file: c.rc}), c.shell)
			x := onTerminal(t, cmd)
			if strings.Contains(name, "first") { // at the second prompt it is noticed
				x.until("a prompt", func() bool { return len(x.lines()) > 0 })
				x.send("\r")
			}
			x.until("the prompt "+c.prompt, func() bool { return strings.HasPrefix(x.line(), c.prompt) })
			for range 3 {
				x.send("\r")
			}
			if c.failed != "" {
				x.send("clear\r")
				x.until("an empty screen", func() bool { return x.line() == c.prompt && len(x.lines()) < 3 })
				x.send("sh -c 'exit 3'\r")
				x.prompt(c.failed)
			}
			if n := strings.Count(x.line(), "(demo)"); n != 1 {
				t.Errorf("the label is there %d times: %s", n, x.line())
			}
		})
	}
}

// A name comes from a directory's: it must be shown, and never be run or obeyed.
func TestHostileNames(t *testing.T) {
	const bad = "$(touch pwned)`touch pwned`%n%F{red}\\w\\u!${HOME}'\"\x1b[31m\x07\n\xff é"
	const shown = "($(touch pwned)`touch pwned`%n%F{red}\\w\\u!${HOME}'\"[31m é) >"
	for shell, files := range map[string]map[string]string{
		"bash": {".bashrc": "PS1='> '"},
		"zsh":  {".zshrc": "setopt prompt_subst prompt_bang; PS1='> '"},
		"fish": {".config/fish/config.fish": noGreeting + "function fish_prompt; echo -n '> '; end"},
		"dash": {},
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			s := session(shell)
			s.OnEnter, s.Name = nil, bad
			h := home(t, files)
			cmd := inside(t, s, h, shell)
			x := onTerminal(t, cmd)
			want := shown
			if shell == "dash" {
				want = strings.Replace(shown, ">", sign("$"), 1)
			}
			x.until("the name", func() bool { return strings.HasSuffix(x.line(), want) })
			for range 2 {
				x.send("cd\r")
				time.Sleep(50 * time.Millisecond)
			}
			x.send("echo went home\r")
			x.shows("went home\n")
			for _, dir := range []string{"/", h} {
				if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
					os.Remove(filepath.Join(dir, "pwned"))
					t.Error("the name was run")
				}
			}
		})
	}
}

// An on-enter command that fails is told, and ends nothing.
func TestOnEnterFails(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "dash", "fish"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			s := demo()
			s.OnEnter = []string{"set -eu; X=1; sh -c 'exit 3'", "no-such-command", "if (", "Y=2; false; true", "f() { echo defined; }; arr=yes"}
			told := []string{"exit code 3: set -eu", "exit code 127: no-such-command", "on-enter/3", ": if ("}
			show, check := `echo "$X$Y$arr"`, "12yes"
			if shell == "fish" {
				s.OnEnter = []string{"sh -c 'exit 3'", "no-such-command", "if (", "set Y 2; false; true", "function f; echo defined; end; set arr yes"}
				told[0], show, check = "exit code 3: sh -c", `echo "$Y$arr"`, "2yes"
			}
			x := onTerminal(t, inside(t, s, home(t, map[string]string{".bashrc": "PS1='> '", ".zshrc": "PS1='> '", ".config/fish/config.fish": noGreeting + "function fish_prompt; echo -n '> '; end"}), shell))
			prompt := map[string]string{"dash": "(demo) " + sign("$")}[shell]
			if prompt == "" {
				prompt = "(demo) >"
			}
			x.prompt(prompt)
			if shell == "dash" {
				told[2] = "Syntax error"
			}
			for _, text := range told {
				x.shows(text)
			}
			x.send("sh -c 'exit 1'; echo $undefined; echo alive\r")
			x.shows("\nalive")
			if got := x.ask(show); got != check {
				t.Errorf("%s: %q", show, got)
			}
			if got := x.ask("f"); got != "defined" {
				t.Errorf("f: %q", got)
			}
		})
	}
}

// Ctrl-C during slow start-up files leaves a shell that is right all the same.
func TestInterruptedStartUp(t *testing.T) {
	for shell, files := range map[string]map[string]string{
		"bash": {".bashrc": "export PATH=/opt/host:$PATH; PS1='> '; echo slow; sleep 60"},
		"zsh":  {".zshrc": "export PATH=/opt/host:$PATH; PS1='> '; echo slow; sleep 60"},
		"fish": {".config/fish/config.fish": noGreeting + "set -gx PATH /opt/host $PATH; function fish_prompt; echo -n '> '; end; echo slow; sleep 60"},
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			s := session(shell)
			s.Native, s.Etc, s.Path = true, t.TempDir(), []string{"/tools"}
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skip(err)
			}
			start := Enter(path, s)
			put(t, s.Etc, start.Files)
			cmd := exec.Command(start.Argv[0], start.Argv[1:]...)
			cmd.Env = append(environ(s, start, home(t, files)), "PATH=/usr/bin:/bin")
			x := onTerminal(t, cmd)
			x.shows("slow")
			time.Sleep(100 * time.Millisecond)
			x.send("\x03")
			x.prompt("(demo) >")
			if got := x.ask("/usr/bin/env | /bin/grep ^PATH="); got != "PATH=/tools:/opt/host:/usr/bin:/bin" {
				t.Errorf("%s", got)
			}
			if got := x.ask("b"); got != "built" {
				t.Errorf("the alias gave %q", got)
			}
		})
	}
}

// The user's own variables that say where start-up files are.
func TestPersonalVariables(t *testing.T) {
	for shell, v := range map[string]KV{"zsh": {"ZDOTDIR", "conf"}, "dash": {"ENV", "conf/shrc"}} {
		for _, native := range []bool{false, true} {
			t.Run(shell, func(t *testing.T) {
				t.Parallel()
				s := session(shell)
				h := home(t, map[string]string{"conf/shrc": "read_it=yes", "conf/.zshenv": "a=1", "conf/.zshrc": "read_it=yes$a", ".zshrc": "read_it=wrong", ".zshenv": "read_it=wrong"})
				v := KV{v.Key, filepath.Join(h, v.Value)}
				s.User = []KV{v}
				if native {
					s.Native, s.Etc = true, t.TempDir()
				}
				cmd := inside(t, s, h, shell)
				if native {
					put(t, s.Etc, s.files())
				} else {
					cmd.Env = append(cmd.Env, "ZDOTDIR="+v.Value)
				}
				x := onTerminal(t, cmd)
				x.shows("(demo)")
				if got := x.ask("echo $read_it"); !strings.HasPrefix(got, "yes") {
					t.Errorf("read_it is %q", got)
				}
				if shell == "zsh" {
					if got := x.ask("echo $ZDOTDIR"); got != v.Value {
						t.Errorf("ZDOTDIR is %q", got)
					}
				}
			})
		}
	}
}
