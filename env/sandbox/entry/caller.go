package entry

import "unsafe"

// Caller is what the process that started us gave us and the Go runtime
// changes before any of our Go can look: it handles signals that were ignored,
// unblocks some that were blocked, and opens standard descriptors that were
// closed. It is Known if the Go runtime starts after this package, so that
// ordinary Go can give the command what the caller gave.
var Caller struct {
	Known   bool
	Ignored uint64 // bit n-1 for signal n
	Blocked uint64
	Closed  uint8 // bit n for descriptor n
}

// remember fills Caller. It runs where the Go runtime is about to start, never
// on the warm path.
//
//go:norace
//go:nocheckptr
func remember() {
	var act sigaction
	for n := uintptr(1); n <= 64; n++ {
		if sys6(sysRtSigaction, n, 0, uintptr(unsafe.Pointer(&act)), 8, 0, 0) == 0 && act.handler == 1 {
			Caller.Ignored |= 1 << (n - 1)
		}
	}
	sys6(sysRtSigprocmask, 0, 0, uintptr(unsafe.Pointer(&Caller.Blocked)), 8, 0, 0)
	for fd := uintptr(0); fd < 3; fd++ {
		if !isOpen(fd) {
			Caller.Closed |= 1 << fd
		}
	}
	Caller.Known = true
}

//go:norace
//go:nocheckptr
func isOpen(fd uintptr) bool {
	return !isErr(sys6(sysFcntl, fd, fGetfd, 0, 0, 0, 0))
}

// occupied are the standard descriptors that the caller closed, and we opened.
var occupied [3]bool

// occupy opens something, until the command is executed, as each standard
// descriptor that the caller closed: nothing that an entry opens may become
// the command's input or output.
//
//go:norace
//go:nocheckptr
func occupy() {
	for fd := range occupied {
		occupied[fd] = !isOpen(uintptr(fd)) && sys6(sysOpenat, atFdcwd, lit("/\x00"), oPath|oCloexec, 0, 0, 0) == uintptr(fd)
	}
}

//go:norace
//go:nocheckptr
func vacate() {
	for fd := range occupied {
		if occupied[fd] {
			sys6(sysClose, uintptr(fd), 0, 0, 0, 0, 0)
		}
	}
}

// sigaction is the kernel's struct of rt_sigaction(2). Some machines have no
// restorer: what is there called the mask is not looked at.
type sigaction struct {
	handler, flags, restorer uintptr
	mask                     [2]uint32
}
