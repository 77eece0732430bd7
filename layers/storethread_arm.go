package layers

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_ARM

// pretended has the calls with ids of 16 bits as well.
var pretended = [...]uintptr{
	unix.SYS_CHOWN, unix.SYS_LCHOWN, unix.SYS_FCHOWN, unix.SYS_FCHOWNAT,
	unix.SYS_CHOWN32, unix.SYS_LCHOWN32, unix.SYS_FCHOWN32,
	unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR,
	unix.SYS_FSYNC, unix.SYS_FDATASYNC,
}
