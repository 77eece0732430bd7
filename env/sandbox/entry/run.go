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
	sigchld = 17

	sighup  = 1
	sigint  = 2
	sigKill = 9
	sigCont = 18
	sigStop = 19
	sigTstp = 20

	wNohang   = 1
	wUntraced = 2

	prSetPdeathsig = 1
)

// staleErrno is OpCold's in a plan that is for this entry only: what it needs is
// being removed.
var staleErrno uint32

// run runs the plan. It returns, with Failure set, only if it could not; or
// with Ended set.
//
//go:norace
//go:nocheckptr
func run() {
	full := ^uint64(0)
	sys6(sysRtSigprocmask, 2, uintptr(unsafe.Pointer(&full)), uintptr(unsafe.Pointer(&oldMask)), 8, 0, 0)
	occupy()
	if header().Flags&FlagAfter != 0 {
		attend()
	} else {
		enter()
	}
	vacate()
	sys6(sysRtSigprocmask, 2, uintptr(unsafe.Pointer(&oldMask)), 0, 8, 0, 0)
}

// enter runs the plan's tables. It returns only if it could not.
//
//go:norace
//go:nocheckptr
func enter() {
	h := header()
	switch {
	case !steps(h.Prepare, StagePrepare):
		if Failure.Stage != 0 && h.Flags&FlagPidNS != 0 {
			explain(0)
		}
	case h.Flags&FlagPidNS != 0:
		supervise()
	case steps(h.Command, StageCommand):
		execute()
	}
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
			staleErrno = uint32(-r)
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

// execute restores the caller's signals and executes args, looked for
// along the plan's path as execvp(3) does. It returns only if it could not,
// with Failure set.
//
//go:norace
//go:nocheckptr
func execute() {
	h := header()
	if oldChld.handler == 1 {
		sys6(sysRtSigaction, sigchld, uintptr(unsafe.Pointer(&oldChld)), 0, 8, 0, 0)
	}
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
