package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestIdentity: inside one is oneself, also where the host knows one's name by
// other means than a file.
func TestIdentity(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		for range 2 {
			for _, c := range []string{"id -u", "id -g", "id -un", "id -gn", "hostname", "echo ~", "cat /etc/machine-id", "cat /etc/resolv.conf", "cat /etc/hosts", "date +%Z%z", "echo $TERM", "umask", "nproc", "stat -c %i /dev/null /tmp", "cat /proc/sys/kernel/random/boot_id"} {
				want, _ := p.host("busybox", "sh", "-c", c+" 2>&1").CombinedOutput()
				if c == "id -gn" || c == "hostname" || c == "nproc" || c == "date +%Z%z" || c == "umask" {
					got := p.try("run", "--", "busybox", "sh", "-c", c)
					if strings.TrimSpace(got.out) != strings.TrimSpace(string(want)) {
						t.Errorf("%s: inside %v, on the host %s", c, got, want)
					}
					continue
				}
				if got := p.try("run", "--", "busybox", "sh", "-c", c+" 2>&1"); got.out != string(want) {
					t.Errorf("%s: inside %v, on the host %s", c, got, want)
				}
			}
		}
	})
}

// TestIdentityFromElsewhere is of a user whom no file of the host names.
func TestIdentityFromElsewhere(t *testing.T) {
	h := newBusyHost(t)
	// busybox cannot become a uid without a name; the name is taken away once
	// one is that user.
	os.WriteFile(h.path("etc/passwd"), []byte("me:x:1000:1000:Me:/home/me:/bin/sh\n"), 0o666)
	os.Chmod(h.path("etc/passwd"), 0o666)
	os.WriteFile(h.path("bin/getent"), []byte("#!/bin/sh\n[ -e /etc/directory ] && grep \"^[^:]*:[^:]*:$2:\" /etc/directory/$1\n"), 0o755)
	r := h.sh(`echo "root:x:0:0::/:/bin/sh" >/etc/passwd; unset USER LOGNAME; devenv run -- sh -c 'id -u; grep :1000: /etc/passwd'`)
	if r.out != "1000\nuser1000:x:1000:1000::/home/me:/bin/sh\n" {
		t.Errorf("nobody knows the user: %v", r)
	}
	os.MkdirAll(h.path("etc/directory"), 0o755)
	os.WriteFile(h.path("etc/directory/passwd"), []byte("jane.doe:*:1000:1000:Jane:/home/me:/bin/zsh\n"), 0o644)
	os.WriteFile(h.path("etc/directory/group"), []byte("domain users:*:1000:\n"), 0o644)
	os.WriteFile(h.path("etc/passwd"), []byte("me:x:1000:1000:Me:/home/me:/bin/sh\n"), 0o666)
	r = h.sh(`echo "root:x:0:0::/:/bin/sh" >/etc/passwd; touch devenv.toml; devenv run -- sh -c 'id -un; id -gn; whoami; echo ~jane.doe'`)
	if r.out != "jane.doe\ndomain users\njane.doe\n/home/me\n" {
		t.Errorf("a directory service knows the user: %v", r)
	}
}

// TestTerminfo: a terminal that only the host describes draws inside, too.
func TestTerminfo(t *testing.T) {
	if _, err := exec.LookPath("tic"); err != nil {
		t.Skip("tic is missing (Debian: ncurses-bin)")
	}
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		p.write(p.dir+"/odd.ti", "xterm-devenv-test|a terminal of the tests,\n\tcols#80, lines#24, clear=\\E[H\\E[2J,\n")
		dir := p.dir + "/terminfo"
		if out, err := exec.Command("tic", "-o", dir, p.dir+"/odd.ti").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		want, err := os.ReadFile(dir + "/x/xterm-devenv-test")
		if err != nil {
			t.Fatal(err)
		}
		p.set("TERM=xterm-devenv-test", "TERMINFO="+dir)
		for range 2 {
			if got := p.must("run", "--", "cat", "/etc/terminfo/x/xterm-devenv-test"); strings.TrimSuffix(string(want), "\n") != got {
				t.Errorf("%d bytes, want %d", len(got), len(want))
			}
		}
		p.set("TERM=unheard-of")
		p.must("run", "--", "true")
	})
}

// TestOptions tries what each option promises, and what it must not do.
func TestOptions(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		p.set("SECRET=1", "LD_PRELOAD=/none.so", "CFLAGS=-O9", "PYTHONPATH=/x", "EDITOR=vi", "LANG=C.UTF-8")
		p.write(p.home+"/mine", "mine\n")
		p.must("run", "--", "true")
		for _, c := range []struct {
			flags  string
			script string
			want   string
		}{
			{"", "echo $SECRET$LD_PRELOAD$CFLAGS$PYTHONPATH $EDITOR", "1 vi"},
			{"--pure", "echo $SECRET$EDITOR $LANG", "C.UTF-8"},
			{"--no-network", "wc -l </proc/net/route", "0"},
			{"--no-network", "ls /sys/class/net /proc/net/dev >/dev/null; grep -c : /proc/net/dev", "1"},
			{"--read-only-project", "touch x 2>/dev/null; ls x 2>/dev/null; cat devenv.toml | head -n 1", "[packages]"},
			{"--ephemeral", "cat ~/mine; echo x >~/mine; cat ~/mine; echo y >/tmp/devenv-test-y; cat /tmp/devenv-test-y; echo z >kept", "mine\nx\ny"},
			{"", "cat ~/mine kept; ls /tmp/devenv-test-y 2>/dev/null; :", "mine\nz"},
			{"--without overlay", "echo x >/etc/x; cat /etc/x; touch /usr/bin/x 2>/dev/null || echo no", "x\nno"},
			{"--without pidns", "ls /proc | grep -cx $$; kill -0 $PPID && echo host", "1\nhost"},
			{"", "ls /proc | grep -c '^[0-9]*$' | head -c 1 >/dev/null; [ $(ls /proc | grep -c '^[0-9]*$') -lt 9 ] && echo few", "few"},
		} {
			args := append([]string{"run"}, strings.Fields(c.flags)...)
			if got := p.try(append(args, "--", "sh", "-c", c.script)...); strings.TrimSuffix(got.out, "\n") != c.want {
				t.Errorf("%s: %s: %v, want %q", c.flags, c.script, got, c.want)
			}
		}
		if os.Getuid() != 0 {
			for _, line := range []string{"NoNewPrivs:\t1", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "CapPrm:\t0000000000000000", "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000"} {
				for _, flags := range []string{"", "--without overlay", "--without pidns"} {
					args := append([]string{"run"}, strings.Fields(flags)...)
					if got := p.must(append(args, "--", "cat", "/proc/self/status")...); !strings.Contains(got, line) {
						t.Errorf("%s: no %q", flags, line)
					}
				}
			}
		}
		toml := "[packages]\nbusybox = \"*\"\n[home]\nmode = %q\nkeep = [\".kept\"]\n"
		for mode, want := range map[string]string{"empty": ".kept\n", "ephemeral": ".config\n.kept\nmine\n"} {
			p.write(p.project+"/devenv.toml", fmt.Sprintf(toml, mode))
			tmp := "/tmp/devenv-test-" + mode
			for range 2 {
				if got := p.must("run", "--", "sh", "-c", "ls -A ~ | grep -v cache; echo x >~/gone; echo x >~/.kept/file; echo x >"+tmp); got+"\n" != want {
					t.Errorf("home %s holds %q", mode, got)
				}
			}
			if _, err := os.Stat(tmp); err == nil {
				t.Errorf("home %s: what was written to /tmp stays", mode)
				os.Remove(tmp)
			}
			if _, err := os.Stat(p.home + "/gone"); err == nil {
				t.Errorf("home %s: what was written stays", mode)
			}
			if _, err := os.Stat(p.home + "/.kept/file"); err != nil {
				t.Errorf("home %s: what is kept does not: %v", mode, err)
			}
			os.RemoveAll(p.home + "/.kept")
		}
	})
}

// TestRefused is of hosts that allow no user namespaces: the error names the
// setting, with a plan from before that was set and without.
func TestRefused(t *testing.T) {
	h := newBusyHost(t)
	if r := h.sh("devenv run -- true"); r.code != 0 {
		t.Fatal(r)
	}
	forced := h.sh("devenv run --without userns -- true")
	h.userNS = true
	h.mounts = "echo 0 >proc/sys/user/max_user_namespaces"
	warm := h.sh("devenv run -- true")
	cold := h.sh("rm ~/.cache/devenv/plans/*; devenv run -- true")
	for how, r := range map[string]result{"forced": forced, "warm": warm, "cold": cold} {
		if r.code != 1 || !strings.Contains(r.err, "refuses user namespaces") || !strings.Contains(r.err, "hint: ") || !strings.Contains(r.err, "devenv shell") {
			t.Errorf("%s: %v", how, r)
		}
		if how != "forced" && !strings.Contains(r.err, "sysctl -w user.max_user_namespaces=") {
			t.Errorf("%s: the setting is not named: %v", how, r)
		}
	}
}
