package main_test

import (
	"strings"
	"testing"
)

// writes is what a careless program does to the system.
const writes = `echo x >/etc/new; echo x >/usr/new; echo x >/var/new; mkdir -p /opt/new/dir; echo x >>/etc/box.conf; rm /usr/bin/wc; ln -s x /var/link`

// daemons leaves every kind of background process.
const daemons = `sleep 1000 & nohup sleep 1001 >/dev/null 2>&1 & setsid sleep 1002 & (setsid sh -c "(sleep 1003; :) & exit" &) ; (trap "" 1 2 15; exec sleep 1004) & :`

// TestNoTrace: whatever happens inside, the host looks as though it had never
// been. TestTracesAreSeen shows what would be seen.
func TestNoTrace(t *testing.T) {
	asEach(t, func(t *testing.T, h *runningHost) {
		home, project := "file "+h.who.home, "file "+h.who.home+"/project"
		for _, c := range []struct {
			name, script string
			says         string
			code         int
			left         []string
		}{
			{name: "first use of all", script: "devenv run -- sh -c '" + writes + "; cat /etc/new'", says: "x", left: []string{project, project + "/devenv.lock"}},
			{name: "run", script: "devenv run -- true"},
			{name: "run without a plan", script: "rm -r ~/.cache/devenv/plans ~/.cache/devenv/hosts; devenv run -- sh -c '" + writes + "; cat /etc/new'", says: "x"},
			{name: "warm, with writes", script: "devenv run -- sh -c '" + writes + "; cat /etc/new /usr/new /var/new'; devenv run ls /etc/new", says: "x\nx\nx", code: 1},
			{name: "enter", script: "echo '" + writes + "; exit 3' | devenv enter", code: 3},
			{name: "pure", script: "devenv run --pure -- sh -c '" + writes + "'"},
			{name: "background processes", script: `devenv run -- sh -c '` + daemons + `'`},
			{name: "background processes of enter", script: `echo '` + daemons + `' | devenv enter`},
			{name: "no overlay", script: "devenv run --without overlay -- sh -c 'echo x >/etc/new; echo x >/var/new; ! echo x >/usr/new; " + daemons + "' 2>/dev/null"},
			{name: "a top in the cache", script: "devenv run --without xattr -- sh -c '" + writes + "; " + daemons + "' && ls ~/.cache/devenv/tmp | wc -l", says: "0"},
			{name: "no pid namespace", script: "devenv run --without pidns -- sh -c '" + writes + "'"},
			{name: "ephemeral", script: "devenv run --ephemeral -- sh -c '" + writes + `; echo x >~/new; echo x >/tmp/new; rm /tmp/left ~/.profile; echo x >>~/.config/devenv/config.toml; cat ~/new /tmp/new; echo kept >kept'; cat kept`, says: "x\nx\nkept", left: []string{project, project + "/kept"}},
			{name: "ephemeral enter", script: "echo '" + writes + "; mkdir ~/new /tmp/new; rm ~/.profile; " + daemons + "' | devenv enter --ephemeral"},
			{name: "ephemeral without overlay", script: "devenv run --without overlay --ephemeral -- sh -c 'mkdir ~/new /tmp/new; rm /tmp/left 2>/dev/null'", code: 1},
			{name: "ephemeral with a top in the cache", script: "devenv run --without xattr --ephemeral -- sh -c 'mkdir ~/new /tmp/new; rm /tmp/left ~/.profile; " + daemons + "'"},
			{name: "home and tmp are the user's", script: "devenv run -- sh -c 'echo x >~/new; echo x >/tmp/new'", left: []string{home, home + "/new", "file /tmp", "file /tmp/new"}},
			{name: "a read-only project", script: "devenv run --read-only-project -- sh -c '! touch x 2>/dev/null'"},
			{name: "a command that cannot be", script: "devenv run -- nothing 2>/dev/null", code: 127},
			{name: "no network", script: "devenv run --no-network -- true"},
			{name: "what is only asked", script: "devenv run --explain -- true >/dev/null; devenv doctor >/dev/null 2>&1; devenv tree >/dev/null; devenv cache info >/dev/null; devenv show >/dev/null"},
			{name: "shell", script: "devenv shell busybox -- sh -c 'echo $0'", says: "sh"},
			{name: "shell with an option", script: "devenv shell --snapshot 2024-01-02 tool -- tool", says: "tool old"},
			{name: "shell in a namespace", script: "devenv shell --namespace busybox -- sh -c '" + writes + "; cat /etc/new; " + daemons + "'", says: "x"},
			{name: "native", script: "devenv run --native -- tool", says: "tool new"},
			{name: "nested", script: "devenv run -- sh -c 'devenv run -- sh -c \"" + strings.ReplaceAll(writes+"; "+daemons, `"`, `\"`) + "\"'"},
			{name: "an empty home", script: "echo '[home]\nmode = \"empty\"\nkeep = [\".cache/ccache\"]' >devenv.local.toml; devenv run -- sh -c '" + writes + "; echo x >~/new; echo x >~/.cache/ccache/kept'", left: []string{project, project + "/devenv.local.toml", "file " + h.who.home + "/.cache", "file " + h.who.home + "/.cache/ccache", "file " + h.who.home + "/.cache/ccache/kept"}},
			{name: "an ephemeral home", script: "echo '[home]\nmode = \"ephemeral\"\nkeep = [\".cache/ccache\"]' >devenv.local.toml; devenv run -- sh -c '" + writes + "; echo x >~/new; rm ~/.profile; echo y >~/.cache/ccache/kept'; rm devenv.local.toml", left: []string{project, project + "/devenv.local.toml", "file " + h.who.home + "/.cache/ccache/kept"}},
			{name: "what was forgotten", script: "rm -r ~/.cache/devenv/*; devenv build"},
		} {
			t.Run(c.name, func(t *testing.T) {
				h.traceless(t, func(h *runningHost) {
					r := h.do(c.script)
					if strings.TrimSpace(r.out) != c.says || r.code != c.code {
						t.Errorf("%v", r)
					}
				}, c.left...)
			})
		}
	})
}
