package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// counts are what strace saw of a command and all that it started, by the names
// of the budget.
type counts map[string]int

// seen are the calls that were counted, by the same names.
type seen map[string][]string

// traced runs a command under strace and counts. Files count where they lie
// below one of roots; which files of the host's own are read is the host's
// affair. Where the last word of the command is the name of a program inside
// (until), what that does is its own affair.
func (p *place) traced(until string, roots []string, words ...string) (counts, seen) {
	p.t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		p.t.Skip("strace is missing (Debian: strace)")
	}
	log := filepath.Join(p.t.TempDir(), "trace")
	if r := resultOf(p.t, p.host(append([]string{strace, "-f", "-y", "-s", "16", "-o", log}, words...)...)); r.code != 0 {
		p.t.Fatalf("%v: %v", words, r)
	}
	b, err := os.ReadFile(log)
	if err != nil {
		p.t.Fatal(err)
	}
	c := &counting{until: until, roots: roots, counts: counts{}, seen: seen{}, pending: map[string]string{}, done: map[string]bool{}}
	for line := range strings.Lines(string(b)) {
		c.line(strings.TrimSuffix(line, "\n"))
	}
	return c.counts, c.seen
}

// counting reads the lines of one trace.
type counting struct {
	counts
	seen
	text    string
	until   string
	roots   []string
	pending map[string]string // by process: the beginning of a call that another's came between
	done    map[string]bool   // processes that have become the command
}

var (
	traceLine  = regexp.MustCompile(`^(\d+) +(.*)$`)
	resumed    = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
	traceCall  = regexp.MustCompile(`^(\w+)\((.*)\) += (-?\d+|\?)(?:<(.*?)>)?`)
	descriptor = regexp.MustCompile(`^\d+<([^>]*)>`)
	hostMount  = regexp.MustCompile(`^"/[^/"]+", `)
)

// line takes one line; a call that is shown in two pieces counts when it ends.
func (c *counting) line(text string) {
	m := traceLine.FindStringSubmatch(text)
	if m == nil {
		return
	}
	process, text := m[1], m[2]
	if begun, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
		c.pending[process] = begun
		return
	}
	if rest := resumed.FindStringSubmatch(text); rest != nil {
		text = c.pending[process] + rest[1]
	}
	c.text = text
	if call := traceCall.FindStringSubmatch(text); call != nil && !c.done[process] {
		result, err := strconv.Atoi(call[3])
		c.call(process, call[1], call[2], result, err == nil && result >= 0, call[4])
	}
}

// neverWarm are calls of a runtime, a library or a network, none of which has
// begun before a warm entry is over.
var neverWarm = []string{"socket", "connect", "futex", "mmap", "brk", "clone3", "fork", "vfork", "epoll_create1", "fsync"}

// add counts n more.
func (c *counting) add(name string, n int) {
	c.counts[name] += n
	c.seen[name] = append(c.seen[name], c.text)
}

func (c *counting) call(process, name, args string, result int, ok bool, path string) {
	switch name {
	case "mount":
		if !hostMount.MatchString(args) {
			c.add("mounts besides the host's directories", 1)
		}
	case "prctl":
		if !strings.Contains(args, "PR_CAPBSET_DROP") { // one for each capability that the kernel knows
			c.add("system calls", 1)
		}
	default:
		c.add("system calls", 1)
	}
	if slices.Contains(neverWarm, name) {
		c.add("calls of runtimes and networks", 1)
	}
	switch name {
	case "clone", "clone3", "fork", "vfork":
		if strings.Contains(args, "CLONE_THREAD") {
			c.add("threads started", 1)
		} else {
			c.add("processes started", 1)
		}
	case "execve", "execveat":
		if ok {
			c.add("programs executed", 1)
			c.done[process] = c.until != "" && strings.Contains(args, "/"+c.until+`"`)
		}
	case "open", "openat", "openat2":
		if ok && c.counted(path) {
			c.add("files opened", 1)
		}
	case "read", "pread64", "readv", "preadv", "preadv2":
		if m := descriptor.FindStringSubmatch(args); m != nil && ok && c.counted(m[1]) {
			c.add("bytes read", result)
		}
	case "fsync", "fdatasync", "syncfs", "sync", "sync_file_range", "msync":
		c.add("waits for the disk", 1)
	}
}

func (c *counting) counted(path string) bool {
	return slices.ContainsFunc(c.roots, func(root string) bool { return strings.HasPrefix(path, root+"/") })
}

// TestTraceIsRead holds the reader of traces to lines as strace writes them.
func TestTraceIsRead(t *testing.T) {
	c := &counting{until: "true", roots: []string{"/own"}, counts: counts{}, seen: seen{}, pending: map[string]string{}, done: map[string]bool{}}
	for line := range strings.Lines(`10 execve("/bin/devenv", ["devenv"...], 0x1 /* 6 vars */) = 0
10 openat(AT_FDCWD</own>, "/own/a", O_RDONLY) = 3</own/a>
10 openat(AT_FDCWD</own>, "/own/b", O_RDONLY) = -1 ENOENT (No such file or directory)
10 openat(AT_FDCWD</own>, "/etc/c", O_RDONLY <unfinished ...>
10 <... openat resumed>)             = 4</etc/c>
10 read(3</own/a>, "abc"..., 4096) = 8800
10 read(4</etc/c>, "abc"..., 4096) = 100
10 clone(child_stack=0x1, flags=CLONE_VM|SIGCHLD <unfinished ...>
11 read(3</own/a>,  <unfinished ...>
10 <... clone resumed>)              = 11
10 clone(child_stack=0x1, flags=CLONE_VM|CLONE_THREAD) = 12
11 <... read resumed>"ab", 4096) = 2
11 mount("/home", "home", NULL, MS_BIND|MS_REC, NULL) = 0
11 mount("tmpfs", "/usr", "tmpfs", MS_NOSUID, "mode=755") = 0
11 prctl(PR_CAPBSET_DROP, CAP_CHOWN) = 0
11 fsync(3</own/a>) = 0
11 execve("/usr/local/bin/true", ["true"], 0x1 /* 9 vars */) = -1 ENOENT (No such file or directory)
11 execve("/usr/bin/true", ["true"], 0x1 /* 9 vars */) = 0
11 brk(NULL) = 0x14ea5000
11 socket(AF_UNIX, SOCK_STREAM, 0) = 3
10 exit_group(0) = ?
10 +++ exited with 0 +++
`) {
		c.line(strings.TrimSuffix(line, "\n"))
	}
	for name, want := range map[string]int{
		"system calls": 13, "mounts besides the host's directories": 1, "calls of runtimes and networks": 1, "processes started": 1,
		"threads started": 1, "programs executed": 2, "files opened": 1, "bytes read": 8802, "waits for the disk": 1,
	} {
		if got := c.counts[name]; got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}
