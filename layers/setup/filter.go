package setup

import "golang.org/x/sys/unix"

// operation is what a filtered call does, with its arguments in this order.
type operation uint8

const (
	opChown     operation = iota + 1 // path, uid, gid
	opLchown                         // path, uid, gid
	opFchown                         // fd, uid, gid
	opFchownat                       // dirfd, path, uid, gid, flags
	opSetxattr                       // path, name, value, size, flags
	opLsetxattr                      // path, name, value, size, flags
	opFsetxattr                      // fd, name, value, size, flags
	opMknod                          // path, mode, dev
	opMknodat                        // dirfd, path, mode, dev
	opUnknown                        // too new to be answered: as an older kernel would
)

// convention is one way to call the kernel, with its own numbers. What none of
// them names is let through.
type convention struct {
	audit uint32
	calls map[uint32]operation
}

// Offsets in struct seccomp_data, see seccomp(2). Arguments are 64 bits wide and,
// on all machines that there are filters for, have their low half first.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16
)

const (
	bpfLoad   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	bpfAnd    = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	bpfJumpEq = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	bpfReturn = unix.BPF_RET | unix.BPF_K
)

// filter is a program for classic BPF that ends each call of a convention with
// action: SECCOMP_RET_USER_NOTIF, or SECCOMP_RET_ERRNO with no error, which is
// success. Attributes that nobody answers are left to the kernel.
func filter(action uint32) []unix.SockFilter {
	var program []unix.SockFilter
	for _, c := range conventions {
		block := []unix.SockFilter{{Code: bpfLoad, K: offsetNumber}}
		for number, op := range c.calls {
			block = append(block, rule(number, op, action)...)
		}
		block = append(block, unix.SockFilter{Code: bpfReturn, K: unix.SECCOMP_RET_ALLOW})
		program = append(program,
			unix.SockFilter{Code: bpfLoad, K: offsetArch},
			unix.SockFilter{Code: bpfJumpEq, K: c.audit, Jf: uint8(len(block))})
		program = append(program, block...)
	}
	return append(program, unix.SockFilter{Code: bpfReturn, K: unix.SECCOMP_RET_ALLOW})
}

func rule(number uint32, op operation, action uint32) []unix.SockFilter {
	end := func(action uint32) unix.SockFilter { return unix.SockFilter{Code: bpfReturn, K: action} }
	var body []unix.SockFilter
	switch op {
	case opUnknown:
		body = []unix.SockFilter{end(unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS))}
	case opSetxattr, opLsetxattr, opFsetxattr:
		if action != unix.SECCOMP_RET_USER_NOTIF {
			return nil
		}
		body = []unix.SockFilter{end(action)}
	case opMknod, opMknodat:
		mode := uint32(offsetArgs + 8)
		if op == opMknodat {
			mode += 8
		}
		body = []unix.SockFilter{
			{Code: bpfLoad, K: mode},
			{Code: bpfAnd, K: unix.S_IFMT},
			{Code: bpfJumpEq, K: unix.S_IFCHR, Jt: 1},
			{Code: bpfJumpEq, K: unix.S_IFBLK, Jf: 1},
			end(action),
			end(unix.SECCOMP_RET_ALLOW),
		}
	default:
		body = []unix.SockFilter{end(action)}
	}
	return append([]unix.SockFilter{{Code: bpfJumpEq, K: number, Jf: uint8(len(body))}}, body...)
}

// setxattrat is the number of a call of Linux 6.13 on every machine.
const setxattrat = 463
