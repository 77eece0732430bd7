package entry

import "unsafe"

// What a process that spawn or fork makes is.
const (
	asCommand  uintptr = iota // C
	asReaper                  // B
	asWords                   // who says what failed
	asAttended                // A, of a plan with FlagAfter
)

const (
	cloneVM    = 0x100
	cloneVFork = 0x4000
)

// begin is the whole life of such a process.
//
//go:norace
//go:nocheckptr
func begin(role uintptr) {
	switch role {
	case asCommand:
		command()
	case asReaper:
		reap()
	case asWords:
		words()
	case asAttended:
		attended()
	}
}

// copies says that a new process gets a copy of this one's memory: in a child of
// ordinary Go, whose stacks are not ours, and on a kernel that knows no other
// way, as qemu-user, which emulates fork(2) and threads alone.
var copies bool

// spawn makes a process that shares this one's memory, as vfork(2) does: there
// is nothing to copy. The reaper runs beside us, for the others we wait until
// they execute or end.
//
//go:norace
//go:nocheckptr
func spawn(role uintptr) uintptr {
	if !copies {
		flags, stack := uintptr(cloneVM|cloneVFork|sigchld), uintptr(unsafe.Pointer(&cStack[len(cStack)-64]))
		if role == asReaper {
			flags, stack = cloneVM|sigchld, uintptr(unsafe.Pointer(&bStack[len(bStack)-64]))
		}
		pid := clone(flags, stack&^15, role)
		if pid != ^uintptr(einval-1) {
			return pid
		}
		copies = true
	}
	if role != asCommand {
		return fork(role)
	}
	if r := sys6(sysPipe2, uintptr(unsafe.Pointer(&confession)), oCloexec, 0, 0, 0, 0); isErr(r) {
		return r
	}
	pid := fork(role)
	sys6(sysClose, uintptr(confession[1]), 0, 0, 0, 0, 0)
	if !isErr(pid) {
		sys6(sysRead, uintptr(confession[0]), uintptr(unsafe.Pointer(&Failure)), unsafe.Sizeof(Failure), 0, 0, 0)
	}
	sys6(sysClose, uintptr(confession[0]), 0, 0, 0, 0, 0)
	return pid
}

// fork makes a process with a copy of this one's memory.
//
//go:norace
//go:nocheckptr
func fork(role uintptr) uintptr {
	pid := sys6(sysClone, sigchld, 0, 0, 0, 0, 0)
	if pid == 0 {
		begin(role)
	}
	return pid
}

// confession is a pipe on which C, where it has only a copy of Failure, says
// what failed. It closes when the command is executed.
var confession [2]int32

//go:norace
//go:nocheckptr
func confess() {
	if copies {
		sys6(sysWrite, uintptr(confession[1]), uintptr(unsafe.Pointer(&Failure)), unsafe.Sizeof(Failure), 0, 0, 0)
	}
}
