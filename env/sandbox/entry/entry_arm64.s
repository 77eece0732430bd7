#include "textflag.h"

// func sys6(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr
TEXT ·sys6(SB), NOSPLIT|NOFRAME, $0-64
	MOVD nr+0(FP), R8
	MOVD a0+8(FP), R0
	MOVD a1+16(FP), R1
	MOVD a2+24(FP), R2
	MOVD a3+32(FP), R3
	MOVD a4+40(FP), R4
	MOVD a5+48(FP), R5
	SVC
	MOVD R0, ret+56(FP)
	RET

// func clone(flags, stack, role uintptr) uintptr
TEXT ·clone(SB), NOSPLIT|NOFRAME, $0-32
	MOVD flags+0(FP), R0
	MOVD stack+8(FP), R1
	MOVD role+16(FP), R19
	MOVD ZR, R2
	MOVD ZR, R3
	MOVD ZR, R4
	MOVD $220, R8 // clone
	SVC
	CBZ R0, child
	MOVD R0, ret+24(FP)
	RET
child:
	SUB $32, RSP
	MOVD R19, 8(RSP)
	CALL ·begin(SB)
	BRK

// entry is the program's first instruction. A fake g whose stack guard is 0
// lets compiled Go run on the kernel's stack; the runtime, if it starts, sets
// up its own.
TEXT ·entry(SB), NOSPLIT|NOFRAME, $0
	MOVD RSP, R19
	MOVD R19, ·savedSP(SB)
	MOVD $·fakeG(SB), g
	SUB $32, RSP
	MOVD R19, 8(RSP)
	CALL ·early(SB)
	MOVD ·savedSP(SB), R19
	MOVD R19, RSP
	JMP _rt0_arm64_linux(SB)
