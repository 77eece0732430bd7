package setup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestScriptlets(t *testing.T) {
	asNobody(t)
	w := newWorld(t)
	w.add("second", "post_install() { echo \"second $1 $(cat /order)\" >> /order; }\n", nil, "first")
	w.add("first", `
pre_install() { echo "pre $1" >> /order; }
helper() { echo helped >> /order; }
post_install() { helper; pwd >> /order; id -u >> /order; umask >> /order; }
pre_remove() { echo never >> /order; }
`, nil, "loop")
	w.add("loop", "# post_install is named, and not there\n", nil, "first")
	r := w.run()
	w.noFailures(r)
	want := "pre 1.0-1\nhelped\n/\n0\n0022\n"
	if got := content(t, r, "order"); !strings.HasPrefix(got, want+"second 1.0-1 ") {
		t.Errorf("order: %q", got)
	}
	info, err := os.Stat(filepath.Join(r.FS, "order"))
	if err != nil || info.ModTime().Unix() != 1700000000 {
		t.Errorf("order: %v, %v: want the time of the newest package", info.ModTime(), err)
	}
	if again := w.run(); again.Made || again.FS != r.FS {
		t.Errorf("made again: %+v", again)
	}
}

func TestFailureIsToldAndGoesOn(t *testing.T) {
	asNobody(t)
	w := newWorld(t)
	w.add("bad", "post_install() { echo sorry; false; }\n", nil)
	w.add("good", "post_install() { touch /good; }\n", nil, "bad")
	r := w.run()
	if len(r.Record.Failed) != 1 {
		t.Fatalf("failures: %+v", r.Record.Failed)
	}
	if f := r.Record.Failed[0]; f.Package != "bad" || f.Output != "sorry\n" || !strings.Contains(f.String(), "post_install of bad 1.0-1: exit status 1") {
		t.Errorf("%s", f.String())
	}
	content(t, r, "good")
}

func TestTimeLimitEndsAllProcesses(t *testing.T) {
	asNobody(t)
	w := newWorld(t)
	w.spec.Limit = 3 * time.Second
	w.add("slow", "post_install() { setsid sleep 1000 & setsid sh -c 'sleep 4; touch /late' & sleep 1000; }\n", nil)
	w.add("daemon", "post_install() { setsid sh -c 'sleep 0.2; touch /late' & }\n", nil, "slow")
	w.add("zz", "post_install() { sleep 1.2; ps | grep -c sleep > /left; :; }\n", nil, "daemon")
	start := time.Now()
	r := w.run()
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("took %v", took)
	}
	if len(r.Record.Failed) != 1 || !strings.Contains(r.Record.Failed[0].Problem, "took longer than 3s") {
		t.Errorf("failures: %+v", r.Record.Failed)
	}
	if _, err := os.Stat(filepath.Join(r.FS, "late")); err == nil {
		t.Error("a process outlived its step")
	}
	if got := content(t, r, "left"); got != "1\n" && got != "0\n" { // grep itself may be seen
		t.Errorf("sleeping still: %q", got)
	}
}

func TestPretends(t *testing.T) {
	asNobody(t)
	w := newWorld(t)
	w.write("usr/bin/tool", "x", 0o755)
	w.add("owners", `post_install() {
	set -e
	chown 12:34 /usr/bin/tool; chown 12:56 /usr/bin/tool
	cd /usr; chown -h 7 bin/sh
	mkdir /var/x; chown 99:99 /var/x
	mknod /var/null c 1 3; chmod 600 /var/null
	! chown 1 /nowhere
	mkfifo /var/fifo
}`, nil)
	r := w.run()
	w.noFailures(r)
	got := map[string]Pretended{}
	for _, p := range r.Record.Pretended {
		got[p.Path] = p
	}
	if p := got["/usr/bin/tool"]; p.UID != 12 || p.GID != 56 {
		t.Errorf("tool: %+v", p)
	}
	if p := got["/usr/bin/sh"]; p.UID != 7 {
		t.Errorf("link: %+v", p)
	}
	if p := got["/var/x"]; p.UID != 99 || p.GID != 99 {
		t.Errorf("directory: %+v", p)
	}
	if p := got["/var/null"]; p.Kind != KindDevice || p.Dev != 0x103 {
		t.Errorf("device: %+v", p)
	}
	if _, err := os.Lstat(filepath.Join(r.FS, "var/null")); err == nil {
		t.Error("the device's stand-in is in the layer")
	}
	if info, err := os.Lstat(filepath.Join(r.FS, "var/fifo")); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("fifo: %v, %v", info, err)
	}
}

func TestNothingOfTheHost(t *testing.T) {
	asNobody(t)
	w := newWorld(t)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SECRET", "secret")
	w.add("nosy", `post_install() {
	ls / > /seen; ls /home /tmp /run /sys >> /seen 2>/dev/null
	cat `+outside+` >> /seen 2>/dev/null
	cat /proc/1/root`+outside+` >> /seen 2>/dev/null
	for n in 0 1 2 3 4 5 6 7 8; do readlink /proc/1/fd/$n && echo FDS >> /seen; done
	cat /proc/1/environ /proc/*/environ >> /seen 2>/dev/null
	env >> /seen
	mount -t tmpfs t /tmp 2>/dev/null && echo MOUNTED >> /seen
	tty >> /seen
	echo links $(grep -c : /proc/net/dev) >> /seen
	echo 1 2>/dev/null > /proc/sys/kernel/printk && echo SYSCTL >> /seen
	hostname >> /seen
	kill -9 1 2>/dev/null
	exit 0
}`, nil)
	r := w.run()
	w.noFailures(r)
	seen := content(t, r, "seen")
	for _, bad := range []string{"secret", "FDS", "MOUNTED", "SYSCTL"} {
		if strings.Contains(seen, bad) {
			t.Errorf("%s in:\n%s", bad, seen)
		}
	}
	for _, want := range []string{"not a tty", "links 1", "localhost", "HOME=/root"} {
		if !strings.Contains(seen, want) {
			t.Errorf("no %q in:\n%s", want, seen)
		}
	}
}

func TestRemovedAndReplaced(t *testing.T) {
	asNobody(t)
	removedAndReplaced(t, false)
}

func TestRemovedAndReplacedWithoutOverlay(t *testing.T) {
	asNobody(t)
	removedAndReplaced(t, true)
}

func removedAndReplaced(t *testing.T, copy bool) {
	w := newWorld(t)
	w.spec.copy = copy
	w.write("usr/share/d/a", "a", 0o644)
	w.write("usr/share/d/sub/b", "b", 0o644)
	w.write("usr/share/e/c", "c", 0o444)
	w.write("usr/share/same", "same", 0o755)
	w.add("p", `post_install() {
	set -e
	rm -r /usr/share/d; mkdir -p /usr/share/d/sub; echo new > /usr/share/d/sub/n
	rm /usr/share/e/c
	chmod 600 /usr/share/same; chmod 755 /usr/share/same
}`, nil)
	r := w.run()
	w.noFailures(r)
	for name, hidden := range map[string]bool{"usr/share/d/a": true, "usr/share/d/sub/b": true, "usr/share/e/c": true, "usr/share/d/sub/n": false} {
		info, err := os.Lstat(filepath.Join(r.FS, name))
		if err != nil || isWhiteout(info) != hidden {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(r.FS, "usr/share/same")); err == nil {
		t.Error("a file that is as it was is in the layer")
	}
	if names, err := listXattrs(filepath.Join(r.FS, "usr/share/d")); err != nil || len(names) > 0 {
		t.Errorf("attributes left: %v, %v", names, err)
	}
	for _, left := range []string{"dev", "proc", "usr/bin/busybox", "usr/bin/sh"} {
		if _, err := os.Lstat(filepath.Join(r.FS, left)); err == nil {
			t.Errorf("%s is in the layer", left)
		}
	}
	if text, err := os.ReadFile(w.path("usr/share/d/a")); err != nil || string(text) != "a" {
		t.Errorf("the tree was written to: %q, %v", text, err)
	}
}

// The same spec gives the same bytes, modes, times and names.
func TestDeterministic(t *testing.T) {
	asNobody(t)
	var first string
	for range 2 {
		w := newWorld(t)
		w.spec.Files = []File{{Target: "/etc/conf", Data: []byte("x"), Mode: 0o640}}
		w.add("p", "post_install() { mkdir -p /var/lib/p; for i in 3 1 2; do echo $i > /var/lib/p/$i; done; chmod 700 /var/lib/p; ln -s a /var/lib/p/l; rm /etc/group; touch /var/lib; }\n", map[string]string{"var/lib/q": "q"})
		r := w.run()
		w.noFailures(r)
		var list strings.Builder
		err := filepath.Walk(r.FS, func(p string, info os.FileInfo, err error) error {
			if err != nil {
				return err
			}
			list.WriteString(strings.TrimPrefix(p, r.FS) + " " + info.Mode().String() + " ")
			if !isWhiteout(info) && info.ModTime().Unix() != 1700000000 {
				t.Errorf("%s: time %v", p, info.ModTime())
			}
			if info.Mode().IsRegular() {
				list.WriteString(content(t, r, strings.TrimPrefix(p, r.FS)))
			}
			list.WriteString("\n")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = list.String()
		} else if list.String() != first {
			t.Errorf("first:\n%s\nsecond:\n%s", first, list.String())
		}
	}
}

// Accounts and files that systemd's tools would make.
func TestBuiltins(t *testing.T) {
	asNobody(t)
	w := newWorld(t)
	w.add("p", "post_install() { id foo > /ids; }\n", map[string]string{
		"usr/lib/sysusers.d/a.conf": "u foo 77 \"Foo Bar\" /var/lib/foo\nm foo wheel\ng wheel 10\nu! bar - - - /bin/sh\nu baz 500:foo\n",
		"usr/lib/sysusers.d/b.conf": "u never -\n",
		"etc/sysusers.d/b.conf":     "# nobody\n",
		"usr/lib/tmpfiles.d/a.conf": "d /var/lib/foo 0750 foo wheel -\nf /var/lib/foo/f 0640 - - - hello\\nthere\nL /etc/link - - - - ../usr/x\nL+ /etc/passwd.link - - - - passwd\n" +
			"d /run/no 0755\nd /home/no 0755\nC /etc/copied - - - - /usr/share/skel\nd! /var/boot\nf /etc/%b - - - -\np /var/pipe 0600\n",
		"usr/share/skel/x": "x",
	})
	r := w.run()
	w.noFailures(r)
	passwd := content(t, r, "etc/passwd")
	for _, want := range []string{"foo:x:77:77:Foo Bar:/var/lib/foo:/usr/bin/nologin\n", "bar:x:999:999::/:/bin/sh\n", "baz:x:500:77::/:/usr/bin/nologin\n"} {
		if !strings.Contains(passwd, want) {
			t.Errorf("no %q in %q", want, passwd)
		}
	}
	if strings.Contains(passwd, "never") {
		t.Error("a file of /etc does not take the place of one in /usr/lib")
	}
	if g := content(t, r, "etc/group"); !strings.Contains(g, "wheel:x:10:foo\n") {
		t.Errorf("groups: %q", g)
	}
	if ids := content(t, r, "ids"); !strings.Contains(ids, "uid=77(foo) gid=77(foo)") {
		t.Errorf("a scriptlet does not know the user: %q", ids)
	}
	if got := content(t, r, "var/lib/foo/f"); got != "hello\nthere" {
		t.Errorf("f: %q", got)
	}
	if got := content(t, r, "etc/copied/x"); got != "x" {
		t.Errorf("C: %q", got)
	}
	if to, err := os.Readlink(filepath.Join(r.FS, "etc/link")); err != nil || to != "../usr/x" {
		t.Errorf("L: %q, %v", to, err)
	}
	for _, none := range []string{"home", "run", "var/boot", "etc/%b"} {
		if _, err := os.Lstat(filepath.Join(r.FS, none)); err == nil {
			t.Errorf("%s was made", none)
		}
	}
	if info, err := os.Stat(filepath.Join(r.FS, "var/lib/foo")); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("mode of d: %v, %v", info, err)
	}
	if len(r.Record.Pretended) != 1 || r.Record.Pretended[0].UID != 77 || r.Record.Pretended[0].GID != 10 {
		t.Errorf("pretended: %+v", r.Record.Pretended)
	}
}

// Hooks for a machine that boots are passed over, unless the user wants them.
func TestPointlessHooks(t *testing.T) {
	asNobody(t)
	w := newWorld(t)
	hook := func(exec string) string {
		return "[Trigger]\nOperation = Install\nType = Package\nTarget = p\n[Action]\nWhen = PostTransaction\nExec = " + exec + "\n"
	}
	w.add("p", "", map[string]string{
		"usr/share/libalpm/hooks/depmod.hook":   hook("/usr/bin/depmod 6.1"),
		"usr/share/libalpm/hooks/systemd.hook":  hook("/usr/share/libalpm/scripts/systemd-hook daemon-reload"),
		"usr/share/libalpm/hooks/line.hook":     hook(`/bin/sh -c "systemctl daemon-reload; touch /never"`),
		"usr/share/libalpm/hooks/useful.hook":   hook(`/bin/sh -c "touch /useful"`),
		"usr/share/libalpm/hooks/broken.hook":   "[Action]\nNonsense = 1\n",
		"usr/share/libalpm/hooks/override.hook": hook("/usr/bin/mkinitcpio -P"),
	})
	w.spec.Files = []File{{Target: "/etc/pacman.d/hooks/override.hook", Data: []byte(hook(`/bin/sh -c "touch /wanted; mkinitcpio -P"`)), Mode: 0o644}}
	for _, name := range []string{"mkinitcpio", "pacman-key"} {
		w.write("usr/bin/"+name, "#!/bin/sh\ntouch /ran\n", 0o755)
	}
	for name, code := range map[string]string{"true": "0", "false": "1"} {
		if err := os.Remove(w.path("usr/bin/" + name)); err != nil {
			t.Fatal(err)
		}
		w.write("usr/bin/"+name, "#!/bin/sh\nexit "+code+"\n", 0o755)
	}
	w.add("q", "post_install() { mkinitcpio -P || return 3; ! pacman-key -l; }\n", nil)
	r := w.run()
	w.noFailures(r)
	for _, none := range []string{"ran", "never", "usr/bin/mkinitcpio", "usr/bin/pacman-key"} {
		if _, err := os.Lstat(filepath.Join(r.FS, none)); err == nil {
			t.Errorf("/%s is in the layer", none)
		}
	}
	content(t, r, "useful")
	content(t, r, "wanted")
	if len(r.Record.Skipped) != 3 || len(r.Record.Warnings) != 1 || !strings.Contains(r.Record.Warnings[0], "broken.hook:2") {
		t.Errorf("skipped %q, warnings %q", r.Record.Skipped, r.Record.Warnings)
	}
}
