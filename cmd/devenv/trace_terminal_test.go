package main_test

import "testing"

// TestNoTraceOnATerminal lives in each kind of shell, and leaves it as people
// do: by its end, with the terminal, and by a signal to whatever is there.
func TestNoTraceOnATerminal(t *testing.T) {
	const jobs = "sleep 1000 & nohup sleep 1001 >/dev/null 2>&1 & setsid sleep 1002 &"
	asEach(t, func(t *testing.T, h *runningHost) {
		h.must("devenv build")
		for _, c := range []struct {
			name, script, types string
		}{
			{"enter", "devenv enter", writes + "; " + jobs},
			{"ephemeral enter", "devenv enter --ephemeral", writes + "; mkdir ~/new /tmp/new; rm ~/.profile; " + jobs},
			{"enter, a top in the cache", "devenv enter --without xattr", writes + "; " + jobs},
			{"enter, no overlay", "devenv enter --without overlay", "echo x >/etc/new; " + jobs},
			{"shell in a namespace", "devenv shell --namespace busybox", writes + "; " + jobs},
			{"shell", "devenv shell busybox", "busybox true;"},
			{"run", "devenv run -- sh", writes + "; " + jobs},
		} {
			// Whatever it is, history is the shell's own and the user's.
			types := "unset HISTFILE; " + c.types + " echo rea\"\"dy\r"
			t.Run(c.name, func(t *testing.T) {
				h.traceless(t, func(h *runningHost) {
					s := h.console(c.script)
					s.keys(types)
					s.until("\nready")
					s.keys("exit 7\r")
					if code := s.exit(); code != 7 {
						t.Errorf("exit %d\n%s", code, s)
					}
				})
			})
			t.Run(c.name+", the terminal is closed", func(t *testing.T) {
				h.traceless(t, func(h *runningHost) {
					before := h.take()
					s := h.console(c.script)
					s.keys(types)
					s.until("\nready")
					if c.name != "shell" { // what ignores its end on the host goes on
						s.keys("trap '' 1; echo mi\"\"nds not; while :; do sleep 1; done\r")
						s.until("\nminds not")
					}
					s.master.Close()
					s.exit()
					h.expect(before, gone)
				})
			})
		}
	})
}
