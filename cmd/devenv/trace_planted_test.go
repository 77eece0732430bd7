package main_test

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestTracesAreSeen plants every kind of trace on a host of its own: whatever
// TestNoTrace claims to see, it sees, and by its own name. Each is the smallest
// of its kind: where the size, the times or the name can be as they were, they
// are.
func TestTracesAreSeen(t *testing.T) {
	h := newRunningHost(t, people[1])
	for _, dir := range []string{"/", "/etc", "/usr", "/var", "/var/log", "/opt", "/run", "/tmp", "/root", "/home/me", "/dev", "/root/project"} {
		h.plant(t, "a file in "+dir, "touch -d @1 "+dir+"/.new; touch -d @2 "+dir, "file "+strings.TrimSuffix(dir, "/")+"/.new", "file "+dir)
	}
	file := "/var/log/F"
	for what, script := range map[string]string{
		"other words of the same length": "echo A file of the HOST >F",
		"the same words again":           "echo A file of the host >F",
		"the mode":                       "chmod 640 F",
		"the owner":                      "chown 12 F",
		"a mode that came and went":      "chmod u+s F; chmod 644 F",
	} {
		h.file(file, "A file of the host\n")
		os.Chtimes(h.path(file), time.Unix(5, 0), time.Unix(5, 0))
		h.plant(t, what, strings.ReplaceAll(script+"; touch -d @5 F", "F", file), "file "+file)
	}
	h.plant(t, "another file at its place", "cd /var/log; cp -p F G; mv G F", "file /var/log", "file "+file)
	h.plant(t, "another name for it", "ln /var/log/F /var/log/G", "file /var/log", "file /var/log/F", "file /var/log/G")
	h.plant(t, "a name that came and went", "touch /usr/x; rm /usr/x", "file /usr")
	h.plant(t, "the end of a file", "rm "+file, "file /var/log", "file "+file, "file /var/log/G")
	h.plant(t, "a link that leads elsewhere", "ln -sf /etc/passwd /bin/wc", "file /bin", "file /bin/wc")

	h.plant(t, "a mount", "mount -t tmpfs x /srv", "file /srv", "mount /srv")
	h.plant(t, "a mount over a mount", "mount -t tmpfs x /srv", "file /srv", "mount /srv")
	h.plant(t, "a directory bound upon itself", "mount --bind /usr /usr", "mount /usr")
	h.plant(t, "a mount that is read-only now", "mount -o remount,bind,ro /usr", "mount /usr")
	h.plant(t, "a mount that is private now", "mount --make-private /usr", "mount /usr")
	h.plant(t, "one that comes back from another namespace", "unshare -m --propagation shared mount -t tmpfs x /srv", "file /srv", "mount /srv")

	h.plant(t, "a process", "sleep 1001 >/dev/null 2>&1 &", "process sleep 1001")
	h.plant(t, "a daemon", "(setsid sh -c 'sleep 1002 & exit' >/dev/null 2>&1 &) ; until [ $(pidof sleep | wc -w) = 2 ]; do :; done", "process sleep 1002")
	h.plant(t, "one that nobody has waited for", "sh -c 'sleep 0 & exec sleep 1003' >/dev/null 2>&1 & until grep -qs Z.*zombie /proc/*/status; do :; done", "process [sleep]", "process sleep 1003")
	h.plant(t, "one in a pid namespace", "unshare -p -f sleep 1004 >/dev/null 2>&1 & until [ $(pidof sleep | wc -w) = 5 ]; do :; done", "process sleep 1004", "process unshare -p -f sleep 1004")
	h.plantHeld(t)
	h.plantIPC(t)
}

// plant leaves a trace by a script of root's, and looks for it.
func (h *runningHost) plant(t *testing.T, what, script string, seen ...string) {
	h.planted(t, what, func() error {
		if out, err := h.inside("sh", "-c", script).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}, seen...)
}

func (h *runningHost) planted(t *testing.T, what string, leave func() error, seen ...string) {
	t.Run(what, func(t *testing.T) {
		before := h.take()
		if again := h.take().since(before); len(again) > 0 {
			t.Fatalf("nothing has happened, and these differ: %q", again)
		}
		if err := leave(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(seen)
		now := h.take()
		got := now.since(before)
		for i, name := range got { // a socket's line ends with numbers
			for _, s := range seen {
				if p, ok := strings.CutSuffix(s, "…"); ok && strings.HasPrefix(name, p) {
					got[i] = s
				}
			}
		}
		if !slices.Equal(slices.Compact(got), seen) {
			t.Errorf("seen: %q, want %q%s", got, seen, now.detail(before, now.since(before)))
		}
	})
}

// plantHeld leaves sockets that no process of the host's holds: it is their own
// list that shows them.
func (h *runningHost) plantHeld(t *testing.T) {
	listen := func(network, address string) func() error {
		return func() error {
			return h.within(func() error {
				l, err := net.Listen(network, address)
				if err == nil {
					t.Cleanup(func() { l.Close() })
				}
				return err
			}, "net")
		}
	}
	h.planted(t, "a TCP socket", listen("tcp4", "127.0.0.1:1234"), "socket tcp 0: 0100007F:04D2…")
	h.planted(t, "an abstract Unix socket", listen("unix", "@left"), "socket unix …")
	h.planted(t, "a Unix socket in the file system", func() error {
		fd, err := unix.Open(h.proc("root/run"), unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		return listen("unix", fmt.Sprintf("/proc/self/fd/%d/left", fd))()
	}, "file /run", "file /run/left", "socket unix …")
	h.planted(t, "a UDP socket", func() error {
		return h.within(func() error {
			c, err := net.ListenPacket("udp4", "127.0.0.1:1234")
			if err == nil {
				t.Cleanup(func() { c.Close() })
			}
			return err
		}, "net")
	}, "socket udp …")
	h.plant(t, "a route", "ip route add 10.0.0.0/8 dev lo", "socket route …")
}

// plantIPC leaves what outlives every process.
func (h *runningHost) plantIPC(t *testing.T) {
	made := func(nr uintptr, args [3]uintptr) func() error {
		return func() error {
			return h.within(func() error {
				if _, _, errno := unix.Syscall(nr, args[0], args[1], args[2]); errno != 0 {
					return errno
				}
				return nil
			}, "ipc")
		}
	}
	h.planted(t, "shared memory", made(unix.SYS_SHMGET, [3]uintptr{0, 4096, unix.IPC_CREAT | 0o600}), "ipc shm …")
	h.planted(t, "semaphores", made(unix.SYS_SEMGET, [3]uintptr{0, 1, unix.IPC_CREAT | 0o600}), "ipc sem …")
	h.planted(t, "a message queue", made(unix.SYS_MSGGET, [3]uintptr{0, unix.IPC_CREAT | 0o600, 0}), "ipc msg …")
	name := []byte("left\x00")
	h.planted(t, "a POSIX message queue", func() error {
		return h.within(func() error {
			_, _, errno := unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(&name[0])), unix.O_CREAT|unix.O_RDWR, 0o600, 0, 0, 0)
			if errno != 0 {
				return errno
			}
			return nil
		}, "ipc")
	}, "file /dev/mqueue", "file /dev/mqueue/left")
	h.planted(t, "POSIX shared memory", func() error {
		return os.WriteFile(h.proc("root/dev/shm/left"), []byte("x"), 0o600)
	}, "file /dev/shm", "file /dev/shm/left")
	h.plant(t, "another name of the host", "hostname left", "ipc hostname left", "ipc hostname "+strings.TrimSpace(output(t, "hostname")))
}
