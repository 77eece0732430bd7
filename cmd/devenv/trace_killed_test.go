package main_test

import (
	"bufio"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// gone is how long the kernel may take, on a busy machine, to end what was
// inside when devenv could not wait for it.
const gone = time.Minute

// stay is what goes on inside until it is killed.
const stay = writes + "; " + daemons + "; echo inside; while :; do sleep 1; done"

// TestNoTraceOfTheKilled kills each process of devenv in turn without warning:
// the one that was started, the one that attends where there is one, the
// reaper, the command. With any of them everything inside goes.
func TestNoTraceOfTheKilled(t *testing.T) {
	asEach(t, func(t *testing.T, h *runningHost) {
		h.must("devenv build")
		attended := 4
		if h.who.uid == 0 { // whose top is in memory all the same
			attended = 3
		}
		for _, c := range []struct {
			name, script string
			processes    int
		}{
			{"run", "devenv run -- sh -c '" + stay + "'", 3},
			{"ephemeral", "devenv run --ephemeral -- sh -c 'mkdir ~/new /tmp/new; rm ~/.profile; " + stay + "'", 3},
			{"no overlay", "devenv run --without overlay -- sh -c '" + daemons + "; echo x >/etc/new; echo inside; while :; do sleep 1; done'", 3},
			{"a top in the cache", "devenv run --without xattr --ephemeral -- sh -c 'mkdir ~/new /tmp/new; " + stay + "'", attended},
			{"enter", "echo '" + stay + "' | devenv enter", 3},
			{"shell in a namespace", "devenv shell --namespace busybox -- sh -c '" + stay + "'", 3},
			{"shell", "devenv shell busybox -- sh -c 'echo inside; while :; do :; done'", 1},
		} {
			for victim := range c.processes {
				t.Run(fmt.Sprintf("%s %d", c.name, victim), func(t *testing.T) {
					h.traceless(t, func(h *runningHost) { h.killed(c.script, victim, c.processes) })
					// What a killed process has left in the cache goes with the next use.
					if out := h.must("touch devenv.toml; devenv run -- true && ls ~/.cache/devenv/tmp | wc -l"); out != "0\n" {
						t.Errorf("in the cache: %s", out)
					}
				})
			}
		}
	})
}

// killed runs a script, kills one of the processes of devenv, of which there
// are so many, and waits until nothing is as it was not.
func (h *runningHost) killed(script string, victim, of int) {
	h.t.Helper()
	before, host := h.take(), h.processes()
	cmd := h.inside(h.user(script)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "inside\n" {
		h.t.Errorf("begins with %q: %v", line, err)
	}
	all := h.devenvs(host)
	if len(all) != of {
		h.t.Errorf("the processes of devenv are %q, not %d", all, of)
	}
	if victim < len(all) {
		h.kill(all[victim])
	}
	h.await(cmd)
	if s := cmd.ProcessState.String(); s != "exit status 137" && s != "signal: killed" {
		h.t.Errorf("ends with %s", s)
	}
	h.expect(before, gone)
}

// await waits for a command's end, but not for ever: then devenv has to say what
// it waits for.
func (h *runningHost) await(cmd *exec.Cmd) {
	stuck := time.AfterFunc(gone, func() {
		h.t.Error("goes on for ever")
		h.inside("killall", "-QUIT", "devenv").Run()
		time.Sleep(time.Second)
		cmd.Process.Kill()
	})
	defer stuck.Stop()
	cmd.Wait()
}

// devenvs are the processes of devenv that the host did not have, oldest first:
// those that execute it, and last the command inside.
func (h *runningHost) devenvs(host map[string]process) []string {
	var ours, commands []int
	for pid, p := range h.processes() {
		n, _ := strconv.Atoi(pid)
		switch {
		case host[pid].started == p.started:
		case strings.HasSuffix(p.program, "/bin/devenv"):
			ours = append(ours, n)
		case strings.HasSuffix(p.program, "/busybox") && !strings.HasPrefix(p.words, "sleep") && !strings.Contains(p.words, "cd ~/project"):
			commands = append(commands, n)
		}
	}
	slices.Sort(ours)
	if len(commands) > 0 { // the others are its own
		ours = append(ours, slices.Min(commands))
	}
	var pids []string
	for _, n := range ours {
		pids = append(pids, strconv.Itoa(n))
	}
	return pids
}
