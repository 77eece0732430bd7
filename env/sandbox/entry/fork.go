package entry

import "unsafe"

// What package syscall does around a fork: no other goroutine runs in the child,
// and no signal reaches it before it has let go of the runtime's handlers.

//go:linkname beforeFork syscall.runtime_BeforeFork
func beforeFork()

//go:linkname afterFork syscall.runtime_AfterFork
func afterFork()

//go:linkname afterForkInChild syscall.runtime_AfterForkInChild
func afterForkInChild()

// Fork is the entry for a program whose first instruction is not ours: a child
// does what would have been done before the runtime. argc is its address on the
// kernel's stack, as the ELF ABI has it; fd is the writing end of a pipe on
// which the child says, as the bytes of [Failure] and [Ended], where it would
// have started the Go runtime. Otherwise nothing is written, and it ends as the
// command does. The caller, whose goroutine is locked to its thread, waits for
// pid and passes signals on. If it is killed the child dies with it. pid is a
// negated errno if there can be no child.
func Fork(argc *uintptr, fd uintptr) (pid uintptr) {
	report = fd
	started = sys6(sysGetpid, 0, 0, 0, 0, 0, 0)
	grow()
	beforeFork()
	pid = sys6(sysClone, sigchld, 0, 0, 0, 0, 0)
	if pid == 0 {
		afterForkInChild()
		afterFork()
		forked(argc)
	}
	afterFork()
	return pid
}

// report is where a forked entry tells its failure.
var report uintptr

// grow leaves the goroutine's stack with room for all that follows: in the child
// it could not grow.
//
//go:noinline
func grow() byte {
	var room [32 << 10]byte
	return room[report%uintptr(len(room))]
}

// forked is Fork's child.
//
//go:norace
//go:nocheckptr
func forked(sp *uintptr) {
	copies = true
	sys6(sysPrctl, prSetPdeathsig, sigKill, 0, 0, 0, 0)
	if sys6(sysGetppid, 0, 0, 0, 0, 0, 0) == started {
		sys6(sysPrlimit, 0, rlimitNofile, uintptr(unsafe.Pointer(&nofile)), 0, 0, 0)
		early(sp)
		sys6(sysWrite, report, uintptr(unsafe.Pointer(&Failure)), unsafe.Sizeof(Failure), 0, 0, 0)
		sys6(sysWrite, report, uintptr(unsafe.Pointer(&Ended)), unsafe.Sizeof(Ended), 0, 0, 0)
	}
	for {
		sys6(sysExitGroup, 254, 0, 0, 0, 0, 0)
	}
}

const rlimitNofile = 7

// nofile is the caller's limit of open files. This package needs no other, so it
// comes before package syscall, which raises the limit.
var nofile = openFiles()

func openFiles() (limit [2]uint64) {
	sys6(sysPrlimit, 0, rlimitNofile, 0, uintptr(unsafe.Pointer(&limit)), 0, 0)
	return limit
}

// First reports whether the program's first instruction was this package's.
func First() bool { return savedSP != 0 }
