package entry

import "unsafe"

// The command and the terminal.
//
// A process group of the caller's lies outside the new pid namespace, where its
// number reads as 0. Most programs never ask. A shell does: bash then makes a
// group of its own, but takes the terminal even from the background, and dash
// gives the terminal back to group 0 when it ends, and fails. So a command that
// has the terminal for itself gets what a job-control shell would give it: a
// process group, and, if we are in the foreground, the terminal.
//
// It must not be so for a command that shares the terminal with others of our
// group: the other end of a pipeline, a script, a make with many jobs. They must
// all get Ctrl-C, and may all read. So the command of run stays in our group
// unless we lead it and all three standard descriptors are the terminal, as they
// are where a job-control shell, a terminal or sshd(8) started just us. The shell
// of enter would make itself a group anyway, if it is interactive.

const (
	tiocgpgrp = 0x540f
	tiocspgrp = 0x5410
)

// apart says that the command has a process group of its own; inFront that
// the terminal is ours to give it.
var apart, inFront bool

// findTerminal sets apart and inFront. A process whose standard input is no
// terminal pays one system call for it.
//
//go:norace
//go:nocheckptr
func findTerminal() {
	front, ok := foreground(0)
	if !ok {
		return
	}
	if _, ok := foreground(2); !ok {
		return
	}
	own := group()
	if !isShell {
		first := started
		if first == 0 {
			first = sys6(sysGetpid, 0, 0, 0, 0, 0, 0)
		}
		if _, ok := foreground(1); !ok || uintptr(own) != first {
			return
		}
	}
	apart, inFront = true, front == own
}

// foreground is the terminal's foreground process group; false if the
// descriptor is not our controlling terminal.
//
//go:norace
//go:nocheckptr
func foreground(fd uintptr) (pgrp int32, ok bool) {
	r := sys6(sysIoctl, fd, tiocgpgrp, uintptr(unsafe.Pointer(&pgrp)), 0, 0, 0)
	return pgrp, r == 0
}

//go:norace
//go:nocheckptr
func group() int32 { return int32(sys6(sysGetpgid, 0, 0, 0, 0, 0, 0)) }

// give puts a process group into the terminal's foreground. The signal that
// this is to the background, SIGTTOU, is blocked.
//
//go:norace
//go:nocheckptr
func give(fd uintptr, pgrp int32) {
	sys6(sysIoctl, fd, tiocspgrp, uintptr(unsafe.Pointer(&pgrp)), 0, 0, 0)
}

// ownGroup is C's: it makes the group from inside, so that it has a number
// there.
//
//go:norace
//go:nocheckptr
func ownGroup() {
	if !apart {
		return
	}
	sys6(sysSetpgid, 0, 0, 0, 0, 0, 0)
	if inFront {
		give(0, group())
	}
}

// pause stops us as the command was stopped. Ctrl-Z is ignored where nobody
// could continue us, and only the signal itself knows that.
//
//go:norace
//go:nocheckptr
func pause(sig uintptr) {
	if !apart || sig != sigTstp {
		sig = sigStop
	}
	sys6(sysKill, sys6(sysGetpid, 0, 0, 0, 0, 0, 0), sig, 0, 0, 0, 0)
	if sig == sigTstp {
		only := uint64(1) << (sigTstp - 1)
		sys6(sysRtSigprocmask, 1, uintptr(unsafe.Pointer(&only)), 0, 8, 0, 0)
		sys6(sysRtSigprocmask, 0, uintptr(unsafe.Pointer(&only)), 0, 8, 0, 0)
	}
}

// resume continues the command, in the foreground if that is where we are now.
//
//go:norace
//go:nocheckptr
func resume(c uintptr) {
	if !apart {
		sys6(sysKill, c, sigCont, 0, 0, 0, 0)
		return
	}
	tty := openTerminal()
	if front, ok := foreground(tty); ok && front == group() {
		give(tty, int32(c))
	}
	sys6(sysClose, tty, 0, 0, 0, 0, 0)
	sys6(sysKill, -c, sigCont, 0, 0, 0, 0)
}

// openTerminal opens the terminal for A, which has let go of what the caller
// gave it. Its result is no descriptor if there is none.
//
//go:norace
//go:nocheckptr
func openTerminal() uintptr {
	return sys6(sysOpenat, atFdcwd, lit("/dev/tty\x00"), 2|oCloexec, 0, 0, 0)
}

// leads reports whether this process is its session's leader.
//
//go:norace
//go:nocheckptr
func leads() bool {
	return sys6(sysGetsid, 0, 0, 0, 0, 0, 0) == sys6(sysGetpid, 0, 0, 0, 0, 0, 0)
}

// reclaim gives the terminal back to A's process group if the group that c
// left in the foreground is gone: a script that goes on after an interactive
// shell could not read from it otherwise.
//
//go:norace
//go:nocheckptr
func reclaim() {
	tty, own := openTerminal(), group()
	if cur, ok := foreground(tty); ok && cur != own && cur > 1 && isErr(sys6(sysKill, uintptr(-cur), 0, 0, 0, 0, 0)) {
		give(tty, own)
	}
}
