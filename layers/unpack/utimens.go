package unpack

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// setTimes is futimens(3), which x/sys does not have: utimensat(2) without a
// path.
func setTimes(fd int, when times) error {
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&when[0])), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
