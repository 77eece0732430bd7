package sandbox

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"devenv/env/sandbox/entry"
)

// FileName is the name of a project's plan in the cache's directory of plans.
func FileName(project string) string {
	b := []byte(project)
	if len(b) == 0 {
		return ""
	}
	return fmt.Sprintf("%016x", entry.Key(&b[0], len(b)))
}

// Enter becomes the command inside: it executes this very program with the
// plan, so that the entry always starts in a process with one thread. An empty
// command is the plan's shell. It returns only if that cannot be done.
func Enter(file string, command []string) error {
	argv := append([]string{"devenv", entry.Prepared, file}, command...)
	AsCalled()
	err := unix.Exec("/proc/self/exe", argv, os.Environ())
	return fmt.Errorf("starting the entry: %w", err)
}

// AsCalled undoes, for the program that this process executes next, what the Go
// runtime did to what the caller gave: see entry.Caller. The rest of this
// goroutine has a thread of its own.
func AsCalled() {
	if !entry.Caller.Known {
		return
	}
	runtime.LockOSThread()
	for n := 1; n <= 64; n++ {
		if entry.Caller.Ignored>>(n-1)&1 != 0 {
			signal.Ignore(syscall.Signal(n))
		}
	}
	for fd := range 3 {
		if entry.Caller.Closed>>fd&1 != 0 {
			unix.CloseOnExec(fd)
		}
	}
	var mask unix.Sigset_t
	copy(raw(&mask), raw(&entry.Caller.Blocked))
	unix.PthreadSigmask(unix.SIG_SETMASK, &mask, nil)
}

// EnterOnce is Enter for a plan that is not kept in a file.
func EnterOnce(p *Plan, command []string) error {
	f, err := p.memory()
	if err != nil {
		return err
	}
	// The entry closes it once it has read the plan.
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0); err != nil {
		return fmt.Errorf("passing the entry plan on: %w", err)
	}
	err = Enter(filepath.Join("/proc/self/fd", strconv.Itoa(int(f.Fd()))), command)
	runtime.KeepAlive(f) // collected, it would be closed before the plan is read
	return err
}

// memory puts the plan into a file that has no name.
func (p *Plan) memory() (*os.File, error) {
	b, err := p.Encode()
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("devenv-plan", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making room for the entry plan: %w", err)
	}
	f := os.NewFile(uintptr(fd), "devenv-plan")
	if _, err := f.WriteAt(b, 0); err != nil {
		return nil, fmt.Errorf("writing the entry plan: %w", err)
	}
	return f, nil
}

// passOn gives every signal that a process sends to this one to send. What the
// terminal sends reaches the command by itself.
func passOn(send func(syscall.Signal)) (stop func()) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGINT, unix.SIGQUIT)
	go func() {
		for s := range signals {
			if s != unix.SIGINT && s != unix.SIGQUIT {
				send(s.(syscall.Signal))
			}
		}
	}()
	return func() { signal.Stop(signals); close(signals) }
}

// Ended reports whether the command of a plan with After has ended.
func Ended() bool { return entry.Ended.Done }

// EndAlike ends this process as the command ended, in the way of a shell: see
// package entry.
func EndAlike() { endAs(unix.WaitStatus(entry.Ended.Status), entry.Ended.Interrupted) }

func endAs(status unix.WaitStatus, interrupted bool) {
	if interrupted {
		signal.Reset(unix.SIGINT)
		unix.Kill(os.Getpid(), unix.SIGINT)
		time.Sleep(time.Second) // another thread may be the one that ends us
	}
	if status.Signaled() {
		os.Exit(128 + int(status.Signal()))
	}
	os.Exit(status.ExitStatus())
}

// WasFirst reports whether package entry was the program's first instruction:
// whatever could be entered has been, then, and what main sees is for ordinary
// Go.
func WasFirst() bool { return entry.First() }

// Fork does in a child what package entry does when it is the program's first
// instruction. It returns if there was nothing to enter, if the command could
// not be executed, as entry.Failure says then, or if something is left to do
// after it, see Ended; otherwise this process ends as the command did.
func Fork(args []string) {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	defer r.Close()
	block, keep := kernelStack(args, os.Environ())
	runtime.LockOSThread() // the child would die with the thread
	defer runtime.UnlockOSThread()
	syscall.ForkLock.Lock()
	pid := entry.Fork(&block[0], w.Fd())
	syscall.ForkLock.Unlock()
	runtime.KeepAlive(keep)
	w.Close()
	if pid > 1<<30 {
		return
	}
	status := await(int(pid))
	report := slices.Concat(raw(&entry.Failure), raw(&entry.Ended))
	if _, err := io.ReadFull(r, report); err == nil {
		n := copy(raw(&entry.Failure), report)
		copy(raw(&entry.Ended), report[n:])
		return
	}
	endAs(status, status.Signaled() && status.Signal() == unix.SIGINT)
}

// await passes signals on to a child until it has ended, and stops when it stops.
func await(pid int) (status unix.WaitStatus) {
	stop := passOn(func(s syscall.Signal) { unix.Kill(pid, s) })
	defer stop()
	for {
		_, err := unix.Wait4(pid, &status, unix.WUNTRACED, nil)
		switch {
		case err == unix.EINTR:
		case err == nil && status.Stopped():
			// To this very thread, so that it goes on when we are continued.
			unix.Tgkill(os.Getpid(), unix.Gettid(), status.StopSignal())
			unix.Kill(pid, unix.SIGCONT)
		default:
			return status
		}
	}
}

// kernelStack lays out argc, argv, NULL, envp, NULL as the kernel does. The
// second result keeps the strings alive.
func kernelStack(args, env []string) ([]uintptr, [][]byte) {
	block := []uintptr{uintptr(len(args))}
	var keep [][]byte
	add := func(list []string) {
		for _, s := range list {
			b := append([]byte(s), 0)
			keep = append(keep, b)
			block = append(block, uintptr(unsafe.Pointer(&b[0])))
		}
		block = append(block, 0)
	}
	add(args)
	add(env)
	return block, keep
}
