package layers

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_LOONGARCH64

var pretended = [...]uintptr{
	unix.SYS_FCHOWN, unix.SYS_FCHOWNAT,
	unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR,
	unix.SYS_FSYNC, unix.SYS_FDATASYNC,
}
