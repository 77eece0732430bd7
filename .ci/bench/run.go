package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// command is something to time.
type command struct {
	args   []string
	env    []string // before the world's own: the first of a name counts
	dir    string   // the project's, if it is ""
	asRoot bool
	feed   int64        // bytes to write into its standard input
	copies int          // how many run at once; 0 is 1
	before func() error // not timed
	after  func() error // not timed: is it what was to be measured?
}

// A row that takes long is content with few runs.
const (
	least  = 3
	enough = 4 * time.Minute
)

// interleave runs the commands in turn, n times if there is the time for that,
// and gives the times of each, in seconds. Every other round goes backwards, so
// that none always follows the same one.
func (w *world) interleave(n int, commands ...command) ([][]float64, error) {
	times := make([][]float64, len(commands))
	start := time.Now()
	for run := range n {
		if run >= least && time.Since(start) > enough {
			break
		}
		for i := range commands {
			if run%2 == 1 {
				i = len(commands) - 1 - i
			}
			took, err := w.time(commands[i])
			if err != nil {
				return nil, err
			}
			times[i] = append(times[i], took)
		}
	}
	return times, nil
}

// time runs one command with what belongs to it.
func (w *world) time(c command) (float64, error) {
	if c.before != nil {
		if err := c.before(); err != nil {
			return 0, err
		}
	}
	took, err := w.all(c)
	if err == nil && c.after != nil {
		err = c.after()
	}
	return took, err
}

// all times the copies of a command. What they say on standard error is for
// the case that one fails.
func (w *world) all(c command) (float64, error) {
	words, err := os.CreateTemp(w.dir, "words-")
	if err != nil {
		return 0, err
	}
	defer words.Close()
	defer os.Remove(words.Name())
	if c.copies < 2 {
		return w.one(c, words, nil)
	}
	var g sync.WaitGroup
	errs := make([]error, c.copies)
	start := time.Now()
	for i := range errs {
		g.Go(func() { _, errs[i] = w.one(c, words, nil) })
	}
	g.Wait()
	return time.Since(start).Seconds(), errors.Join(errs...)
}

// one times a process, without os/exec's goroutines and pipes. watch is called
// once it runs.
func (w *world) one(c command, words *os.File, watch func(pid int)) (float64, error) {
	path := c.args[0]
	if !filepath.IsAbs(path) {
		var err error
		if path, err = exec.LookPath(path); err != nil {
			return 0, err
		}
	}
	attr, in := w.attributes(c), -1
	attr.Files[2] = words
	if c.feed > 0 {
		var ends [2]int // a plain pipe that blocks: the runtime's poller stays out of it
		if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
			return 0, err
		}
		attr.Files[0], in = os.NewFile(uintptr(ends[0]), "pipe"), ends[1]
	}
	start := time.Now()
	p, err := os.StartProcess(path, c.args, attr)
	if err != nil {
		return 0, err
	}
	if watch != nil {
		watch(p.Pid)
	}
	if in >= 0 {
		attr.Files[0].Close()
		err = feed(in, c.feed)
	}
	state, waitErr := p.Wait()
	took := time.Since(start).Seconds()
	switch {
	case waitErr != nil:
		return 0, waitErr
	case !state.Success():
		said, _ := os.ReadFile(words.Name())
		said = bytes.TrimSpace(said)
		return 0, fmt.Errorf("%s: %s: %s", shortened(c.args), state, said[max(0, len(said)-600):])
	}
	return took, err
}

// feed writes n zero bytes into a pipe and closes it.
func feed(fd int, n int64) error {
	defer syscall.Close(fd)
	piece := make([]byte, 128<<10)
	for n > 0 {
		m, err := syscall.Write(fd, piece[:min(int64(len(piece)), n)])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("writing into the command: %w", err)
		}
		n -= int64(m)
	}
	return nil
}

func shortened(args []string) string {
	words := strings.Join(args[:min(5, len(args))], " ")
	return words[:min(len(words), 100)]
}

func (w *world) attributes(c command) *os.ProcAttr {
	a := &os.ProcAttr{Dir: w.project, Files: []*os.File{w.null, w.null, w.null},
		Env: append(slices.Clone(c.env), "HOME="+w.home, "DEVENV_MIRROR="+w.mirror, "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "USER=nobody", "NO_COLOR=1")}
	if c.dir != "" {
		a.Dir = c.dir
	}
	if !c.asRoot {
		a.Sys = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return a
}

// output runs a command of the host as root and gives what it printed.
func output(env []string, args ...string) (string, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", shortened(args), err, bytes.TrimSpace(words.Bytes()))
	}
	return string(out), nil
}

// same brings the machine into one state before a cold run: nothing waits to be
// written, and of what lies on the disk only the inputs are in memory.
func same(inputs []string) error {
	syscall.Sync()
	// Dropping may be refused in a container; reading the inputs is not.
	os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0o200)
	for _, program := range [][]string{{"pacman", "--version"}, {"gpg", "--version"}, {"bsdtar", "--version"}, {"curl", "--version"}} {
		if _, err := output(nil, program...); err != nil {
			return err
		}
	}
	for _, in := range inputs {
		f, err := os.Open(in)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
