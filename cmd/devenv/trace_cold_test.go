package main_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestNoTraceOfAKilledBuild kills what makes an environment ready: while it
// downloads, at any moment of unpacking and linking, and each process of
// set-up. The next use begins where it must, and ends well.
func TestNoTraceOfAKilledBuild(t *testing.T) {
	asEach(t, func(t *testing.T, h *runningHost) {
		h.must("devenv build")
		t.Run("download", func(t *testing.T) { h.killedDownload(t) })
		t.Run("unpacking and linking", func(t *testing.T) {
			start := time.Now()
			h.must("rm -r ~/.cache/devenv/*; devenv build")
			whole := time.Since(start)
			for i := range 5 {
				h.traceless(t, func(h *runningHost) {
					h.killedBuild("rm -r ~/.cache/devenv/*; exec devenv build", func(host map[string]process) []string {
						time.Sleep(whole * time.Duration(i+1) / 7)
						return h.devenvs(host)
					}, 0)
				})
				h.recovers(t)
			}
		})
		t.Run("set-up", func(t *testing.T) { h.killedSetup(t) })
	})
}

// killedBuild starts a build, kills one of the processes that victims finds,
// and reports whether there was one. A build may survive the end of a program
// of its set-up.
func (h *runningHost) killedBuild(script string, victims func(host map[string]process) []string, victim int) bool {
	h.t.Helper()
	before, host := h.take(), h.processes()
	cmd := h.inside(h.user(script)...)
	var words bytes.Buffer
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	all := victims(host)
	if chosen := all; len(all) > 0 {
		if victim < len(all) {
			chosen = all[victim : victim+1]
		}
		// Some end before, by themselves or with another.
		h.inside(append([]string{"kill", "-9"}, chosen...)...).Run()
	}
	h.await(cmd)
	h.expect(before, gone)
	if h.t.Failed() {
		h.t.Logf("killed was %d of %q, which said: %s", victim, all, &words)
	}
	return victim < len(all)
}

// recovers uses the environment, and looks for what was half made.
func (h *runningHost) recovers(t *testing.T) {
	t.Helper()
	if r := h.do("devenv run -- tool && ls ~/.cache/devenv/tmp | wc -l"); r.code != 0 || r.out != "tool new\n0\n" {
		t.Errorf("the next use: %v", r)
	}
}

// killedDownload lets a server send half of a package.
func (h *runningHost) killedDownload(t *testing.T) {
	half := make(chan bool, 1)
	var listener net.Listener
	err := h.within(func() (err error) {
		listener, err = net.Listen("tcp4", "127.0.0.1:8080")
		return err
	}, "net")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file := filepath.Join(shared.mirror, filepath.Clean(r.URL.Path))
		if b, err := os.ReadFile(file); err == nil && strings.HasPrefix(filepath.Base(file), "busybox") && strings.HasSuffix(file, ".zst") {
			w.Write(b[:len(b)/2])
			w.(http.Flusher).Flush()
			select {
			case half <- true:
			default:
			}
			<-r.Context().Done() // the other side is gone
			panic(http.ErrAbortHandler)
		}
		http.ServeFile(w, r, file)
	}), ConnState: func(c net.Conn, s http.ConnState) {
		if tcp, ok := c.(*net.TCPConn); ok && s == http.StateNew {
			tcp.SetLinger(0) // nothing stays of a connection on the server's side
		}
	}}
	go server.Serve(listener)
	defer server.Close()

	config := h.who.home + "/.config/devenv/config.toml"
	h.file(config, mirrorConfig("http://127.0.0.1:8080"))
	h.traceless(t, func(h *runningHost) {
		h.killedBuild("rm -r ~/.cache/devenv/*; exec devenv build", func(host map[string]process) []string {
			select {
			case <-half:
			case <-time.After(gone):
				h.t.Error("no package is asked for")
			}
			return h.devenvs(host)
		}, 0)
	})
	h.file(config, mirrorConfig("/mirror"))
	h.recovers(t)
}

// killedSetup lets a scriptlet go on for ever.
func (h *runningHost) killedSetup(t *testing.T) {
	repo := h.path("/srv/team/os/x86_64")
	slow := pkg{name: "slow", version: "1-1", files: []file{{path: ".INSTALL", data: "post_install() {\n\techo x >/etc/x; setsid sleep 1005 & sleep 1006\n}\n"}, {path: "usr/"}, {path: "usr/slow", data: "x"}}}
	if err := makeRepo(repo, h.path("/srv/packages"), []pkg{slow}); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(repo+"/core.db", repo+"/team.db"); err != nil {
		t.Fatal(err)
	}
	// Package files of one's own: nothing shows that they were read.
	output(t, "chown", "-R", fmt.Sprint(h.who.uid), h.path("/srv"))
	h.file(h.who.home+"/.config/devenv/config.toml", mirrorConfig("/mirror")+"[[mirrors.repo]]\nname = \"team\"\nservers = [\"/srv/$repo/os/$arch\"]\nsiglevel = \"never\"\n")
	h.toml("[packages]\nbusybox = \"*\"\ntool = \"*\"\nslow = \"*\"\n")
	h.must("devenv lock")
	for victim := 0; ; victim++ {
		more := false
		h.traceless(t, func(h *runningHost) {
			more = h.killedBuild("rm -rf ~/.cache/devenv/setups; exec devenv build", func(host map[string]process) []string {
				for end := time.Now().Add(gone); ; time.Sleep(10 * time.Millisecond) {
					// Both programs are what they are to be: no shell is on its way to one.
					if running, background := h.newer(host); background && len(running) == 4 {
						return running
					}
					if time.Now().After(end) {
						h.t.Errorf("no scriptlet runs: %v", h.processes())
						return nil
					}
				}
			}, victim)
		})
		if !more {
			t.Logf("%d processes", victim)
			break
		}
	}
	h.toml("[packages]\nbusybox = \"*\"\ntool = \"*\"\n")
	h.recovers(t)
}

// newer are the processes that the host did not have, but for the scriptlet's
// own in the background, whose end is nobody's.
func (h *runningHost) newer(host map[string]process) (pids []string, background bool) {
	for pid, p := range h.processes() {
		switch {
		case host[pid].started == p.started:
		case p.words == "sleep 1005":
			background = true
		default:
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, background
}
