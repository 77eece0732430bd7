package main_test

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestJobserver runs a make inside under a make of the host's: they share the
// outer one's jobs.
func TestJobserver(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is missing on the host")
	}
	p := bigPlace(t, "make")
	p.write(p.project+"/Makefile", "all: a b\na b:\n\t+"+shared.devenv+" run -- $(MAKE) -f inner dir=$@\n")
	p.write(p.project+"/inner", `all: 1 2 3 4
1 2 3 4:
	@mkdir running.$(dir)$@; ls -d running.* | wc -l; sleep 0.15; rmdir running.$(dir)$@
`)
	p.must("build")
	p.must("run", "--", "true")
	r := resultOf(t, p.host("make", "-s", "-j3"))
	if r.code != 0 || strings.Contains(r.err+r.out, "jobserver") {
		t.Errorf("%v", r)
	}
	if at := strings.Fields(r.out); len(at) != 8 || strings.Contains(r.out, "4") || !strings.Contains(r.out, "3") {
		t.Errorf("jobs at a time: %v", at)
	}
}

// TestJobserverPipe shares the jobs of a make 4.4, whose jobserver is a named
// pipe in /tmp, with a command inside. No make of that version is needed for it:
// a client takes a byte from the pipe for each job beyond its first, and puts it
// back (make's manual, POSIX Jobserver Interaction).
func TestJobserverPipe(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		dir, err := os.MkdirTemp("/tmp", "devenv-test-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		name := dir + "/GMfifo" + strconv.Itoa(os.Getpid())
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
		pipe, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer pipe.Close()
		pipe.WriteString("abc") // -j4: one job is the client's own
		// Five clients want two tokens each of the three that there are.
		p.write(p.project+"/client", `
auth=${MAKEFLAGS##*--jobserver-auth=}
fifo=${auth#fifo:} fifo=${fifo%% *}
exec 9<>"$fifo"
for job in 1 2; do
	token=$(busybox dd bs=1 count=1 <&9 2>/dev/null)
	mkdir running.$1.$job
	ls -d running.* | wc -l >at.$1.$job
	sleep 0.1
	rm -r running.$1.$job
	printf %s "$token" >&9
done
`)
		p.set("MAKEFLAGS= -j4 --jobserver-auth=fifo:" + name)
		p.must("run", "--", "true")
		for _, flags := range [][]string{nil, {"--pure"}, {"--ephemeral"}} {
			var clients []*exec.Cmd
			for i := range 5 {
				c := p.command(append(append([]string{"run"}, flags...), "--", "busybox", "sh", "client", strconv.Itoa(i))...)
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				clients = append(clients, c)
			}
			for _, c := range clients {
				if err := c.Wait(); err != nil {
					t.Errorf("%v: %v", flags, err)
				}
			}
			at := p.host("busybox", "sh", "-c", "cat at.*; rm at.*")
			counts := strings.Fields(resultOf(t, at).out)
			if len(counts) != 10 || slices.Max(counts) > "3" {
				t.Errorf("%v: jobs at a time: %v", flags, counts)
			}
			b := make([]byte, 8)
			n, err := pipe.Read(b)
			if back := string(b[:n]); err != nil || n != 3 || strings.Trim(back, "abc") != "" {
				t.Errorf("%v: tokens that came back: %q, %v", flags, back, err)
			}
			pipe.WriteString("abc")
		}
	})
}
