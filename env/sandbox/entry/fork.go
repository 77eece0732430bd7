package entry

// report is where a forked entry tells its failure.
var report uintptr

// Fork is the entry for a program whose first instruction is not ours: a child
// does what would have been done before the runtime. sp is the address of
// argc on the kernel's stack, as the ELF ABI has it; fd is the writing end of
// a pipe on which the child says, as the bytes of [Failure], why it is not the
// command. Nothing is written if it is. The caller waits for pid and passes
// signals on.
func Fork(argc *uintptr, fd uintptr) (pid uintptr) {
	report = fd
	return fork(argc)
}

// forked is Fork's child, on a stack of its own.
//
//go:norace
//go:nocheckptr
func forked(sp *uintptr) {
	early(sp)
	if Ended.Done {
		exit(Ended.Status)
	}
	sys6(sysWrite, report, failureAddr(), 12, 0, 0, 0)
	for {
		sys6(sysExitGroup, 254, 0, 0, 0, 0, 0)
	}
}

// First reports whether the program's first instruction was this package's.
func First() bool { return savedSP != 0 }
