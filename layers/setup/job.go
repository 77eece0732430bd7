package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"devenv/cache"
)

// Command is the first argument of the processes that set-up runs as: this
// program, started again. [Inside] is what they do.
const Command = "_setup"

// The processes, by their second argument.
const (
	roleSteps  = "steps"  // in the sandbox, as its first process
	roleCopy   = "copy"   // beside the layer, as its owner's root
	roleFinish = "finish" // likewise
)

// job is what the processes are told, as JSON on their standard input. Paths
// are relative to Cache: an overlay's options must be short.
type job struct {
	Cache string
	Lower []string // the tree and what lies over it, topmost first
	Work  string   // the temporary directory: upper, work, base, root
	Copy  bool     // Work/root is a private copy of the tree, there being no overlay
	Start int64    // Unix nanoseconds: what is younger was written by a step
	Epoch int64    // Unix seconds
	Limit time.Duration
	Files []File
	Steps []step

	noUserNS bool // real root, and the kernel refuses user namespaces
}

// message is what the sandbox says while it works, one JSON value each.
type message struct {
	Begin     int         `json:",omitempty"` // step number, from 1
	Failed    *Outcome    `json:",omitempty"`
	Warning   string      `json:",omitempty"`
	Pretended []Pretended `json:",omitempty"`

	// The end, one of:
	Done      bool   `json:",omitempty"`
	NoOverlay string `json:",omitempty"` // why
	Refused   string `json:",omitempty"`
	Error     string `json:",omitempty"`
	Abort     bool   `json:",omitempty"` // by the last Failed
}

func newJob(c *cache.Cache, s *Spec, dir string) (*job, error) {
	tree, ok := c.Rel(s.Tree)
	if !ok {
		return nil, fmt.Errorf("tree %s lies outside the cache %s", s.Tree, c.Dir())
	}
	work, ok := c.Rel(dir)
	if !ok {
		return nil, fmt.Errorf("%s lies outside the cache %s", dir, c.Dir())
	}
	for _, d := range append([]string{"upper", "work", "root", "layer", "base"}, mountPoints()...) {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	var lower []string
	for _, id := range s.Over {
		lower = append(lower, path.Join(string(cache.Setups), id, "fs"))
	}
	j := &job{Cache: c.Dir(), Lower: append(lower, tree), Work: work, Epoch: s.epoch(), Limit: s.Limit}
	if j.Limit <= 0 {
		j.Limit = limit
	}
	return j, nil
}

// mountPoints lie at the very bottom: they are seen where the tree has none.
func mountPoints() []string {
	var dirs []string
	for _, d := range []string{"dev", "proc", "run", "sys", "tmp", "etc", "root"} {
		dirs = append(dirs, path.Join("base", d))
	}
	return dirs
}

// run sets up: in an overlay, or where there is none in a private copy of the
// tree, whose differences are the layer then.
func (j *job) run(ctx context.Context, s *Spec, record *Record) error {
	var end *message
	var err error
	if s.copy {
		end = &message{NoOverlay: "it was not asked for"}
	} else {
		end, err = j.steps(ctx, s, record)
	}
	if err == nil && end.NoOverlay != "" {
		record.Warnings = append(record.Warnings, "no overlay can be had here ("+end.NoOverlay+"): the packages were set up in a copy of the tree")
		if err := j.beside(ctx, roleCopy); err != nil {
			return err
		}
		j.Copy = true
		end, err = j.steps(ctx, s, record)
	}
	switch {
	case err != nil:
		return err
	case end.Refused != "":
		return &RefusedError{errors.New(end.Refused)}
	case end.Abort:
		return &AbortError{record.Failed[len(record.Failed)-1]}
	case end.NoOverlay != "":
		return errors.New(end.NoOverlay)
	case end.Error != "":
		return errors.New(end.Error)
	}
	return j.beside(ctx, roleFinish)
}

// steps runs the sandbox and gives its last message.
func (j *job) steps(ctx context.Context, s *Spec, record *Record) (*message, error) {
	j.Start = time.Now().UnixNano()
	if j.Copy { // what was copied just now must be older by more than a tick of the clock
		time.Sleep(20 * time.Millisecond)
		j.Start = time.Now().Add(-10 * time.Millisecond).UnixNano()
	}
	var out io.Reader
	var words bytes.Buffer
	cmd, err := j.start(ctx, roleSteps, func(cmd *exec.Cmd) (err error) {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
		cmd.Stderr = &words
		out, err = cmd.StdoutPipe()
		return err
	})
	if err != nil {
		return nil, &RefusedError{err}
	}
	end, err := listen(out, j.Steps, s, record)
	if waited := cmd.Wait(); end == nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("the sandbox ended early: %w", errors.Join(err, waited, said(&words)))
	}
	return end, nil
}

func said(words *bytes.Buffer) error {
	if text := strings.TrimSpace(words.String()); text != "" {
		return errors.New(text)
	}
	return nil
}

// listen takes the sandbox's messages to where they belong, until the last.
func listen(r io.Reader, steps []step, s *Spec, record *Record) (*message, error) {
	dec := json.NewDecoder(r)
	for {
		var m message
		if err := dec.Decode(&m); err != nil {
			return nil, err
		}
		switch {
		case m.Begin > 0 && m.Begin <= len(steps):
			s.report(Event{Step: steps[m.Begin-1].Title, Done: m.Begin - 1, Total: len(steps)})
		case m.Failed != nil:
			record.Failed = append(record.Failed, *m.Failed)
			s.report(Event{Failed: m.Failed})
		case m.Warning != "":
			record.Warnings = append(record.Warnings, m.Warning)
		case m.Pretended != nil:
			record.Pretended = m.Pretended
		default:
			return &m, nil
		}
	}
}

// beside runs a process that works on the layer without any namespace but one
// in which its owner is root.
func (j *job) beside(ctx context.Context, role string) error {
	var out bytes.Buffer
	cmd, err := j.start(ctx, role, func(cmd *exec.Cmd) error {
		cmd.Stdout, cmd.Stderr = &out, &out
		return nil
	})
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", role, err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

// start starts one of the processes: root of one mapped id, without a terminal,
// ended with this process. Real root does without a user namespace where the
// kernel refuses one.
func (j *job) start(ctx context.Context, role string, configure func(*exec.Cmd) error) (*exec.Cmd, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	for {
		cmd := exec.CommandContext(ctx, "/proc/self/exe", Command, role)
		cmd.Env = environment(j.Epoch)
		cmd.Stdin = bytes.NewReader(text)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: unix.SIGKILL}
		if !j.noUserNS {
			cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		}
		if err := configure(cmd); err != nil {
			return nil, err
		}
		err := cmd.Start()
		if err == nil || j.noUserNS || os.Geteuid() != 0 {
			return cmd, err
		}
		j.noUserNS = true
	}
}

// environment is all that scriptlets and hooks get to know.
func environment(epoch int64) []string {
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/bin/site_perl:/usr/bin/vendor_perl:/usr/bin/core_perl",
		"HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/sh", "LANG=C", "TERM=dumb",
		fmt.Sprintf("SOURCE_DATE_EPOCH=%d", epoch),
		"SYSTEMD_OFFLINE=1", // systemd's tools then know that no systemd runs
	}
}
