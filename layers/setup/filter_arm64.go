package setup

import "golang.org/x/sys/unix"

// conventions are AArch64's own and that of 32-bit programs.
var conventions = []convention{
	{unix.AUDIT_ARCH_AARCH64, map[uint32]operation{
		unix.SYS_FCHOWN: opFchown, unix.SYS_FCHOWNAT: opFchownat,
		unix.SYS_SETXATTR: opSetxattr, unix.SYS_LSETXATTR: opLsetxattr, unix.SYS_FSETXATTR: opFsetxattr,
		unix.SYS_MKNODAT: opMknodat, setxattrat: opUnknown,
	}},
	{unix.AUDIT_ARCH_ARM, map[uint32]operation{
		182: opChown, 212: opChown, 16: opLchown, 198: opLchown, 95: opFchown, 207: opFchown, 325: opFchownat,
		226: opSetxattr, 227: opLsetxattr, 228: opFsetxattr, 14: opMknod, 324: opMknodat, setxattrat: opUnknown,
	}},
}
