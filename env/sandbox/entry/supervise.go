package entry

import "unsafe"

// Ended says that the command of a plan with [FlagAfter] has ended, and how.
// The Go runtime starts then, to do what is left to do, and exits with it.
var Ended struct {
	Done   bool
	Status uint32 // as wait4(2) has it

	// Interrupted says that Ctrl-C ended the command.
	Interrupted bool
}

// attend lets a child be A, so that this process, which no namespace holds, can
// go on when the command has ended.
//
//go:norace
//go:nocheckptr
func attend() {
	keeper = sys6(sysGetpid, 0, 0, 0, 0, 0, 0)
	if started == 0 {
		started = keeper
	}
	ownChild()
	a := fork(asAttended)
	if isErr(a) {
		Failure.Errno, Failure.Stage = uint32(-a), StageSpawn
		return
	}
	Ended.Status = wait(a)
	// A ends by this signal only where Ctrl-C ended the command.
	Ended.Done, Ended.Interrupted = true, Ended.Status&127 == sigint
}

// keeper is the process that attends to us, started the one that our caller
// started: 0 if it is this one.
var keeper, started uintptr

// attended is A where another process attends to it. It dies with that.
//
//go:norace
//go:nocheckptr
func attended() {
	sys6(sysPrctl, prSetPdeathsig, sigKill, 0, 0, 0, 0)
	if sys6(sysGetppid, 0, 0, 0, 0, 0, 0) == keeper {
		enter()
		if Failure.Stage == 0 {
			Failure.Errno, Failure.Stage = staleErrno, StagePrepare
		}
		explain(0)
	}
	for {
		sys6(sysExitGroup, 1, 0, 0, 0, 0, 0)
	}
}

// supervise is A: it makes B and C, and exits as C did.
//
//go:norace
//go:nocheckptr
func supervise() {
	ownChild()

	if r := sys6(sysPipe2, uintptr(unsafe.Pointer(&alive)), oCloexec, 0, 0, 0, 0); isErr(r) {
		Failure.Errno, Failure.Stage = uint32(-r), StageSpawn
		return
	}
	findTerminal()
	b := spawn(asReaper)
	if isErr(b) {
		Failure.Errno, Failure.Stage = uint32(-b), StageSpawn
		return
	}
	c := spawn(asCommand)
	if isErr(c) {
		Failure.Errno, Failure.Stage = uint32(-c), StageSpawn
	} else if Failure.Stage != 0 {
		sys6(sysWait4, c, 0, 0, 0, 0, 0)
	}
	if Failure.Stage != 0 {
		reclaim()
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
	sys6(sysCloseRange, keep, lastFD, 0, 0, 0, 0)
	status := wait(c)
	end(b)
	reclaim()
	interrupted = interrupted || apart && !passedInt
	exit(status)
}

// ownChild gives us a disposition of our own: a caller that ignores SIGCHLD
// would leave nothing to wait for. The command gets the caller's back.
//
//go:norace
//go:nocheckptr
func ownChild() {
	var dfl, old sigaction
	sys6(sysRtSigaction, sigchld, uintptr(unsafe.Pointer(&dfl)), uintptr(unsafe.Pointer(&old)), 8, 0, 0)
	if old.handler == 1 {
		oldChld = old
	}
}

// interrupted says that the terminal's Ctrl-C came to this process, too;
// passedInt that some process sent us the signal, which is no Ctrl-C.
var interrupted, passedInt bool

// exit ends the program as a process with this wait status ended, in the way
// of a shell: death by a signal is 128 and the signal. Only where Ctrl-C ended
// the command it is this process's end as well: a shell that runs it in a loop
// goes on unless it sees that.
//
//go:norace
//go:nocheckptr
func exit(status uint32) {
	if interrupted && status&127 == sigint {
		none := uint64(0)
		sys6(sysKill, sys6(sysGetpid, 0, 0, 0, 0, 0, 0), sigint, 0, 0, 0, 0)
		sys6(sysRtSigprocmask, 2, uintptr(unsafe.Pointer(&none)), 0, 8, 0, 0)
	}
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
	c := spawn(asWords)
	status := uint32(1 << 8)
	if !isErr(c) {
		sys6(sysWait4, c, uintptr(unsafe.Pointer(&status)), 0, 0, 0, 0)
	}
	if b != 0 {
		end(b)
	}
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
	sys6(sysCloseRange, 1, lastFD, 0, 0, 0, 0)
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
	if steps(header().Command, StageCommand) {
		ownGroup()
		execute()
	}
	confess()
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
// already, where that is ours; only what a process sent to A is passed on.
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
			pause(uintptr(status >> 8 & 255))
			resume(c)
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
		interrupted = interrupted || s == sigint && info.code > 0
		passedInt = passedInt || s == sigint && info.code <= 0
		// A session's leader gets a closed terminal's SIGHUP alone, but for
		// the foreground group, which a shell inside has left to its job.
		if info.code <= 0 || apart || s == sighup && leads() {
			sys6(sysKill, c, s, 0, 0, 0, 0)
		}
	}
}
