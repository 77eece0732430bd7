package shellhooks

import "testing"

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
}

func eachShell(t *testing.T, f func(t *testing.T, shell string)) {
	for _, shell := range []string{"bash", "zsh", "fish", "dash", "busybox"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			need(t, shell)
			f(t, shell)
		})
	}
}

func TestUsersFilesDoNotWin(t *testing.T) {
	eachShell(t, func(t *testing.T, shell string) {
		s := demo()
		if shell == "fish" {
			s.OnEnter = []string{"set -g entered yes; echo welcome"}
		}
		h := home(t, nasty[shell])
		x := onTerminal(t, inside(t, s, h, shell))
		x.shows("welcome")
		own := map[string]string{"dash": "(demo) #", "busybox": "(demo) / #"}[shell]
		if own == "" {
			own = "(demo) host>"
		}
		x.prompt(own)

		path := "/usr/local/bin:/usr/bin:/bin"
		switch shell {
		case "bash", "fish":
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
		x.prompt(own)
		if code := x.end("exit 7"); code != 7 {
			t.Errorf("exit 7 gave %d", code)
		}
	})
}
