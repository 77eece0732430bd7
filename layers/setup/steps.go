package setup

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxOutput is how much of a step's output is kept; the rest is read and lost.
const maxOutput = 64 << 10

// runSteps runs all steps on one thread, the only one that is confined: what it
// starts is born confined, while this process can still end and reap it.
func (s *sandbox) runSteps() (aborted bool, err error) {
	type end struct {
		aborted bool
		err     error
	}
	ended := make(chan end)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this process
		p, err := confine(s.freshProc)
		if err != nil {
			ended <- end{err: err}
			return
		}
		s.pretender = p
		for i := range s.Steps {
			failed := s.runStep(i)
			if failed != nil {
				s.say(message{Failed: failed})
				if s.Steps[i].Abort {
					ended <- end{aborted: true}
					return
				}
			}
		}
		ended <- end{}
	}()
	e := <-ended
	if e.err != nil {
		return false, e.err
	}
	pretended, notes := s.pretender.result()
	for _, n := range notes {
		s.say(message{Warning: n})
	}
	if len(pretended) > 0 {
		s.say(message{Pretended: pretended})
	}
	return e.aborted, nil
}

// runStep runs one step if there is reason to, and gives its failure.
func (s *sandbox) runStep(i int) *Outcome {
	st := &s.Steps[i]
	if slices.ContainsFunc(st.Unless, exists) {
		return nil
	}
	out := &Outcome{Step: st.Title, Package: st.Package, Problem: st.Problem}
	if st.Problem != "" {
		return out
	}
	for _, need := range st.Needs {
		if !exists(need) {
			return nil
		}
	}
	s.say(message{Begin: i + 1})
	start := time.Now()
	if st.Builtin != "" {
		if err := s.builtin(st.Builtin); err != nil {
			out.Problem = err.Error()
		}
	} else {
		out.Output, out.Problem = s.execute(st)
	}
	out.Took = time.Since(start)
	if out.Problem == "" {
		return nil
	}
	return out
}

func exists(pattern string) bool {
	if !strings.ContainsAny(pattern, "*?[") {
		_, err := os.Lstat(pattern)
		return err == nil
	}
	found, err := filepath.Glob(pattern)
	return err == nil && len(found) > 0
}

// execute runs a command with its own standard input and a time limit, and ends
// all that it has started: nothing may go on while the next one runs.
func (s *sandbox) execute(st *step) (output, problem string) {
	name := st.Argv[0]
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // as execv(3) in the root directory
	}
	in, err := stdin(st.Stdin)
	if err != nil {
		return "", err.Error()
	}
	defer in.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return "", err.Error()
	}
	defer r.Close()
	cmd := &exec.Cmd{
		Path: name, Args: st.Argv, Dir: "/", Env: environment(s.Epoch),
		Stdin: in, Stdout: w, Stderr: w,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return "", fmt.Sprintf("cannot be run: %v", err)
	}
	words := make(chan string)
	go func() { words <- readSome(r) }()
	late := time.AfterFunc(s.Limit, func() { unix.Kill(-1, unix.SIGKILL) })
	err = cmd.Wait()
	inTime := late.Stop()
	endAll()
	output = <-words
	switch {
	case !inTime:
		return output, fmt.Sprintf("took longer than %v and was ended", s.Limit)
	case err != nil:
		return output, err.Error()
	}
	return output, ""
}

// stdin is a file of these bytes; of none it is /dev/null.
func stdin(data []byte) (*os.File, error) {
	if len(data) == 0 {
		return os.Open("/dev/null")
	}
	f, err := os.CreateTemp("/run", "stdin-")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	if _, err := f.Write(data); err != nil {
		f.Close()
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

func readSome(r io.Reader) string {
	text, _ := io.ReadAll(io.LimitReader(r, maxOutput))
	if n, _ := io.Copy(io.Discard, r); n > 0 {
		text = fmt.Appendf(text, "\n(%d more bytes)\n", n)
	}
	return strings.ToValidUTF8(string(text), "\ufffd")
}

// endAll kills and reaps every process but this one, which is the first of its
// pid namespace.
func endAll() {
	for {
		unix.Kill(-1, unix.SIGKILL)
		if _, err := unix.Wait4(-1, nil, unix.WALL, nil); err == unix.ECHILD {
			return
		}
	}
}

func (s *sandbox) builtin(name string) error {
	switch name {
	case "sysusers":
		return makeUsers("/")
	case "tmpfiles":
		return makeFiles("/", s.pretender)
	}
	return fmt.Errorf("no builtin %q", name)
}
