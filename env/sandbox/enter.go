package sandbox

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
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
	mask := unix.Sigset_t{Val: [16]uint64{entry.Caller.Blocked}}
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
func EndAlike() {
	status := unix.WaitStatus(entry.Ended.Status)
	if entry.Ended.Interrupted {
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
// instruction. It returns false if there was nothing to enter; otherwise it
// does not return. A child that could not become the command has said which
// step failed.
func Fork(args []string) bool {
	block, keep := kernelStack(args, os.Environ())
	r, w, err := os.Pipe()
	if err != nil {
		return false
	}
	syscall.ForkLock.Lock()
	pid := entry.Fork(&block[0], w.Fd())
	syscall.ForkLock.Unlock()
	runtime.KeepAlive(keep)
	if pid > 1<<30 {
		return false
	}
	w.Close()
	stop := passOn(func(s syscall.Signal) { unix.Kill(int(pid), s) })
	defer stop()
	var status unix.WaitStatus
	for {
		if _, err := unix.Wait4(int(pid), &status, 0, nil); err != unix.EINTR {
			break
		}
	}
	var b [12]byte
	if n, _ := r.Read(b[:]); n == len(b) {
		entry.Failure.Stage = binary.NativeEndian.Uint32(b[0:])
		entry.Failure.Op = binary.NativeEndian.Uint32(b[4:])
		entry.Failure.Errno = binary.NativeEndian.Uint32(b[8:])
		return false
	}
	if status.Signaled() {
		os.Exit(128 + int(status.Signal()))
	}
	os.Exit(status.ExitStatus())
	return true
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
