package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestNoTrace: whatever happens inside, the host looks as though it had never
// been.
func TestNoTrace(t *testing.T) {
	h := newBusyHost(t)
	if r := h.sh("devenv build"); r.code != 0 {
		t.Fatal(r)
	}
	writes := `echo x >/etc/new; echo x >/usr/new; echo x >/var/new; mkdir -p /opt/new/dir; echo x >>/etc/box.conf; rm /usr/bin/wc; ln -s x /var/link`
	for _, c := range []struct {
		name, script string
		says         string
		code         int
		allowed      []string
	}{
		{name: "run", script: "devenv run -- true"},
		{name: "first run", script: "rm -r ~/.cache/devenv/plans ~/.cache/devenv/hosts; devenv run -- sh -c '" + writes + "; cat /etc/new'", says: "x"},
		{name: "warm, with writes", script: "devenv run -- sh -c '" + writes + "; cat /etc/new /usr/new /var/new'; devenv run ls /etc/new", says: "x\nx\nx", code: 1},
		{name: "enter", script: "echo '" + writes + "; exit 3' | devenv enter", code: 3},
		{name: "background processes", script: `devenv run -- sh -c 'sleep 100 & (setsid sleep 100 &) ; nohup sleep 100 >/dev/null 2>&1 & :'`},
		{name: "no overlay", script: "devenv run --without overlay -- sh -c 'echo x >/etc/new; echo x >/var/new; ! echo x >/usr/new' 2>/dev/null"},
		{name: "a top in the cache", script: "devenv run --without xattr -- sh -c '" + writes + "' && ls ~/.cache/devenv/tmp | wc -l", says: "0"},
		{name: "ephemeral", script: "devenv run --ephemeral -- sh -c '" + writes + `; echo x >~/new; echo x >/tmp/new; rm /tmp/left ~/.profile; echo x >>~/.config/devenv/config.toml; cat ~/new /tmp/new; echo kept >kept'; cat kept`, says: "x\nx\nkept"},
		{name: "home and tmp are the user's", script: "devenv run -- sh -c 'echo x >~/new; echo x >/tmp/new'", allowed: []string{"/home/me/new", "/tmp/new", "/tmp"}},
		{name: "a command that cannot be", script: "devenv run -- nothing 2>/dev/null", code: 127},
		{name: "no network", script: "devenv run --no-network -- true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := *h
			h.t = t
			start := time.Now()
			r := h.traceless(c.script, c.allowed...)
			if strings.TrimSpace(r.out) != c.says || r.code != c.code {
				t.Errorf("%v", r)
			}
			t.Log(time.Since(start))
		})
	}
}

// killed starts something inside that goes on for ever, kills one process of
// devenv without warning, and waits until none is left.
const killed = `
rm -f up
devenv run %s -- sh -c 'echo x >/etc/new; sleep 100 & (setsid sleep 100 &); : >up; while :; do sleep 1; done' 2>/dev/null &
first=$!
until [ -e up ]; do sleep 0.01; done
# of <pid>: its children, oldest first
of() { for p in $(ls /proc | grep '^[0-9]' | sort -n); do grep -q "^PPid:.$1\$" /proc/$p/status 2>/dev/null && echo $p; done; }
victim=
for p in $first $(of $first) $(for k in $(of $first); do of $k; done); do
	case "%s $(readlink /proc/$p/exe)" in
	"first "*) [ $p = $first ] && victim=$p ;;
	"second "*) [ "$(of $first)" = $p ] && victim=$p ;;
	"reaper "*bin/devenv) [ $p != $first ] && victim=$p ;;
	"command "*busybox) [ -z "$victim" ] && victim=$p ;;
	esac
done
[ -n "$victim" ] || { echo no victim; exit 1; }
kill -9 $victim
wait $first
echo $?
i=0
while [ $i -lt 300 ]; do
	i=$((i+1))
	left=
	for p in /proc/[0-9]*; do
		[ $p != /proc/1 ] && [ -e $p/exe ] && case "$(tr '\0' ' ' <$p/cmdline)" in devenv*|sleep*100*|*up*while*) left=$left$p ;; esac
	done
	[ -z "$left" ] && break
	sleep 0.01
done
[ -z "$left" ] || { echo "left: $left"; }
`

// TestNoTraceOfTheKilled kills each process of devenv in turn: the one that
// was started, the one that attends where there is one, the reaper, the
// command. With any of them everything inside goes.
func TestNoTraceOfTheKilled(t *testing.T) {
	h := newBusyHost(t)
	if r := h.sh("devenv build"); r.code != 0 {
		t.Fatal(r)
	}
	for _, c := range []struct{ flags, victim string }{
		{"", "first"}, {"", "reaper"}, {"", "command"},
		{"--without xattr", "first"}, {"--without xattr", "second"},
		{"--without overlay", "first"}, {"--without overlay", "reaper"}, {"--without overlay", "command"},
	} {
		t.Run(c.victim+c.flags, func(t *testing.T) {
			h := *h
			h.t = t
			r := h.traceless(fmt.Sprintf(killed, c.flags, c.victim))
			want := "137"
			if strings.TrimSpace(r.out) != want {
				t.Errorf("%v", r)
			}
			// What a killed process has left in the cache goes with the next use.
			if r := h.sh("touch devenv.toml; devenv run -- true && ls ~/.cache/devenv/tmp | wc -l"); r.out != "0\n" {
				t.Errorf("in the cache: %v", r)
			}
		})
	}
}

// TestNoTraceOnAFullDisk: a cache that is full says so, and leaves nothing
// elsewhere.
func TestNoTraceOnAFullDisk(t *testing.T) {
	h := newBusyHost(t)
	h.mounts = "mkdir -p home/me/.cache; mount -t tmpfs -o size=1m,mode=700,uid=1000,gid=1000 small home/me/.cache"
	r := h.traceless("devenv run -- true")
	if r.code != 1 || !strings.Contains(r.err, "the disk is full") {
		t.Errorf("%v", r)
	}
	// A cache that fills up later is good enough to enter.
	h.mounts = strings.Replace(h.mounts, "size=1m", "size=16m", 1)
	r = h.traceless("devenv build && touch devenv.toml && dd if=/dev/zero of=/home/me/.cache/filler bs=64k 2>/dev/null; devenv run -- sh -c 'echo x >/etc/new && cat /etc/new'")
	if r.code != 0 || r.out != "x\n" {
		t.Errorf("full when there is only a plan to be written: %v", r)
	}
}

// TestManyAtOnce enters 100 times at the same moment: first of all with
// nothing built, then without plans, then warm.
func TestManyAtOnce(t *testing.T) {
	h := newBusyHost(t)
	for _, first := range []string{"", "rm -r ~/.cache/devenv/plans ~/.cache/devenv/hosts", ""} {
		n := 100
		r := h.traceless(first + fmt.Sprintf(`
for i in $(seq %d); do
	devenv run -- sh -c 'echo '$i' >/etc/mine; sleep 0.2; cat /etc/mine' 2>err.$i >out.$i || { echo "$i failed"; cat err.$i; } &
done
wait
for i in $(seq %d); do [ "$(cat out.$i)" = $i ] || { echo "$i: $(cat out.$i err.$i)"; }; done
rm -f out.* err.*`, n, n))
		if r.code != 0 || r.out != "" {
			t.Errorf("%.3000v", r)
		}
	}
}
