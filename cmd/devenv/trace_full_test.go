package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// small is a disk of one's own for a directory.
func small(who person, dir, size string) string {
	return fmt.Sprintf("mount -t tmpfs -o size=%s,mode=700,uid=%d,gid=%d small .%s", size, who.uid, who.uid, dir)
}

// TestNoTraceOnAFullDisk: a disk that is full, or fills up, is said, and nothing
// is left elsewhere.
func TestNoTraceOnAFullDisk(t *testing.T) {
	for _, who := range people {
		lock := []string{"file " + who.home + "/project", "file " + who.home + "/project/devenv.lock"}
		cache := who.home + "/.cache/devenv"
		t.Run(who.name, func(t *testing.T) {
			newRunningHost(t, who, small(who, cache, "1m")).traceless(t, func(h *runningHost) {
				if r := h.do("devenv run -- true"); r.code != 1 || !strings.Contains(r.err, "the disk is full") {
					t.Errorf("no room for a layer: %v", r)
				}
			}, lock...)
			h := newRunningHost(t, who, small(who, cache, "20m"), small(who, "/tmp", "64k"))
			h.must("dd if=/dev/zero of=/tmp/filler 2>/dev/null || :")
			h.traceless(t, func(h *runningHost) { h.must("devenv build") }, lock...)
			for _, how := range []string{"", "--without xattr "} {
				h.traceless(t, func(h *runningHost) {
					if out := h.must("devenv run " + how + "-- sh -c '" + writes + "; cat /etc/new'"); out != "x\n" {
						t.Errorf("a full /tmp, %s: %s", how, out)
					}
				})
			}
			if who.uid != 0 { // whose top is in memory, which nobody should fill
				h.traceless(t, fullTop)
			}
			h.traceless(t, func(h *runningHost) {
				if r := h.do("touch devenv.toml; cat /dev/zero >~/.cache/devenv/filler; devenv run -- sh -c 'echo x >/etc/new && cat /etc/new'"); r.code != 0 || r.out != "x\n" {
					t.Errorf("full when there is only a plan to be written: %v", r)
				}
			}, "file "+who.home+"/project/devenv.toml")
		})
	}
}

// fullTop writes to the system, whose top is in the cache, until the disk is full.
func fullTop(h *runningHost) {
	r := h.do("devenv run --without xattr -- sh -c 'cat /dev/zero >/var/filler; " + daemons + "; echo x >/etc/new'")
	if r.code == 0 || !strings.Contains(r.err, "No space left") {
		h.t.Errorf("the top fills up: %v", r)
	}
	if out := h.must("ls ~/.cache/devenv/tmp | wc -l"); out != "0\n" {
		h.t.Errorf("left of a full top: %s", out)
	}
}
