package main_test

import (
	"os"
	"strings"
	"testing"
)

// TestMounts enters projects that lie on file systems of their own: in memory,
// below home, behind a link to one, and one that is mounted only while one is
// inside, as an automounter does.
func TestMounts(t *testing.T) {
	h := newBusyHost(t)
	h.mounts = `
mkdir -p home/me/disk mem srv
mount -t tmpfs -o mode=755 disk home/me/disk
mount -t tmpfs -o mode=1777 mem mem
mount -t tmpfs -o mode=1777 srv srv
mount --make-shared srv
mkdir -p home/me/disk/project home/me/disk/deep mem/project srv/late
mount -t tmpfs -o mode=755 deep home/me/disk/deep
for d in home/me/disk home/me/disk/deep mem/project; do cp home/me/project/devenv.toml $d/; chown -R 1000:1000 $d; done
cp home/me/project/devenv.toml home/me/disk/project; chown 1000:1000 home/me/disk/project home/me/disk/project/*
ln -sfn ../mem/project srv/link
(
	while [ ! -e srv/go ]; do sleep 0.05; done
	mount -t tmpfs -o mode=755 late srv/late
	echo mounted >srv/late/file
) &`
	script := "echo x >made && cat made; rm made; echo x >/etc/x; cat ~/.profile; pwd -P; echo $PWD"
	for _, c := range []struct{ dir, real string }{
		{"/home/me/disk/project", ""}, {"/home/me/disk/deep", ""}, {"/mem/project", ""}, {"/srv/link", "/mem/project"},
	} {
		if c.real == "" {
			c.real = c.dir
		}
		for _, flags := range []string{"", "", "--ephemeral", "--without overlay", "--without xattr", "--without pidns"} {
			r := h.sh("cd " + c.dir + " && devenv run " + flags + " -- sh -c '" + script + "'")
			if flags == "--ephemeral" {
				if r.code != 1 || !strings.Contains(r.err, "is mounted below it") || !strings.Contains(r.err, "hint: `[home] mode = \"empty\"`") {
					t.Errorf("%s: a view of a home with mounts below it: %v", c.dir, r)
				}
				continue
			}
			if r.out != "x\n"+c.real+"\n"+c.dir+"\n" {
				t.Errorf("%s %s: %v", c.dir, flags, r)
			}
		}
	}
	// a home of one's own needs no view
	os.WriteFile(h.path("home/me/project/devenv.local.toml"), []byte("[home]\nmode = \"empty\"\n"), 0o644)
	for _, flags := range []string{"", "--ephemeral"} {
		if r := h.sh("devenv run " + flags + " -- sh -c 'ls -A ~; ls devenv.toml'"); r.out != ".cache\nproject\ndevenv.toml\n" {
			t.Errorf("an empty home %s: %v", flags, r)
		}
	}
	os.Remove(h.path("home/me/project/devenv.local.toml"))
	wait := "i=0; while [ ! -s /srv/late/file ] && [ $i -lt 1200 ]; do sleep 0.05; i=$((i+1)); done; cat /srv/late/file"
	for range 2 { // cold, warm
		if r := h.sh("devenv run -- sh -c 'touch /srv/go; " + wait + "'"); r.out != "mounted\n" {
			t.Errorf("what is mounted later: %v", r)
		}
	}
}

// TestResolver: where /etc/resolv.conf is a link into /run, as systemd-resolved
// has it, it is the same link inside, and follows the host. A file of its own
// follows, too.
func TestResolver(t *testing.T) {
	h := newBusyHost(t)
	os.MkdirAll(h.path("run/systemd/resolve"), 0o755)
	os.Chmod(h.path("run/systemd/resolve"), 0o777)
	stub := h.path("run/systemd/resolve/stub-resolv.conf")
	follow := "cat /etc/resolv.conf; touch /tmp/inside; while [ -e /tmp/inside ]; do sleep 0.02; done; cat /etc/resolv.conf"
	change := "; (while [ ! -e /tmp/inside ]; do sleep 0.02; done; FILE; rm /tmp/inside) & "
	for _, flags := range []string{"", "", "--without overlay"} {
		os.Remove(h.path("etc/resolv.conf"))
		os.Symlink("../run/systemd/resolve/stub-resolv.conf", h.path("etc/resolv.conf"))
		os.WriteFile(stub, []byte("nameserver 127.0.0.53\n"), 0o666)
		os.Chmod(stub, 0o666)
		// as resolved does it: another file, renamed
		another := "echo nameserver 192.0.2.1 >/run/systemd/resolve/x && mv /run/systemd/resolve/x /run/systemd/resolve/stub-resolv.conf"
		r := h.sh(":" + strings.Replace(change, "FILE", another, 1) + "devenv run " + flags + " -- sh -c '" + follow + "'")
		if r.out != "nameserver 127.0.0.53\nnameserver 192.0.2.1\n" {
			t.Errorf("a link, %s: %v", flags, r)
		}
		os.Remove(h.path("etc/resolv.conf"))
		os.WriteFile(h.path("etc/resolv.conf"), []byte("nameserver 192.0.2.2\n"), 0o666)
		os.Chmod(h.path("etc/resolv.conf"), 0o666)
		r = h.sh(":" + strings.Replace(change, "FILE", "echo nameserver 192.0.2.3 >/etc/resolv.conf", 1) + "devenv run " + flags + " -- sh -c '" + follow + "'")
		if r.out != "nameserver 192.0.2.2\nnameserver 192.0.2.3\n" {
			t.Errorf("a file, %s: %v", flags, r)
		}
	}
}

// TestPlaceForRoot: where the host has an empty /run/host, its root can be read
// there, and nothing in it written; what a container keeps there stays.
func TestPlaceForRoot(t *testing.T) {
	h := newBusyHost(t)
	if r := h.sh("devenv run -- sh -c 'ls /run'"); r.out != "" || r.code != 0 {
		t.Errorf("no place: %v", r)
	}
	os.MkdirAll(h.path("run/host"), 0o755)
	os.Chmod(h.path("tmp/left"), 0o666)
	for _, flags := range []string{"", "", "--without overlay", "--without pidns", "--ephemeral"} {
		r := h.sh("devenv run " + flags + ` -- sh -c 'ls /run/host/usr; cat /run/host/etc/passwd; for f in /tmp/left /home/me/x /home/me/project/x /dev/shm/x /home/me/.cache/devenv/x; do echo x >/run/host$f; done; echo >/dev/null; ls /usr | head -n 1' 2>&1`)
		want := "of-the-host\nme:x:1000:1000:Me:/home/me:/bin/sh\n"
		if !strings.Contains(r.out, want) || strings.Count(r.out, "Read-only file system") != 5 || !strings.HasSuffix(r.out, "\nbin\n") {
			t.Errorf("%s: %v", flags, r)
		}
	}
	if r := h.sh(`devenv run -- sh -c 'devenv run -- cat /run/host/etc/passwd'`); r.code != 0 || !strings.HasPrefix(r.out, "me:") {
		t.Errorf("nested: %v", r)
	}
	os.WriteFile(h.path("run/host/container-manager"), []byte("toolbox\n"), 0o644)
	if r := h.sh("devenv run -- ls /run/host"); r.out != "container-manager\n" {
		t.Errorf("a container's: %v", r)
	}
}
