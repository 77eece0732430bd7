package shellhooks

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The user's files put the host's tools first, change what the environment set,
// set a prompt, and leave the shell in a state that breaks careless scripts.
var nasty = map[string]map[string]string{
	"bash": {".bashrc": `
		export PATH=/opt/host/bin:"$HOME/.nvm/bin":relative::/usr/games:$PATH:"$HOME/.local/bin"
		export CC=hostcc; unset GREETING DEVENV_NAME
		alias .=false builtin=false unset=false printf=false case=false export=false
		IFS=e; set -eu; set -f; shopt -s nullglob
		PS1='host> '
		return 3
	`},
	"zsh": {
		".zshenv": `export PATH=/opt/env/bin:"$HOME/.cargo/bin":$PATH`,
		".zshrc": `
		export PATH=/opt/host/bin:"$HOME/.nvm/bin":relative::/usr/games:$PATH:"$HOME/.local/bin"
		export CC=hostcc; unset GREETING DEVENV_NAME
		alias .=false builtin=false unset=false printf=false case=false export=false; alias -g then=false
		setopt ksh_arrays sh_word_split glob_subst rc_quotes no_prompt_subst err_return no_unset
		IFS=e; PROMPT='host> '
		return 3
	`},
	"fish": {".config/fish/config.fish": `
		set -gx PATH /opt/host/bin $HOME/.nvm/bin relative /usr/games $PATH $HOME/.local/bin
		set -gx CC hostcc; set -e GREETING; set -e DEVENV_NAME
		function fish_prompt; echo -n 'host> '; end
		function fish_greeting; end
		return 3
	`},
	"dash":    {},
	"busybox": {},
	"ksh93":   {".kshrc": "PATH=/opt/host/bin:$PATH:$HOME/.nvm/bin:$HOME/.local/bin; unset CC GREETING; set -u; PS1='host> '"},
	"mksh":    {".mkshrc": "PATH=/opt/host/bin:$PATH:$HOME/.nvm/bin:$HOME/.local/bin; unset CC GREETING; set -u; PS1='host> '"},
}

// prompts are those of the nasty files.
var prompts = map[string]string{"dash": "(demo) " + sign("$"), "busybox": "(demo) / " + sign("$")}

// sign is what a plain prompt ends with.
func sign(user string) string {
	if os.Getuid() == 0 {
		return "#"
	}
	return user
}

func promptOf(shell string) string {
	if p := prompts[shell]; p != "" {
		return p
	}
	return "(demo) host>"
}

func session(shell string) Session {
	s := demo()
	if shell == "fish" {
		s.OnEnter = []string{"set -g entered yes; echo welcome"}
	}
	return s
}

func eachShell(t *testing.T, f func(t *testing.T, shell string)) {
	for _, shell := range []string{"bash", "zsh", "fish", "dash", "busybox", "ksh93", "mksh"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			need(t, shell)
			f(t, shell)
		})
	}
}

func TestUsersFilesDoNotWin(t *testing.T) {
	eachShell(t, func(t *testing.T, shell string) {
		s := session(shell)
		h := home(t, nasty[shell])
		x := onTerminal(t, inside(t, s, h, shell))
		x.shows("welcome")
		x.prompt(promptOf(shell))
		path := "/usr/local/bin:/usr/bin:/bin"
		switch shell {
		case "bash", "fish", "ksh93", "mksh":
			path += ":" + h + "/.nvm/bin:" + h + "/.local/bin"
		case "zsh":
			path += ":" + h + "/.nvm/bin:" + h + "/.cargo/bin:" + h + "/.local/bin"
		}
		for command, want := range map[string]string{
			"/usr/bin/env | /bin/grep ^PATH=":     "PATH=" + path,
			"/usr/bin/env | /bin/grep ^CC=":       "CC=gcc",
			"/usr/bin/env | /bin/grep ^GREETING=": "GREETING=" + s.Env[1].Value,
			"/usr/bin/env | /bin/grep ^DEVENV_":   "DEVENV_NAME=demo\nDEVENV_PROJECT=/srv/demo",
			`b`:                                   "built",
			`odd`:                                 "it's",
			`echo "$entered"`:                     "yes",
		} {
			if got := x.ask(command); sorted(got) != sorted(want) {
				t.Errorf("%s\n got %q\nwant %q", command, got, want)
			}
		}
		x.prompt(promptOf(shell))
		if code := x.end("exit 7"); code != 7 {
			t.Errorf("exit 7 gave %d", code)
		}
	})
}

// Any shell may be started from any other, or take its place.
func TestShellsInShells(t *testing.T) {
	for _, outer := range []string{"bash", "zsh", "fish", "dash"} {
		for _, inner := range []string{"bash", "zsh", "fish", "dash", "ksh93"} {
			for _, how := range []string{"", "exec "} {
				t.Run(how+outer+" "+inner, func(t *testing.T) {
					t.Parallel()
					need(t, outer, inner)
					all := map[string]string{}
					for _, files := range nasty {
						for name, text := range files {
							all[name] = text
						}
					}
					s := session(outer)
					h := home(t, all)
					x := onTerminal(t, inside(t, s, h, outer))
					x.prompt(promptOf(outer))
					x.send("clear\r")
					x.until("an empty screen", func() bool { return len(x.lines()) == 1 })
					x.prompt(promptOf(outer))
					x.send(how + "/usr/bin/env CC=onpurpose PATH=\"/purpose:$PATH\" /usr/bin/" + inner + "\r")
					x.until("the second shell", func() bool { return len(x.lines()) > 1 })
					x.prompt(promptOf(inner))
					for command, want := range map[string]string{
						"/usr/bin/env | /bin/grep ^CC=":     "CC=onpurpose",
						"/usr/bin/env | /bin/grep ^DEVENV_": "DEVENV_NAME=demo\nDEVENV_PROJECT=/srv/demo",
						"b":                                 "built",
					} {
						if got := x.ask(command); sorted(got) != sorted(want) {
							t.Errorf("%s\n got %q\nwant %q", command, got, want)
						}
					}
					path := x.ask("/usr/bin/env | /bin/grep ^PATH=")
					dirs := strings.Split(strings.TrimPrefix(path, "PATH="), ":")
					if got := strings.Join(dirs[:min(len(dirs), 4)], ":"); got != "/purpose:/usr/local/bin:/usr/bin:/bin" {
						t.Errorf("PATH is %s", path)
					}
					for _, d := range dirs[min(len(dirs), 4):] {
						if !strings.HasPrefix(d, h) {
							t.Errorf("PATH has %s: %s", d, path)
						}
					}
					x.not("welcome")
				})
			}
		}
	}
}

// A start-up file that gives its shell away hands the entry on.
func TestExecInStartUpFile(t *testing.T) {
	for name, c := range map[string]struct {
		shell, with string
		files       map[string]string
	}{
		"bash to zsh":  {"bash", "zsh", map[string]string{".bashrc": "export PATH=/opt/host:$PATH; [ -n \"$IN\" ] || IN=1 exec zsh", ".zshrc": "PS1='> '"}},
		"bash to fish": {"bash", "fish", map[string]string{".bashrc": "export PATH=/opt/host:$PATH; [[ $(ps --no-header --pid=$PPID --format=comm) == fish ]] || exec fish", ".config/fish/config.fish": "function fish_prompt; echo -n '> '; end\nfunction fish_greeting; end"}},
		"bash to bash": {"bash", "bash", map[string]string{".bashrc": "export PATH=/opt/host:$PATH; PS1='> '; [ -n \"$IN\" ] || IN=1 exec bash"}},
		"zsh to bash":  {"zsh", "bash", map[string]string{".zshrc": "export PATH=/opt/host:$PATH; exec bash", ".bashrc": "PS1='> '; export PATH=/opt/b:$PATH"}},
		"fish to zsh":  {"fish", "zsh", map[string]string{".config/fish/config.fish": "set -gx PATH /opt/host $PATH; exec zsh", ".zshrc": "PS1='> '"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			need(t, c.with)
			x := onTerminal(t, inside(t, session(c.with), home(t, c.files), c.shell))
			x.shows("welcome")
			x.prompt("(demo) >")
			if got := x.ask("/usr/bin/env | /bin/grep -e ^PATH= -e ^DEVENV_ENTER"); got != "PATH=/usr/local/bin:/usr/bin:/bin" {
				t.Errorf("%s", got)
			}
			if got := x.ask("b"); got != "built" {
				t.Errorf("the alias gave %q", got)
			}
		})
	}
}

func TestLoginShells(t *testing.T) {
	for shell, files := range map[string]map[string]string{
		"bash": {".bash_profile": "export PATH=/opt/host:$PATH; . ~/.bashrc", ".bashrc": "PS1='> '"},
		"zsh":  {".zprofile": "export PATH=/opt/host:$PATH", ".zshrc": "PS1='> '", ".zlogin": "export PATH=/opt/login:$PATH"},
		"fish": {".config/fish/config.fish": "function fish_prompt; echo -n '> '; end\nfunction fish_greeting; end; status is-login; and set -gx PATH /opt/host $PATH"},
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			s := session(shell)
			s.Path = append([]string{"/purpose"}, s.Path...)
			x := onTerminal(t, inside(t, s, home(t, files), shell, "-l"))
			if shell != "bash" { // which reads no --rcfile then, and settles at the prompt
				x.shows("welcome")
			}
			x.prompt("(demo) >")
			if got := x.ask("/usr/bin/env | /bin/grep -e ^PATH= -e ^DEVENV_ENTER"); !strings.HasPrefix(got, "PATH=/purpose:/usr/local/bin:/usr/bin:/bin") || strings.Contains(got, "opt") {
				t.Errorf("%s", got)
			}
			if got := x.ask(`echo "$entered"`); got != "yes" {
				t.Error("on-enter did not run")
			}
		})
	}
}

// Scripts of zsh and fish read start-up files as well.
func TestScriptsHaveTheRightPath(t *testing.T) {
	for shell, files := range map[string]map[string]string{
		"bash": {".bashrc": "export PATH=/opt/host:$PATH"},
		"zsh":  {".zshenv": "export PATH=/opt/host:$PATH:$HOME/own CC=hostcc"},
		"fish": {".config/fish/config.fish": "set -gx PATH /opt/host $PATH $HOME/own", ".config/fish/conf.d/x.fish": "set -gx PATH /opt/x $PATH"},
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			strange := home(t, files)
			plain := filepath.Join(t.TempDir(), "home") // traces of fish call it ~
			if err := os.Symlink(strange, plain); err != nil {
				t.Fatal(err)
			}
			for _, h := range []string{strange, plain} {
				cmd := inside(t, session(shell), h, shell, "-c", "/usr/bin/env; export \"PATH=/mine:$PATH\"; /usr/bin/env | /bin/sed s/^/later/")
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				want := "\nPATH=/usr/local/bin:/usr/bin:/bin"
				if shell != "bash" {
					want += ":" + h + "/own"
				}
				if text := "\n" + string(out); !strings.Contains(text, want+"\n") || !strings.Contains(text, "\nCC=gcc\n") || !strings.Contains(text, "\nlaterPATH=/mine:"+want[6:]+"\n") {
					t.Errorf("%s", out)
				}
			}
		})
	}
}

// Natively the files lie elsewhere, /etc is the host's, and so is what stands
// on PATH behind the tools.
func TestNative(t *testing.T) {
	eachShell(t, func(t *testing.T, shell string) {
		s := session(shell)
		s.Native, s.Path, s.Etc = true, []string{"/cache/tools of 'mine'"}, filepath.Join(t.TempDir(), "in here")
		h := home(t, nasty[shell])
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Fatal(err)
		}
		start := Enter(path, s)
		put(t, s.Etc, start.Files)
		for _, f := range start.Files {
			if f.After || !strings.HasPrefix(f.Name, here) {
				t.Errorf("%s is not to be written on the host", f.Name)
			}
		}
		cmd := exec.Command(start.Argv[0], start.Argv[1:]...)
		cmd.Env = environ(s, start, h)
		for i, v := range cmd.Env {
			if strings.HasPrefix(v, "PATH=") {
				cmd.Env[i] = "PATH=/usr/bin:/bin"
			}
		}
		cmd.Dir = "/"
		x := onTerminal(t, cmd)
		x.shows("welcome")
		x.prompt(promptOf(shell))
		got := x.ask("/usr/bin/env | /bin/grep ^PATH=")
		want := map[string]string{
			"bash": "/opt/host/bin:" + h + "/.nvm/bin:relative::/usr/games:/usr/bin:/bin:" + h + "/.local/bin",
			"zsh":  "/opt/host/bin:" + h + "/.nvm/bin:relative::/usr/games:/opt/env/bin:" + h + "/.cargo/bin:/usr/bin:/bin:" + h + "/.local/bin",
			"fish": "/opt/host/bin:" + h + "/.nvm/bin:relative:/usr/games:/usr/bin:/bin:" + h + "/.local/bin",
			"dash": "/usr/bin:/bin", "busybox": "/usr/bin:/bin",
			"ksh93": "/opt/host/bin:/usr/bin:/bin:" + h + "/.nvm/bin:" + h + "/.local/bin",
			"mksh":  "/opt/host/bin:/usr/bin:/bin:" + h + "/.nvm/bin:" + h + "/.local/bin",
		}[shell]
		if got != "PATH="+s.Path[0]+":"+want {
			t.Errorf("%s, want %s:%s", got, s.Path[0], want)
		}
	})
}

// A shell that is not known starts with the right PATH all the same, and those
// that are started from it settle.
func TestUnknownShell(t *testing.T) {
	for _, shell := range []string{"elvish", "tcsh"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			s := demo()
			cmd := inside(t, s, home(t, nasty["bash"]), shell, "-c", "bash -ic '/usr/bin/env'")
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "\nPATH=/usr/local/bin:/usr/bin:/bin:/tmp/") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

func TestHistoryIsTheUsers(t *testing.T) {
	for shell, file := range map[string]string{"bash": ".bash_history", "zsh": ".zsh/history", "fish": ".local/share/fish/fish_history"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			h := home(t, map[string]string{
				".zshenv": "ZDOTDIR=~/.zsh", ".zsh/.zshrc": "HISTFILE=$ZDOTDIR/history SAVEHIST=10; PS1='> '",
				".bashrc": "PS1='> '", ".config/fish/config.fish": nasty["fish"][".config/fish/config.fish"],
			})
			x := onTerminal(t, inside(t, session(shell), h, shell))
			x.shows("(demo)")
			x.send("echo remember me\r")
			x.shows("\nremember me")
			x.end("exit")
			b, err := os.ReadFile(filepath.Join(h, file))
			if err != nil || !strings.Contains(string(b), "remember me") {
				t.Errorf("%v: %s", err, b)
			}
		})
	}
}

func TestStartVariables(t *testing.T) {
	vars := func(s Session) map[string]string {
		out := map[string]string{}
		for _, v := range Enter("/usr/bin/dash", s).Env {
			out[v.Key] = v.Value
		}
		return out
	}
	s := demo()
	s.User = []KV{{"ENV", "/home/u/.shrc"}, {"ZDOTDIR", "/home/u/zsh"}, {"PATH", "/x"}}
	got := vars(s)
	want := map[string]string{"DEVENV_ENTER": "1", "ENV": "/etc/devenv/shrc", "SHELL": "/usr/bin/dash", "DEVENV_USER_ENV": "/home/u/.shrc", "DEVENV_USER_ZDOTDIR": "/home/u/zsh"}
	if !maps.Equal(got, want) {
		t.Errorf("%q", got)
	}
	// from inside of another environment
	s.User = []KV{{"ENV", got["ENV"]}, {"ZDOTDIR", "/cache/etc/devenv/zsh"}}
	if got := vars(s); len(got) != 3 {
		t.Errorf("nested: %q", got)
	}
	// what devenv.toml sets is not touched
	s.Env = []KV{{"ENV", "production"}, {"SHELL", "/bin/zsh"}, {"ZDOTDIR", "/z"}}
	if got := vars(s); len(got) != 1 {
		t.Errorf("set by the environment: %q", got)
	}
}
