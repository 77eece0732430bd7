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

// func clone(flags, stack, role uintptr) uintptr
TEXT ·clone(SB), NOSPLIT|NOFRAME, $0-32
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
	SUBQ $16, SP
	MOVQ R12, 0(SP)
	CALL ·begin(SB)
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
	SUBQ $16, SP
	MOVQ BX, 0(SP)
	CALL ·early(SB)
	MOVQ ·savedSP(SB), SP
	JMP _rt0_amd64_linux(SB)
