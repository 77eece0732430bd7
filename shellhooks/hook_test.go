package shellhooks

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hooked is a shell whose start-up file evaluates the hook, in a pid namespace
// of its own.
type hooked struct {
	*terminal
	shell, home, keep string
}

const hookPath = "/usr/local/bin:/usr/bin:/bin"

func withHook(t *testing.T, shell, rc string) *hooked {
	t.Helper()
	return withHookPrompt(t, shell, rc, ">")
}

func withHookPrompt(t *testing.T, shell, rc, prompt string) *hooked {
	t.Helper()
	need(t, "bwrap", shell)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	kind, _ := For(shell)
	hook := kind.Hook(self)
	files := map[string]string{
		".bashrc":                  "PS1='> '; HISTFILE=\n" + rc + "\n" + hook,
		".zshrc":                   "PS1='> '\n" + rc + "\n" + hook,
		".config/fish/config.fish": "function fish_prompt; echo -n '> '; end\nfunction fish_greeting; end\n" + rc + "\n" + hook,
		".shrc":                    "PS1='> '\n" + rc + "\n" + hook,
	}
	h := &hooked{shell: shell, home: home(t, files), keep: t.TempDir()}
	argv := []string{"--die-with-parent", "--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--chdir", h.home, "--", shell}
	if shell == "bash" {
		argv = append(argv, "--noprofile", "--rcfile", filepath.Join(h.home, ".bashrc"))
	}
	if shell == "busybox" {
		argv = append(argv, "sh")
	}
	cmd := exec.Command("bwrap", argv...)
	cmd.Env = []string{"HOME=" + h.home, "TERM=xterm", "LANG=C.UTF-8", "TEST_DIR=" + h.keep, "GORACE=atexit_sleep_ms=0", "PATH=" + hookPath, "VALUE=before", "ENV=" + filepath.Join(h.home, ".shrc")}
	h.terminal = onTerminal(t, cmd)
	h.prompt(prompt)
	return h
}

// vars are the exported PATH and VALUE.
func (h *hooked) vars() string {
	h.t.Helper()
	return h.ask(`/usr/bin/env | /bin/grep -e ^PATH= -e ^VALUE=`)
}

func (h *hooked) calls() int {
	b, err := os.ReadFile(filepath.Join(h.keep, "calls"))
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return strings.Count(string(b), "\n")
}

func (h *hooked) expect(when, path, value string) {
	h.t.Helper()
	if got, want := sorted(h.vars()), "PATH="+path+hookPath+"\nVALUE="+value; got != want {
		h.t.Errorf("%s:\n got %q\nwant %q", when, got, want)
	}
}

func eachHook(t *testing.T, f func(t *testing.T, shell string)) {
	for _, shell := range []string{"bash", "zsh", "fish", "dash", "busybox"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			need(t, shell)
			f(t, shell)
		})
	}
}

func TestHookFollowsTheDirectory(t *testing.T) {
	eachHook(t, func(t *testing.T, shell string) {
		h := withHook(t, shell, "")
		write(t, h.home, map[string]string{"a/devenv.toml": "va", "a/sub/x": "", "b/devenv.toml": "it's b\n", "c/x": ""})
		h.expect("at first", "", "before")
		h.ask("cd a")
		h.expect("in a", h.home+"/a/tools:", "va")
		h.ask("cd sub")
		h.expect("below a", h.home+"/a/tools:", "va")
		h.ask("cd ../../b")
		h.expect("in b", h.home+"/b/tools:", "it's b")
		h.ask("cd ../c")
		h.expect("outside", "", "before")
		h.ask("cd ../a; cd ..")
		h.expect("in and out again", "", "before")
		h.ask("cd nowhere")
		h.expect("cd failed", "", "before")
	})
}

// The test that nothing changed is made at every prompt. So it must not start
// anything. The kernel counts the page faults of a process's children that have
// ended: without children the number stays, and fish's threads do not matter.
func TestPromptsStartNoProcess(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			h := withHook(t, shell, "")
			write(t, h.home, map[string]string{"a/devenv.toml": "va"})
			n := 0
			faults := func() string {
				n++
				file := filepath.Join(h.dir, fmt.Sprintf("stat%d", n))
				h.prompt(">")
				h.send("read stat < /proc/self/stat; echo $stat > " + file + "\r")
				h.until("the count", func() bool { b, _ := os.ReadFile(file); return strings.HasSuffix(string(b), "\n") })
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				return strings.Fields(string(b))[10] // cminflt, proc_pid_stat(5)
			}
			for _, dir := range []string{"a", "..", "a"} {
				h.ask("cd " + dir)
				h.vars()
				before, calls := faults(), h.calls()
				for range 5 {
					h.do("true")
				}
				if after := faults(); after != before {
					t.Errorf("in %s: processes were started at prompts: %s faults of children, then %s", dir, before, after)
				}
				if h.calls() != calls {
					t.Errorf("in %s: %d calls of devenv at prompts", dir, h.calls()-calls)
				}
				h.do("/bin/true")
				if after := faults(); after == before {
					t.Error("this test cannot see a process")
				}
			}
		})
	}
}

func TestHookNoticesChanges(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			h := withHook(t, shell, "")
			write(t, h.home, map[string]string{"a/sub/x": ""})
			file := filepath.Join(h.home, "a/devenv.toml")
			h.ask("cd a/sub")
			h.expect("no project", "", "before")
			write(t, h.home, map[string]string{"a/devenv.toml": "1"})
			h.ask("true")
			h.expect("made", h.home+"/a/tools:", "1")
			fi, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, change := range []time.Duration{time.Nanosecond, time.Second, -time.Hour, time.Microsecond} {
				value := string(rune('2' + i))
				if err := os.WriteFile(file, []byte(value), 0o644); err != nil {
					t.Fatal(err)
				}
				when := fi.ModTime().Add(change)
				if err := os.Chtimes(file, when, when); err != nil {
					t.Fatal(err)
				}
				h.ask("true")
				h.expect("changed by "+change.String(), h.home+"/a/tools:", value)
			}
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			h.ask("true")
			h.expect("removed", "", "before")
			if err := os.RemoveAll(filepath.Join(h.keep, "stamps")); err != nil {
				t.Fatal(err)
			}
			write(t, h.home, map[string]string{"a/devenv.toml": "9"})
			h.ask("true")
			h.expect("made again, without stamps", h.home+"/a/tools:", "9")
		})
	}
}

func TestNestedShellsKnowWhatIsActive(t *testing.T) {
	eachHook(t, func(t *testing.T, shell string) {
		h := withHook(t, shell, "")
		write(t, h.home, map[string]string{"a/devenv.toml": "va"})
		h.ask("cd a")
		h.expect("in a", h.home+"/a/tools:", "va")
		again := map[string]string{"bash": "bash --rcfile ~/.bashrc", "busybox": "busybox sh"}[shell]
		if again == "" {
			again = shell
		}
		h.do(again)
		h.expect("in a shell in a", h.home+"/a/tools:", "va")
		h.ask("cd ..")
		h.expect("outside, in the second shell", "", "before")
		h.do("exit")
		h.expect("back in the first", h.home+"/a/tools:", "va")
		h.ask("cd ..")
		h.expect("outside", "", "before")
	})
}

// Inside an environment there is nothing to activate; a shell with tools alone
// (devenv shell) is no environment.
func TestHookInside(t *testing.T) {
	for shell, test := range map[string]string{"bash": "declare -F __devenv_hook", "zsh": "(( $+functions[__devenv_hook] ))", "fish": "functions -q __devenv_hook"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			need(t, shell)
			kind, _ := For(shell)
			for vars, want := range map[string]string{"": "hook", "DEVENV_PROJECT=": "hook", "DEVENV_PROJECT=/p": "none", "DEVENV_PROJECT=/p DEVENV_DIFF=x": "hook"} {
				script := kind.Hook("/bin/true") + "\nif " + test + " > /dev/null; then echo hook; else echo none; fi"
				if shell == "fish" {
					script = kind.Hook("/bin/true") + "\nif " + test + "; echo hook; else; echo none; end"
				}
				cmd := exec.Command(shell, "-c", script)
				cmd.Env = append([]string{"PATH=" + hookPath, "HOME=" + home(t, nil)}, strings.Fields(vars)...)
				out, err := cmd.CombinedOutput()
				if err != nil || strings.TrimSpace(string(out)) != want {
					t.Errorf("%q: %v: %s", vars, err, out)
				}
			}
		})
	}
}

// A prompt must show how the last command ended, hook or not.
func TestHookKeepsTheExitCode(t *testing.T) {
	for shell, rc := range map[string]string{
		"bash": `PROMPT_COMMAND='PS1="[$?] "'`,
		"zsh":  `setopt prompt_subst; precmd() { last=$? }; PS1='[$last] '`,
		"fish": `function fish_prompt; echo -n "[$status] "; end`,
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			h := withHookPrompt(t, shell, rc, "[0]")
			write(t, h.home, map[string]string{"a/devenv.toml": "va"})
			h.send("clear; sh -c 'exit 3'\r")
			h.prompt("[3]")
			h.send("clear; cd a; sh -c 'exit 4'\r")
			h.prompt("[4]")
		})
	}
}

// With options that people set in start-up files.
func TestHookUnderOptions(t *testing.T) {
	for name, c := range map[string]struct{ shell, rc string }{
		"bash strict":         {"bash", "set -uf; shopt -s nullglob failglob extglob; IFS=/"},
		"bash array":          {"bash", "PROMPT_COMMAND=(true 'PS1=\"> \"')"},
		"bash trailing":       {"bash", "PROMPT_COMMAND='true;'"},
		"bash posix":          {"bash", "set -o posix"},
		"zsh ksh":             {"zsh", "setopt ksh_arrays sh_word_split glob_subst rc_quotes no_unset err_return ksh_glob no_match"},
		"zsh noclobber":       {"zsh", "setopt auto_pushd pushd_silent interactive_comments csh_junkie_quotes"},
		"zsh functions unset": {"zsh", "unset precmd_functions chpwd_functions"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := withHook(t, c.shell, c.rc)
			write(t, h.home, map[string]string{"a/devenv.toml": "v'a"})
			h.ask("cd a")
			h.expect("in a", h.home+"/a/tools:", "v'a")
			h.ask("cd ..")
			h.expect("outside", "", "before")
			calls := h.calls()
			h.do("true")
			h.do("true")
			if n := h.calls() - calls; n > 0 {
				t.Errorf("%d calls at prompts where nothing changed", n)
			}
		})
	}
}
