package entry

import "unsafe"

// Failure says which step of the plan failed, for ordinary Go to put into
// words. It is set when the Go runtime starts after an entry that had begun.
var Failure struct {
	Stage uint32 // 0 none, else one of the Stage constants
	Op    uint32 // index into the plan's table
	Errno uint32
}

// Stages of an entry.
const (
	StagePrepare uint32 = iota + 1 // Prepare, in A
	StageSpawn                     // making B or C
	StageCommand                   // Command, in C
	StageExec                      // executing the command
)

const (
	cloneVM    = 0x100
	cloneVFork = 0x4000
	sigchld    = 17

	sigKill = 9
	sigStop = 19
	sigCont = 18
	sigTstp = 20
	sigTtin = 21
	sigTtou = 22

	wNohang   = 1
	wUntraced = 2

	tiocgpgrp = 0x540f
	tiocspgrp = 0x5410
)

// run runs the plan. It returns, with Failure set, only if it could not.
//
//go:norace
//go:nocheckptr
func run() {
	h := header()
	full := ^uint64(0)
	sys6(sysRtSigprocmask, 2, uintptr(unsafe.Pointer(&full)), uintptr(unsafe.Pointer(&oldMask)), 8, 0, 0)
	if steps(h.Prepare, StagePrepare) {
		if h.Flags&FlagPidNS == 0 {
			if steps(h.Command, StageCommand) {
				execute()
			}
		} else {
			supervise()
		}
	}
	sys6(sysRtSigprocmask, 2, uintptr(unsafe.Pointer(&oldMask)), 0, 8, 0, 0)
}

// steps makes the system calls of a table.
//
//go:norace
//go:nocheckptr
func steps(t Table, stage uint32) bool {
	for i := uint32(0); i < t.Count; i++ {
		o := (*Op)(unsafe.Pointer(data(uint64(t.Off) + uint64(i)*uint64(sizeOp))))
		r := sys6(uintptr(o.Nr), arg(o, 0), arg(o, 1), arg(o, 2), arg(o, 3), arg(o, 4), arg(o, 5))
		if isErr(r) {
			if o.Flags&OpIgnore != 0 {
				continue
			}
			if o.Flags&OpCold == 0 {
				Failure.Op, Failure.Errno, Failure.Stage = i, uint32(-r), stage
			}
			return false
		}
		if o.Save != 0 && o.Save <= Slots {
			slots[o.Save-1] = r
		}
	}
	return true
}

//go:norace
//go:nocheckptr
func arg(o *Op, i int) uintptr {
	v := o.Args[i]
	switch o.Kinds[i] {
	case ArgData:
		return p(data(v))
	case ArgSlot:
		return slots[v%Slots]
	case ArgCwd:
		return p(&cwd[0])
	}
	return uintptr(v)
}

// supervise is A: it makes B and C, and exits as C did.
//
//go:norace
//go:nocheckptr
func supervise() {
	// Our own dispositions first: a caller that ignores SIGCHLD would leave
	// nothing to wait for. C gets the caller's back.
	var dfl sigaction
	sys6(sysRtSigaction, sigchld, uintptr(unsafe.Pointer(&dfl)), uintptr(unsafe.Pointer(&oldChld)), 8, 0, 0)

	if r := sys6(sysPipe2, uintptr(unsafe.Pointer(&alive)), oCloexec, 0, 0, 0, 0); isErr(r) {
		Failure.Errno, Failure.Stage = uint32(-r), StageSpawn
		return
	}
	b := spawn(cloneVM|sigchld, uintptr(unsafe.Pointer(&bStack[len(bStack)-64]))&^15, 1)
	if isErr(b) {
		Failure.Errno, Failure.Stage = uint32(-b), StageSpawn
		return
	}
	c := spawn(cloneVM|cloneVFork|sigchld, uintptr(unsafe.Pointer(&cStack[len(cStack)-64]))&^15, 0)
	if isErr(c) {
		Failure.Errno, Failure.Stage = uint32(-c), StageSpawn
	} else if Failure.Stage != 0 {
		sys6(sysWait4, c, 0, 0, 0, 0, 0)
	}
	if Failure.Stage != 0 {
		explain(b)
	}
	// C is the command now. What A holds open must not outlive C's own copy:
	// all that A needs is the end of the pipe that B waits for, and what it
	// holds against gc. Slots that were not used hold 0, the pipe.
	sys6(sysDup3, uintptr(alive[1]), 0, oCloexec, 0, 0, 0)
	keep := uintptr(1)
	for i := Slots - Held; i < Slots; i++ {
		if slots[i] > keep {
			sys6(sysDup3, slots[i], keep, oCloexec, 0, 0, 0)
			keep++
		}
	}
	sys6(sysCloseRange, keep, ^uintptr(0)>>32, 0, 0, 0, 0)
	status := wait(c)
	end(b)
	reclaim()
	exit(status)
}

// exit ends the program as a process with this wait status ended, in the way
// of a shell: death by a signal is 128 and the signal.
//
//go:norace
//go:nocheckptr
func exit(status uint32) {
	code := uintptr(status >> 8 & 255)
	if s := status & 127; s != 0 {
		code = uintptr(128 + s)
	}
	for {
		sys6(sysExitGroup, code, 0, 0, 0, 0, 0)
	}
}

// explain lets a new process of this program say what failed, and exits as it
// does. A cannot: a process whose children go to another pid namespace can
// make no thread, and the Go runtime needs some.
//
//go:norace
//go:nocheckptr
func explain(b uintptr) {
	c := spawn(cloneVM|cloneVFork|sigchld, uintptr(unsafe.Pointer(&cStack[len(cStack)-64]))&^15, 2)
	status := uint32(1 << 8)
	if !isErr(c) {
		sys6(sysWait4, c, uintptr(unsafe.Pointer(&status)), 0, 0, 0, 0)
	}
	end(b)
	exit(status)
}

// numbers holds the decimal form of Failure for explain's process.
var numbers [3][12]byte

// words is explain's process.
//
//go:norace
//go:nocheckptr
func words() {
	v := [3]uint32{Failure.Stage, Failure.Op, Failure.Errno}
	for i := range v {
		k := len(numbers[i]) - 1
		for k > 0 {
			k--
			numbers[i][k] = byte('0' + v[i]%10)
			v[i] /= 10
			if v[i] == 0 {
				break
			}
		}
		failedArgs[i+2] = p(&numbers[i][k])
	}
	failedArgs[0], failedArgs[1] = lit("devenv\x00"), lit(Failed+"\x00")
	failedArgs[5], failedArgs[6] = planName, args[0]
	sys6(sysRtSigprocmask, 2, uintptr(unsafe.Pointer(&oldMask)), 0, 8, 0, 0)
	sys6(sysExecve, lit("/proc/self/exe\x00"), uintptr(unsafe.Pointer(&failedArgs[0])), uintptr(unsafe.Pointer(&envp[0])), 0, 0, 0)
	for {
		sys6(sysExitGroup, 1, 0, 0, 0, 0, 0)
	}
}

var failedArgs [8]uintptr

// alive is a pipe whose writing end only A holds.
var alive [2]int32

// end kills B, and with it all that is left in the pid namespace, and waits
// until it is gone.
//
//go:norace
//go:nocheckptr
func end(b uintptr) {
	sys6(sysKill, b, sigKill, 0, 0, 0, 0)
	for sys6(sysWait4, b, 0, 0, 0, 0, 0) == ^uintptr(eintr-1) {
	}
}

// reap is B. Ignoring SIGCHLD makes the kernel reap what B inherits; the pipe
// tells it that A is gone, even if A was killed.
//
//go:norace
//go:nocheckptr
func reap() {
	sys6(sysDup3, uintptr(alive[0]), 0, 0, 0, 0, 0)
	sys6(sysCloseRange, 1, ^uintptr(0)>>32, 0, 0, 0, 0)
	ign := sigaction{handler: 1}
	sys6(sysRtSigaction, sigchld, uintptr(unsafe.Pointer(&ign)), 0, 8, 0, 0)
	var b [8]byte
	for sys6(sysRead, 0, p(&b[0]), 1, 0, 0, 0) == ^uintptr(eintr-1) {
	}
	for {
		sys6(sysExitGroup, 0, 0, 0, 0, 0, 0)
	}
}

// command is C.
//
//go:norace
//go:nocheckptr
func command() {
	if oldChld.handler == 1 {
		sys6(sysRtSigaction, sigchld, uintptr(unsafe.Pointer(&oldChld)), 0, 8, 0, 0)
	}
	if steps(header().Command, StageCommand) {
		execute()
	}
	for {
		sys6(sysExitGroup, 255, 0, 0, 0, 0, 0)
	}
}

// siginfo is the head of the kernel's siginfo_t.
type siginfo struct {
	signo, errno, code int32
	_                  [29]uint32
}

// wait passes signals on to c until it has ended, and stops when it stops, so
// that a job-control shell sees what it would see of c itself. A signal that
// the kernel made (Ctrl-C, a closed terminal) went to c's process group
// already; only what a process sent to A is passed on.
//
//go:norace
//go:nocheckptr
func wait(c uintptr) (status uint32) {
	full := ^uint64(0)
	for {
		r := sys6(sysWait4, c, uintptr(unsafe.Pointer(&status)), wNohang|wUntraced, 0, 0, 0)
		if r == c {
			if status&255 != 0x7f {
				return status
			}
			sys6(sysKill, sys6(sysGetpid, 0, 0, 0, 0, 0, 0), sigStop, 0, 0, 0, 0)
			sys6(sysKill, c, sigCont, 0, 0, 0, 0)
			continue
		}
		if isErr(r) && r != ^uintptr(eintr-1) {
			return 1 << 8
		}
		var info siginfo
		s := sys6(sysRtSigtimedwait, uintptr(unsafe.Pointer(&full)), uintptr(unsafe.Pointer(&info)), 0, 8, 0, 0)
		if isErr(s) || s == sigchld {
			continue
		}
		if info.code <= 0 {
			sys6(sysKill, c, s, 0, 0, 0, 0)
		}
	}
}

// reclaim gives the terminal back to A's process group if the group that c
// left in the foreground is gone: a script that goes on after an interactive
// shell could not read from it otherwise.
//
//go:norace
//go:nocheckptr
func reclaim() {
	fd := sys6(sysOpenat, atFdcwd, lit("/dev/tty\x00"), 2|oCloexec, 0, 0, 0)
	if isErr(fd) {
		return
	}
	var cur int32
	own := int32(sys6(sysGetpgrp, 0, 0, 0, 0, 0, 0))
	if sys6(sysIoctl, fd, tiocgpgrp, uintptr(unsafe.Pointer(&cur)), 0, 0, 0) == 0 && cur != own && cur > 1 &&
		isErr(sys6(sysKill, uintptr(-cur), 0, 0, 0, 0, 0)) {
		sys6(sysIoctl, fd, tiocspgrp, uintptr(unsafe.Pointer(&own)), 0, 0, 0)
	}
}

// execute restores the caller's signal mask and executes args, looked for
// along the plan's path as execvp(3) does. It returns only if it could not,
// with Failure set.
//
//go:norace
//go:nocheckptr
func execute() {
	h := header()
	sys6(sysRtSigprocmask, 2, uintptr(unsafe.Pointer(&oldMask)), 0, 8, 0, 0)
	name := (*byte)(ptr(args[0]))
	n := 0
	slash := false
	for ; at(name, n) != 0; n++ {
		slash = slash || at(name, n) == '/'
	}
	e := uint32(enoent)
	if slash {
		e = try(name)
	} else {
		for i := uint32(0); i < h.Path.Count; i++ {
			d := strAt(h.Path, i)
			if int(d.Len)+n >= len(target) {
				continue
			}
			k := 0
			for j := 0; j < int(d.Len) && k < len(target); j++ {
				target[k] = at(text(d), j)
				k++
			}
			for j := 0; j <= n && k < len(target); j++ {
				target[k] = at(name, j)
				k++
			}
			r := try(&target[0])
			if r != enoent && r != enotdir {
				e = r
				if r != eacces {
					break
				}
			}
		}
	}
	Failure.Errno, Failure.Stage = e, StageExec
}

// try executes a file; one that the kernel does not know is a shell script.
//
//go:norace
//go:nocheckptr
func try(file *byte) uint32 {
	r := sys6(sysExecve, p(file), uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&envp[0])), 0, 0, 0)
	if uint32(-r) != enoexec {
		return uint32(-r)
	}
	n := 0
	for n < maxArgs-2 && args[n] != 0 {
		n++
	}
	for i := n; i > 0; i-- {
		if i+1 < maxArgs {
			args[i+1] = args[i]
		}
	}
	args[1], args[0] = p(file), lit("sh\x00")
	r = sys6(sysExecve, lit("/bin/sh\x00"), uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&envp[0])), 0, 0, 0)
	return uint32(-r)
}

//go:norace
//go:nocheckptr
func failureAddr() uintptr { return uintptr(unsafe.Pointer(&Failure)) }
