#include "textflag.h"

// func sys6(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr
TEXT ·sys6(SB), NOSPLIT|NOFRAME, $0-64
	MOVQ nr+0(FP), AX
	MOVQ a0+8(FP), DI
	MOVQ a1+16(FP), SI
	MOVQ a2+24(FP), DX
	MOVQ a3+32(FP), R10
	MOVQ a4+40(FP), R8
	MOVQ a5+48(FP), R9
	SYSCALL
	MOVQ AX, ret+56(FP)
	RET

// func spawn(flags, stack, role uintptr) uintptr
// The child shares the memory. It runs on a stack of its own and never
// returns: role 0 is command, 1 reap, 2 words, 3 attended.
TEXT ·spawn(SB), NOSPLIT|NOFRAME, $0-32
	MOVQ flags+0(FP), DI
	MOVQ stack+8(FP), SI
	MOVQ role+16(FP), R12
	XORL DX, DX
	XORL R10, R10
	XORL R8, R8
	MOVQ $56, AX // clone
	SYSCALL
	TESTQ AX, AX
	JZ child
	MOVQ AX, ret+24(FP)
	RET
child:
	CMPQ R12, $1
	JEQ reaper
	CMPQ R12, $2
	JEQ words
	CMPQ R12, $3
	JEQ attended
	CALL ·command(SB)
	INT $3
reaper:
	CALL ·reap(SB)
	INT $3
words:
	CALL ·words(SB)
	INT $3
attended:
	CALL ·attended(SB)
	INT $3

// entry is the program's first instruction. A fake g whose stack guard is 0
// lets compiled Go run on the kernel's stack; the runtime, if it starts, sets
// up its own.
TEXT ·entry(SB), NOSPLIT|NOFRAME, $0
	MOVQ SP, BX
	MOVQ $0x1002, DI // ARCH_SET_FS
	LEAQ ·fakeTLS+8(SB), SI
	MOVQ $158, AX // arch_prctl
	SYSCALL
	LEAQ ·fakeG(SB), AX
	MOVQ AX, ·fakeTLS(SB)
	MOVQ BX, ·savedSP(SB)
	ANDQ $~15, SP
	SUBQ $32, SP
	MOVQ BX, 0(SP)
	CALL ·early(SB)
	MOVQ ·savedSP(SB), SP
	JMP _rt0_amd64_linux(SB)

// func fork(sp uintptr) uintptr
// The child, a copy, runs forked on a static stack with the fake g, so that
// nothing of the Go runtime is touched after the fork.
TEXT ·fork(SB), NOSPLIT|NOFRAME, $0-16
	MOVQ $17, DI // SIGCHLD
	XORL SI, SI
	XORL DX, DX
	XORL R10, R10
	XORL R8, R8
	MOVQ $56, AX // clone
	SYSCALL
	TESTQ AX, AX
	JZ child
	MOVQ AX, ret+8(FP)
	RET
child:
	MOVQ sp+0(FP), BX
	MOVQ $0x1002, DI // ARCH_SET_FS
	LEAQ ·fakeTLS+8(SB), SI
	MOVQ $158, AX // arch_prctl
	SYSCALL
	LEAQ ·fakeG(SB), AX
	MOVQ AX, ·fakeTLS(SB)
	LEAQ ·forkStack+65520(SB), SP
	ANDQ $~15, SP
	SUBQ $32, SP
	MOVQ BX, 0(SP)
	CALL ·forked(SB)
	INT $3
