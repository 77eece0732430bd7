package main_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestShellAsksOnce: a second use within a day asks no network; with a day of
// the archive it never does again.
func TestShellAsksOnce(t *testing.T) {
	everyone(t, func(t *testing.T) {
		var asked atomic.Int64
		files := http.FileServer(http.Dir(shared.mirror))
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			files.ServeHTTP(w, r)
		}))
		defer s.Close()
		p := newPlace(t)
		p.set("DEVENV_CACHE_DIR="+p.dir+"/cache", "no_proxy=*")
		p.write(p.home+"/.config/devenv/config.toml", mirrorConfig(s.URL))
		count := func(args ...string) (string, int64) {
			asked.Store(0)
			return p.must(append([]string{"shell"}, args...)...), asked.Load()
		}
		// Databases that were asked for just now count for some minutes.
		forget := func() {
			for _, db := range glob(p.dir + "/cache/sync/*/*.db*") {
				os.Remove(db)
			}
		}
		age := func() {
			forget()
			for _, f := range glob(p.dir + "/cache/sync/adhoc-*") {
				text, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				today, yesterday := time.Now().Format("2006-01-02T"), time.Now().Add(-49*time.Hour).Format("2006-01-02T")
				os.WriteFile(f, []byte(strings.Replace(string(text), today, yesterday, 1)), 0o600)
			}
		}
		for _, c := range []struct {
			name, says string
			args       []string
			forEver    bool
		}{
			{"today", "tool new x", []string{"tool", "busybox", "--", "tool", "x"}, false},
			{"a pin", "tool old x", []string{"tool@1.0", "busybox", "--", "tool", "x"}, false},
			{"a day", "tool old x", []string{"--snapshot", "2024-01-02", "tool", "--", "tool", "x"}, true},
			{"a namespace", "tool new x", []string{"--namespace", "tool", "busybox", "--", "tool", "x"}, false},
		} {
			t.Run(c.name, func(t *testing.T) {
				p.t = t
				forget()
				if said, n := count(c.args...); said != c.says || n == 0 {
					t.Fatalf("first: %q, %d requests", said, n)
				}
				if said, n := count(c.args...); said != c.says || n != 0 {
					t.Errorf("second: %q, %d requests", said, n)
				}
				age()
				if said, n := count(c.args...); said != c.says || (n == 0) != c.forEver {
					t.Errorf("a day later: %q, %d requests", said, n)
				}
				if said, n := count(append([]string{"--refresh"}, c.args...)...); said != c.says || n == 0 && !c.forEver {
					t.Errorf("--refresh: %q, %d requests", said, n)
				}
			})
		}
		p.t = t
		s.Close()
		if said := p.must("shell", "tool", "busybox", "--", "tool", "x"); said != "tool new x" {
			t.Errorf("without a network: %q", said)
		}
	})
}

func glob(pattern string) []string {
	list, _ := filepath.Glob(pattern)
	return list
}

// TestShellNamespace: an environment of the tools' own, from which the host's
// root can be read, and its /run is as it was.
func TestShellNamespace(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t)
		before, err := os.ReadDir("/run")
		if err != nil {
			t.Fatal(err)
		}
		host, err := os.ReadFile("/etc/passwd")
		if err != nil {
			t.Fatal(err)
		}
		in := func(script string) result {
			return p.try("shell", "--namespace", "tool", "busybox", "--", "sh", "-c", script)
		}
		if r := in("cat /run/host/etc/passwd"); r.code != 0 || r.out != string(host) {
			t.Errorf("the host's file: %v", r)
		}
		if r := in("ls /run/host/usr/bin | head -n 1; cat /etc/box.conf; tool x"); !strings.HasSuffix(r.out, "\na\ntool new x\n") {
			t.Errorf("both: %v", r)
		}
		target := p.dir + "/of-the-host"
		p.write(target, "as it was")
		for _, script := range []string{"echo x >/run/host" + target, "rm /run/host" + target, "echo x >/run/host/etc/devenv-was-here", "mkdir /run/host/run/devenv-was-here"} {
			if r := in(script); r.code == 0 {
				t.Errorf("%s: %v", script, r)
			}
		}
		if b, err := os.ReadFile(target); err != nil || string(b) != "as it was" {
			t.Errorf("%q, %v", b, err)
		}
		if r := in("echo x >/run/devenv-was-here; cat /run/devenv-was-here"); r.code == 0 && r.out != "x\n" {
			t.Errorf("a /run of one's own: %v", r)
		}
		after, err := os.ReadDir("/run")
		if err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("the host's /run: %v, then %v, %v", before, after, err)
		}
	})
}

// TestShellNamespaceHasSockets: what the host's /run holds is there, sockets of
// the session too.
func TestShellNamespaceHasSockets(t *testing.T) {
	h := newRunningHost(t, people[0])
	dir := h.path("run/user/" + fmt.Sprint(hostUser))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	os.Chown(dir, hostUser, hostUser)
	listener, err := net.Listen("unix", dir+"/bus")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var r result
	h.traceless(t, func(h *runningHost) {
		r = h.do(`stat -c %i /run/user/1000/bus
devenv -q shell --namespace tool busybox -- sh -c 'stat -c %i /run/user/1000/bus; test -S /run/user/1000/bus && cat /run/host/usr/of-the-host; echo x >/run/user/1000/own; cat /run/host/run/user/1000/own; rm /run/user/1000/own'`)
	}, "file /run/user/1000")
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if r.code != 0 || len(lines) != 4 || lines[0] != lines[1] || lines[2] != "a file of the host" || lines[3] != "x" {
		t.Errorf("%v", r)
	}
}
