package main_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// census is everything that there is on a runningHost: a line each for every
// file, mount, process, socket and IPC object, with all that the kernel tells
// of it. The line begins with what names it in a list of differences.
type census map[string]string

// take lists the host from outside, so that nothing of the listing is on the
// list: through the /proc of the host's first process, whose root, mounts and
// sockets are the host's.
func (h *runningHost) take() census {
	h.t.Helper()
	c := census{}
	for what, err := range map[string]error{
		"files": c.files(h), "mounts": c.mounts(h), "processes": c.processes(h), "sockets": c.sockets(h), "IPC": c.ipc(h),
	} {
		if err != nil {
			h.t.Fatalf("listing the host's %s: %v", what, err)
		}
	}
	return c
}

// add puts down one thing. Those that differ in what is known of them are two.
func (c census) add(kind, name, known string) {
	c[kind+" "+name+"\x00"+known] = kind + " " + name
}

// files are all that the host's user can come by but the cache: on its disk and
// on what is mounted, which is where POSIX shared memory and message queues are.
func (c census) files(h *runningHost) error {
	root := h.proc("root")
	return filepath.WalkDir(root+"/", func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // what ends while it is waited for
		}
		if err != nil {
			return err
		}
		name := "/" + strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
		if name == "/proc" || name == h.cache() {
			return filepath.SkipDir
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err == unix.ENOENT {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if st.Mode&unix.S_IFMT == unix.S_IFCHR {
			// The nodes are the machine's; who writes to a terminal changes them.
			st.Mtim, st.Ctim = unix.Timespec{}, unix.Timespec{}
		}
		c.add("file", name, fmt.Sprintf("mode %o size %d links %d owner %d:%d device %x inode %d mtime %d ctime %d",
			st.Mode, st.Size, st.Nlink, st.Uid, st.Gid, st.Dev, st.Ino, st.Mtim.Nano(), st.Ctim.Nano()))
		return nil
	})
}

func (c census) mounts(h *runningHost) error {
	b, err := os.ReadFile(h.proc("mountinfo"))
	for line := range strings.Lines(string(b)) {
		// id, parent, device, root, mount point, …
		c.add("mount", strings.Fields(line)[4], line)
	}
	return err
}

// processes are those of the host's pid namespace and of every one below it.
func (c census) processes(h *runningHost) error {
	for pid, p := range h.processes() {
		c.add("process", p.words, fmt.Sprintf("pid %s started %s", pid, p.started))
	}
	return nil
}

// process is what is known of one of the host's.
type process struct {
	words   string // its command line, or its name in brackets
	started string
	state   string // as in proc_pid_stat(5)
	program string // the file it executes
}

// processes are the host's by their numbers there. One that ends meanwhile is
// not among them.
func (h *runningHost) processes() map[string]process {
	h.t.Helper()
	dir := h.proc("root/proc")
	entries, err := os.ReadDir(dir)
	if err != nil {
		h.t.Fatal(err)
	}
	found := map[string]process{}
	for _, e := range entries {
		if strings.Trim(e.Name(), "0123456789") != "" {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(dir, e.Name(), "stat"))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat), " (")
		end := strings.LastIndex(rest, ") ")
		name, fields := rest[:end], strings.Fields(rest[end+2:])
		words, _ := os.ReadFile(filepath.Join(dir, e.Name(), "cmdline"))
		p := process{words: strings.TrimSpace(strings.ReplaceAll(string(words), "\x00", " ")), state: fields[0], started: fields[19]}
		if p.words == "" {
			p.words = "[" + name + "]"
		}
		p.program, _ = os.Readlink(filepath.Join(dir, e.Name(), "exe"))
		found[e.Name()] = p
	}
	return found
}

func (c census) sockets(h *runningHost) error {
	for _, kind := range []string{"unix", "tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet", "dev", "route"} {
		b, err := os.ReadFile(h.proc("net/" + kind))
		if os.IsNotExist(err) {
			continue // a kernel without IPv6
		}
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(b)) {
			if kind == "dev" { // what the interface has carried does not count
				line, _, _ = strings.Cut(line, ":")
			}
			c.add("socket", kind+" "+strings.Join(strings.Fields(line), " "), "")
		}
	}
	return nil
}

// ipc lists what is looked up in the namespaces of whoever asks: System V's
// shared memory, semaphores and queues, and the host's name.
func (c census) ipc(h *runningHost) error {
	return h.within(func() error {
		for _, file := range []string{"sysvipc/shm", "sysvipc/sem", "sysvipc/msg", "sys/kernel/hostname"} {
			b, err := os.ReadFile("/proc/" + file)
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(b)) {
				c.add("ipc", filepath.Base(file)+" "+strings.Join(strings.Fields(line), " "), "")
			}
		}
		return nil
	}, "ipc", "uts")
}

// within runs a function on a thread that is in some of the host's namespaces,
// and is thrown away afterwards.
func (h *runningHost) within(do func() error, namespaces ...string) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		for _, name := range namespaces {
			fd, err := unix.Open(h.proc("ns/"+name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err == nil {
				err = unix.Setns(fd, 0)
				unix.Close(fd)
			}
			if err != nil {
				done <- fmt.Errorf("entering the host's %s namespace: %w", name, err)
				return
			}
		}
		done <- do()
	}()
	return <-done
}

// since names what differs from an earlier census, each thing once.
func (c census) since(before census) []string {
	var out []string
	for line, name := range before {
		if c[line] == "" {
			out = append(out, name)
		}
	}
	for line, name := range c {
		if before[line] == "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// detail is what two censuses say of things by name, for a failed test.
func (c census) detail(before census, names []string) string {
	var out strings.Builder
	for _, name := range names {
		for mark, all := range map[string]census{"before": before, "after": c} {
			for line, n := range all {
				if n == name {
					fmt.Fprintf(&out, "\n\t%s: %s", mark, strings.ReplaceAll(line, "\x00", ": "))
				}
			}
		}
	}
	return out.String()
}

// expect complains of every difference since before that is not in left, and
// of whatever in left does not differ. What was killed takes its time to go:
// then patience is how long, otherwise all is gone when devenv has ended.
func (h *runningHost) expect(before census, patience time.Duration, left ...string) {
	h.t.Helper()
	now, end := h.take(), time.Now().Add(patience)
	for !slices.Equal(now.since(before), left) && time.Now().Before(end) {
		time.Sleep(10 * time.Millisecond)
		now = h.take()
	}
	slices.Sort(left)
	if got := now.since(before); !slices.Equal(got, left) {
		h.t.Errorf("differs: %q, want %q%s", got, left, now.detail(before, got))
	}
}

// traceless runs a test and complains of everything that it leaves but what it
// says.
func (h *runningHost) traceless(t *testing.T, test func(h *runningHost), left ...string) {
	t.Helper()
	mine := *h
	mine.t = t
	before := mine.take()
	test(&mine)
	mine.expect(before, 0, left...)
}
