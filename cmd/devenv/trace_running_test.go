package main_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// runningHost is a busyHost that goes on while commands come and go, so that
// what they leave there stays to be seen. Its mounts are shared, as systemd
// makes them: one that is made in a namespace of devenv's and goes back to the
// host shows.
type runningHost struct {
	*busyHost
	t   *testing.T
	pid int // of its first process
	who person
}

// person is a user of the host.
type person struct {
	name string
	uid  int
	home string
}

// people are who the host is tried as.
var people = []person{{"me", hostUser, "/home/me"}, {"root", 0, "/root"}}

// asEach runs a test as an unprivileged user and as root, each on a host of
// their own.
func asEach(t *testing.T, test func(t *testing.T, h *runningHost)) {
	for _, who := range people {
		t.Run(who.name, func(t *testing.T) { test(t, newRunningHost(t, who)) })
	}
}

// newRunningHost starts a host whose user has used devenv once; mounts are
// further lines of the script that makes it ready.
func newRunningHost(t *testing.T, who person, mounts ...string) *runningHost {
	t.Helper()
	h := &runningHost{busyHost: newBusyHost(t), t: t, who: who}
	h.mounts = strings.Join(mounts, "\n")
	h.file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000:Me:/home/me:/bin/sh\n")
	h.file(who.home+"/.config/devenv/config.toml", mirrorConfig("/mirror"))
	h.file(who.home+"/.profile", "")
	h.toml("[packages]\nbusybox = \"*\"\ntool = \"*\"\n")
	for _, dir := range []string{h.cache(), "/srv"} {
		if err := os.MkdirAll(h.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	output(t, "chown", "-R", fmt.Sprintf("%d:%d", who.uid, who.uid), h.path(who.home))
	h.start()
	return h
}

// cache is where the user's lies.
func (h *runningHost) cache() string { return h.who.home + "/.cache/devenv" }

// file writes one of the host's files, from outside.
func (h *runningHost) file(name, text string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.path(name)), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.path(name), []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// toml writes the project's devenv.toml.
func (h *runningHost) toml(text string) { h.file(h.who.home+"/project/devenv.toml", text) }

// start boots the host. Its first process does nothing but reap whom it
// inherits, until the test program lets go of the host.
func (h *runningHost) start() {
	h.t.Helper()
	cmd := h.boot(shared.mirror, "mount --make-rshared /\nexec 3<&0\ncat <&3 &\nwait")
	in, err := cmd.StdinPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.pid = cmd.Process.Pid
	h.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	fmt.Fprintln(in, "up")
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		h.t.Fatalf("the host does not start: %q %v", line, err)
	}
}

// proc is a file of the first process in /proc.
func (h *runningHost) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(h.pid), name)
}

// user is a command line: a script that the host's user runs in the project.
func (h *runningHost) user(script string) []string {
	return []string{"env", "-i", "HOME=" + h.who.home, "USER=" + h.who.name, "PATH=/bin", "TERM=linux", "NO_COLOR=1",
		"su", h.who.name, "-c", "cd ~/project && { " + script + "\n}"}
}

// inside is a command on the host.
func (h *runningHost) inside(args ...string) *exec.Cmd {
	enter := []string{"nsenter", "-t", strconv.Itoa(h.pid), "-m", "-u", "-i", "-n", "-p", "--", "/bin/busybox"}
	cmd := exec.Command("busybox", append(enter, args...)...)
	// Should the host go first, what is left to wait for is only its pipes.
	cmd.WaitDelay = 30 * time.Second
	return cmd
}

// do runs a script as the host's user and sees how it ends.
func (h *runningHost) do(script string) result {
	h.t.Helper()
	return resultOf(h.t, h.inside(h.user(script)...))
}

// must is do for what the test takes for granted.
func (h *runningHost) must(script string) string {
	h.t.Helper()
	r := h.do(script)
	if r.code != 0 {
		h.t.Fatalf("%s: %v", script, r)
	}
	return r.out
}

// kill ends a process of the host's without warning.
func (h *runningHost) kill(pid string) {
	h.t.Helper()
	output(h.t, h.inside("kill", "-9", pid).Args...)
}

// console is a terminal of the host's, as a terminal emulator on it would have
// made it, with a script on it.
type console struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	ended  chan struct{}

	mu   sync.Mutex
	text []byte
}

func (h *runningHost) console(script string) *console {
	h.t.Helper()
	fd, err := unix.Open(h.proc("root/dev/ptmx"), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		h.t.Fatalf("opening a terminal of the host: %v", err)
	}
	master := os.NewFile(uintptr(fd), "ptmx")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		h.t.Fatal(err)
	}
	peer, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		h.t.Fatalf("the terminal's other end: %v", errno)
	}
	slave := os.NewFile(peer, "pts")
	defer slave.Close()
	slave.Chown(h.who.uid, h.who.uid)

	// A session of its own, whose leader the host's processes can see.
	session := append([]string{"setsid", "-c", "/bin/busybox"}, h.user(script)...)
	c := &console{t: h.t, master: master, cmd: h.inside(session...), ended: make(chan struct{})}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = slave, slave, slave
	if err := c.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go c.read()
	go func() {
		c.cmd.Wait()
		close(c.ended)
	}()
	h.t.Cleanup(func() {
		master.Close()
		c.cmd.Process.Kill()
		<-c.ended
	})
	return c
}

func (c *console) read() {
	b := make([]byte, 4096)
	for {
		n, err := c.master.Read(b)
		c.mu.Lock()
		c.text = append(c.text, b[:n]...)
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.text)
}

// until waits until the terminal has shown a text.
func (c *console) until(text string) {
	c.t.Helper()
	for end := time.Now().Add(time.Minute); !strings.Contains(c.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("never shows %q:\n%s", text, c)
		}
	}
}

func (c *console) keys(text string) {
	c.t.Helper()
	if _, err := c.master.WriteString(text); err != nil {
		c.t.Fatalf("typing %q: %v\n%s", text, err, c)
	}
}

// exit waits for the end of what is on the terminal, and closes it.
func (c *console) exit() int {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(time.Minute):
		c.t.Fatalf("does not end:\n%s", c)
	}
	c.master.Close()
	return c.cmd.ProcessState.ExitCode()
}
