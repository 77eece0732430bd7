package setup

import "golang.org/x/sys/unix"

var conventions = []convention{{unix.AUDIT_ARCH_I386, map[uint32]operation{
	unix.SYS_CHOWN: opChown, unix.SYS_CHOWN32: opChown, unix.SYS_LCHOWN: opLchown, unix.SYS_LCHOWN32: opLchown,
	unix.SYS_FCHOWN: opFchown, unix.SYS_FCHOWN32: opFchown, unix.SYS_FCHOWNAT: opFchownat,
	unix.SYS_SETXATTR: opSetxattr, unix.SYS_LSETXATTR: opLsetxattr, unix.SYS_FSETXATTR: opFsetxattr,
	unix.SYS_MKNOD: opMknod, unix.SYS_MKNODAT: opMknodat, setxattrat: opUnknown,
}}}
