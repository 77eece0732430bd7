package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestRunEndsAsItsCommand: what a script or CI sees of `devenv run` is what
// it would see of the command.
func TestRunEndsAsItsCommand(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		p.must("run", "--", "true")
		t.Run("every exit code", func(t *testing.T) {
			for code := range 256 {
				if r := p.try("run", "--", "sh", "-c", fmt.Sprintf("exit %d", code)); r.code != code || r.err != "" {
					t.Errorf("exit %d gives %v", code, r)
				}
			}
		})
		t.Run("every deadly signal", func(t *testing.T) {
			for n := 1; n <= 64; n++ {
				s := syscall.Signal(n)
				if slices.Contains([]syscall.Signal{unix.SIGQUIT, unix.SIGCHLD, unix.SIGCONT, unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGURG, unix.SIGWINCH, 32, 33}, s) {
					continue
				}
				if r := p.try("run", "--", "sh", "-c", fmt.Sprintf("kill -%d $$; sleep 1", n)); r.code != 128+n {
					t.Errorf("death by signal %d gives %v", n, r)
				}
			}
		})
		eachEntry(t, p, func(t *testing.T, p *place, run func(...string) []string) {
			for _, want := range []int{0, 1, 77, 255} {
				if r := p.try(run("sh", "-c", fmt.Sprintf("exit %d", want))...); r.code != want {
					t.Errorf("exit %d gives %v", want, r)
				}
			}
			if r := p.try(run("sh", "-c", "kill -9 $$")...); r.code != 137 && r.code != -1 {
				t.Errorf("kill -9 gives %v", r)
			}
			if r := p.try(run("no-such-thing")...); r.code != 127 || !strings.Contains(r.err, "no such command") {
				t.Errorf("a missing command gives %v", r)
			}
		})
	})
}

// signalled starts a command that says or repeats "ready", sends devenv a
// signal then, and gives what the command said and how it ended.
func signalled(t *testing.T, cmd *exec.Cmd, s syscall.Signal) result {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var words bytes.Buffer
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(in, "ready\n")
	stuck := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
	defer stuck.Stop()
	lines := bufio.NewReader(out)
	ready, _ := lines.ReadString('\n')
	if ready != "ready\n" {
		t.Errorf("began with %q", ready)
	}
	cmd.Process.Signal(s)
	rest, _ := io.ReadAll(lines)
	cmd.Wait()
	return result{string(rest), withoutWarning(words.String()), cmd.ProcessState.ExitCode()}
}

func TestSignalsReachTheCommand(t *testing.T) {
	everyone(t, func(t *testing.T) {
		eachEntry(t, newPlace(t, "busybox"), func(t *testing.T, p *place, run func(...string) []string) {
			for _, s := range []syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGALRM, 40} {
				script := fmt.Sprintf(`n=0; trap 'n=$((n+1))' %d; echo ready; i=0; while [ $n = 0 ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done; sleep 0.1; echo $n; exit 3`, s)
				cmd := p.command(run("sh", "-c", script)...)
				cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				if got := signalled(t, cmd, s); got.out != "1\n" || got.code != 3 {
					t.Errorf("signal %d: %v", s, got)
				}
				cmd = p.command(run("cat")...)
				want := 128 + int(s)
				if s == unix.SIGWINCH {
					continue
				}
				if got := signalled(t, cmd, s); got.code != want && got.code != -1 {
					t.Errorf("signal %d and no trap: %v", s, got)
				}
			}
		})
	})
}

// TestDescriptorsPass compares what a command has open with what it has open
// when it is run by hand.
func TestDescriptorsPass(t *testing.T) {
	everyone(t, func(t *testing.T) {
		eachEntry(t, newPlace(t, "busybox"), func(t *testing.T, p *place, run func(...string) []string) {
			for _, c := range []struct{ name, before string }{
				{"as they are", ""},
				{"fd 7", "exec 7</dev/zero;"},
				{"no stdin", "exec <&-;"},
				{"no stdout", "exec >&-;"},
				{"no stderr", "exec 2>&-;"},
				{"no stdin, no stdout", "exec <&- >&-;"},
				{"none", "exec <&- >&- 2>&-;"},
				{"none but 9", "exec 9>&1 <&- >&- 2>&-;"},
			} {
				file := t.TempDir() + "/list"
				script := c.before + `exec "$@"`
				inner := []string{"sh", "-c", "ls -l /proc/$$/fd >" + file + "; :"}
				names := func(args ...string) string {
					os.WriteFile(file, nil, 0o666)
					cmd := p.host(append([]string{"busybox", "sh", "-c", script, "sh"}, args...)...)
					cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, io.Discard, io.Discard
					if err := cmd.Run(); err != nil {
						t.Errorf("%s: %v", c.name, err)
					}
					b, _ := os.ReadFile(file)
					var fds []string
					for line := range strings.Lines(string(b)) {
						if f := strings.Fields(line); len(f) > 8 {
							target := f[10]
							if i := strings.IndexByte(target, ':'); i > 0 {
								target = target[:i]
							}
							if strings.Contains(target, "/locks/") && len(f[8]) == 3 {
								continue // keeps gc away, where nobody else is there to do so
							}
							fds = append(fds, f[8]+"="+target)
						}
					}
					return strings.Join(fds, " ")
				}
				want := names(append([]string{"busybox"}, inner...)...)
				got := names(append([]string{shared.devenv}, run(inner...)...)...)
				if got != want {
					t.Errorf("%s: inside %q, by hand %q", c.name, got, want)
				}
			}
		})
	})
}

// TestCallersSignals: what the caller ignores or blocks, the command ignores
// and blocks; nothing else.
func TestCallersSignals(t *testing.T) {
	everyone(t, func(t *testing.T) {
		eachEntry(t, newPlace(t, "busybox"), func(t *testing.T, p *place, run func(...string) []string) {
			for _, how := range [][]string{
				{}, {"--ignore-signal=CHLD"}, {"--ignore-signal=HUP,INT,QUIT"}, {"--ignore-signal=PIPE"}, {"--block-signal=CHLD"},
				{"--block-signal=TERM,USR1", "--ignore-signal=USR2"}, {"--block-signal"}, {"--ignore-signal=TSTP,TTOU"},
			} {
				show := []string{"grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"}
				of := func(args []string) result {
					return resultOf(t, p.host(append(append([]string{"env"}, how...), args...)...))
				}
				want, got := of(append([]string{"busybox"}, show...)), of(append([]string{shared.devenv}, run(show...)...))
				if got != want {
					t.Errorf("%v: inside %vby hand %v", how, got, want)
				}
			}
		})
	})
}

func TestManyWords(t *testing.T) {
	everyone(t, func(t *testing.T) {
		eachEntry(t, newPlace(t, "busybox"), func(t *testing.T, p *place, run func(...string) []string) {
			count := []string{"sh", "-c", `echo $# ${#1}`, "sh"}
			args := make([]string, 100_000)
			for i := range args {
				args[i] = "x"
			}
			if r := p.try(run(append(count, args...)...)...); r.out != "100000 1\n" {
				t.Errorf("100,000 arguments: %.300v", r)
			}
			long := strings.Repeat("x", 128<<10-1)
			if r := p.try(run(append(count, long)...)...); r.out != fmt.Sprintf("1 %d\n", len(long)) {
				t.Errorf("the longest argument: %.300v", r)
			}
			q := *p
			q.set("LONG=" + strings.Repeat("y", 128<<10-6))
			if r := q.try(run("sh", "-c", "echo $LONG")...); len(r.out) != 128<<10-5 {
				t.Errorf("the longest variable: %.300v", r)
			}
			q = *p
			for i := range 20_000 {
				q.env = append(q.env, fmt.Sprintf("V%d=%d", i, i))
			}
			if r := q.try(run("sh", "-c", "env | grep -c ^V")...); r.out != "20000\n" {
				t.Errorf("20,000 variables: %.300v", r)
			}
			// more than the kernel takes at all, with what devenv adds
			if r := p.try(run("./none", long, long)...); r.code != 127 {
				t.Errorf("a missing file with long arguments: %.300v", r)
			}
		})
	})
}

func TestPipes(t *testing.T) {
	everyone(t, func(t *testing.T) {
		eachEntry(t, newPlace(t, "busybox"), func(t *testing.T, p *place, run func(...string) []string) {
			cmd := p.command(run("cat")...)
			cmd.Stdin = strings.NewReader("")
			if r := resultOf(t, cmd); r != (result{}) {
				t.Errorf("end of file at once: %v", r)
			}
			cmd = p.command(run("cat", "/dev/zero")...)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			io.ReadFull(out, make([]byte, 1000))
			out.Close()
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 128+int(unix.SIGPIPE) && code != -1 {
				t.Errorf("a closed stdout: exit %d", code)
			}
		})
	})
}

// TestPipeSpeed sends a gibibyte through pipes, turn by turn with the same
// program run by hand: nothing of devenv stands between.
func TestPipeSpeed(t *testing.T) {
	p := newPlace(t, "busybox")
	p.must("run", "--", "true")
	through := func(cmd *exec.Cmd) time.Duration {
		zero := p.host("busybox", "head", "-c", "67108864", "/dev/zero")
		pipe, err := zero.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdin = pipe
		start := time.Now()
		if err := zero.Start(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		zero.Wait()
		return took
	}
	// The best of eight: the machine has other work. A copy on the way would
	// halve the speed; the exact ratio is for `make bench`, on a quiet machine.
	inside, byHand := time.Hour, time.Hour
	for range 8 {
		inside = min(inside, through(p.command("run", "--", "cat")))
		byHand = min(byHand, through(p.host("busybox", "cat")))
	}
	t.Logf("inside %v, by hand %v: %.2f of its speed", inside, byHand, float64(byHand)/float64(inside))
	if inside > byHand*10/6 {
		t.Errorf("inside %v, by hand %v", inside, byHand)
	}
}
