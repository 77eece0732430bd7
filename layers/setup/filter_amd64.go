package setup

import "golang.org/x/sys/unix"

// conventions are x86-64's own and that of 32-bit programs, whose oldest chown
// has ids of 16 bits. (The x32 one has numbers that are never equal to these.)
var conventions = []convention{
	{unix.AUDIT_ARCH_X86_64, map[uint32]operation{
		unix.SYS_CHOWN: opChown, unix.SYS_LCHOWN: opLchown, unix.SYS_FCHOWN: opFchown, unix.SYS_FCHOWNAT: opFchownat,
		unix.SYS_SETXATTR: opSetxattr, unix.SYS_LSETXATTR: opLsetxattr, unix.SYS_FSETXATTR: opFsetxattr,
		unix.SYS_MKNOD: opMknod, unix.SYS_MKNODAT: opMknodat, setxattrat: opUnknown,
	}},
	{unix.AUDIT_ARCH_I386, map[uint32]operation{
		182: opChown, 212: opChown, 16: opLchown, 198: opLchown, 95: opFchown, 207: opFchown, 298: opFchownat,
		226: opSetxattr, 227: opLsetxattr, 228: opFsetxattr, 14: opMknod, 297: opMknodat, setxattrat: opUnknown,
	}},
}
