//go:build !amd64 && !arm64 && !riscv64

package entry

import _ "unsafe" // for go:linkname

// Without assembly the entry is no program's first instruction, and always runs
// in a child of ordinary Go.

//go:linkname rawSyscall6 syscall.RawSyscall6
func rawSyscall6(nr, a0, a1, a2, a3, a4, a5 uintptr) (r, r2, errno uintptr)

// sys6 makes a system call. The result is its own, or a negated errno.
//
//go:norace
//go:nosplit
func sys6(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr {
	r, _, errno := rawSyscall6(nr, a0, a1, a2, a3, a4, a5)
	if errno != 0 {
		return -errno
	}
	return r
}

// clone says what a kernel says that knows no memory shared by processes.
//
//go:norace
//go:nosplit
func clone(flags, stack, role uintptr) uintptr { return ^uintptr(einval - 1) }
