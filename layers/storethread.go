package layers

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The overlay driver gives what it makes to user 0, which only root may do, and
// on network file systems notes that in an attribute, which not all of them
// keep. It syncs its lists at every step, which one syncfs of ours makes
// needless. All of that is answered with success, without being done, by a
// seccomp filter. A filter can never be taken off again, so the driver's calls
// run on a thread of their own that ends with them; no other thread, and no
// child process, has it.

// onStoreThread runs f on a thread where chown(2), setxattr(2), fsync(2) and
// their relatives do nothing, successfully. f must not start processes, and
// goroutines that it starts do not have the filter.
func onStoreThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The main thread cannot end. While it is held here, the next goroutine gets another.
			done <- onStoreThread(f)
			runtime.UnlockOSThread()
			return
		}
		// Never unlocked: the thread ends with the goroutine.
		if err := installFilter(); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

func installFilter() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prepare the layer store: no_new_privs: %w", err)
	}
	filter := pretendFilter()
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(filter)
	switch {
	case errno == 0:
		return nil
	case os.Geteuid() == 0 && (errno == unix.ENOSYS || errno == unix.EINVAL):
		return nil // a kernel without seccomp; root may chown, and the syncs only cost time
	case errors.Is(errno, unix.ENOSYS), errors.Is(errno, unix.EINVAL):
		return fmt.Errorf("prepare the layer store: this kernel has no seccomp filters (%w): devenv needs them unless it runs as root", errno)
	}
	return fmt.Errorf("prepare the layer store: seccomp: %w", errno)
}

// Offsets in struct seccomp_data, see seccomp(2).
const (
	offsetNumber = 0
	offsetArch   = 4
)

// pretendFilter is a program for classic BPF. Numbers mean other calls in other
// calling conventions (x86's 32-bit one; x32 has numbers of its own, which are
// never equal), so all that is not this program's own is let through.
func pretendFilter() []unix.SockFilter {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		jumpEq = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		ret    = unix.BPF_RET | unix.BPF_K
	)
	n := uint8(len(pretended))
	filter := []unix.SockFilter{
		{Code: load, K: offsetArch},
		{Code: jumpEq, K: auditArch, Jf: n + 1}, // another architecture: allow
		{Code: load, K: offsetNumber},
	}
	for i, number := range pretended {
		filter = append(filter, unix.SockFilter{Code: jumpEq, K: uint32(number), Jt: n - uint8(i)})
	}
	return append(filter,
		unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ERRNO}, // error number 0: success
	)
}
