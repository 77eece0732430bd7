package setup

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kept are the capabilities that installing needs. Among those that go are
// CAP_SYS_ADMIN (mounts), CAP_MKNOD and CAP_DAC_READ_SEARCH (files by handle,
// from anywhere on the disk): where there is no user namespace they are real.
var kept = []int{
	unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID, unix.CAP_KILL,
	unix.CAP_SETFCAP, unix.CAP_SETGID, unix.CAP_SETUID,
}

// confine gives up, on this thread and for all that it starts, what a step does
// not need, and has the calls answered that one mapped id cannot make. The filter
// comes while CAP_SYS_ADMIN is still there, the bounding set before
// CAP_SETPCAP goes, the capabilities last.
func confine(listen bool) (*pretender, error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, os.NewSyscallError("no_new_privs", err)
	}
	p, err := pretend(listen)
	if err != nil {
		return nil, err
	}
	var mask [2]uint32
	for _, c := range kept {
		mask[c/32] |= 1 << (c % 32)
	}
	for c := 0; ; c++ {
		if c < 64 && mask[c/32]&(1<<(c%32)) != 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err == unix.EINVAL {
			break // there are no more
		} else if err != nil {
			return nil, fmt.Errorf("dropping capability %d: %w", c, err)
		}
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&head, &caps[0]); err != nil {
		return nil, os.NewSyscallError("capget", err)
	}
	for i := range caps {
		caps[i].Permitted &= mask[i]
		caps[i].Effective = caps[i].Permitted
		caps[i].Inheritable = 0
	}
	return p, os.NewSyscallError("capset", unix.Capset(&head, &caps[0]))
}

// pretend installs the filter. With listen, its calls are answered by a
// goroutine that writes down what was pretended; where the kernel has no
// listeners, or there is one already, the filter answers by itself.
func pretend(listen bool) (*pretender, error) {
	p := &pretender{done: map[string]Pretended{}}
	if listen {
		fd, err := installFilter(filter(unix.SECCOMP_RET_USER_NOTIF), unix.SECCOMP_FILTER_FLAG_NEW_LISTENER)
		if err == nil {
			p.listener = int(fd)
			unix.CloseOnExec(p.listener)
			go p.listen()
			return p, nil
		}
	}
	p.notes = append(p.notes, "owners were pretended and could not be written down")
	_, err := installFilter(filter(unix.SECCOMP_RET_ERRNO), 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		err = fmt.Errorf("this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER), which packages are set up with: %w", err)
	}
	return p, err
}

func installFilter(program []unix.SockFilter, flags uintptr) (uintptr, error) {
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return 0, os.NewSyscallError("seccomp", errno)
	}
	return r, nil
}
