package setup

import "golang.org/x/sys/unix"

var conventions = []convention{{unix.AUDIT_ARCH_LOONGARCH64, map[uint32]operation{
	unix.SYS_FCHOWN: opFchown, unix.SYS_FCHOWNAT: opFchownat,
	unix.SYS_SETXATTR: opSetxattr, unix.SYS_LSETXATTR: opLsetxattr, unix.SYS_FSETXATTR: opFsetxattr,
	unix.SYS_MKNODAT: opMknodat, setxattrat: opUnknown,
}}}
