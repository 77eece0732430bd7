#include "textflag.h"

// func sys6(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr
TEXT ·sys6(SB), NOSPLIT|NOFRAME, $0-64
	MOV nr+0(FP), A7
	MOV a0+8(FP), A0
	MOV a1+16(FP), A1
	MOV a2+24(FP), A2
	MOV a3+32(FP), A3
	MOV a4+40(FP), A4
	MOV a5+48(FP), A5
	ECALL
	MOV A0, ret+56(FP)
	RET

// func clone(flags, stack, role uintptr) uintptr
TEXT ·clone(SB), NOSPLIT|NOFRAME, $0-32
	MOV flags+0(FP), A0
	MOV stack+8(FP), A1
	MOV role+16(FP), S2
	MOV ZERO, A2
	MOV ZERO, A3
	MOV ZERO, A4
	MOV $220, A7 // clone
	ECALL
	BEQZ A0, child
	MOV A0, ret+24(FP)
	RET
child:
	SUB $32, X2
	MOV S2, 8(X2)
	CALL ·begin(SB)
	EBREAK

// entry is the program's first instruction. A fake g whose stack guard is 0
// lets compiled Go run on the kernel's stack; the runtime, if it starts, sets
// up its own.
TEXT ·entry(SB), NOSPLIT|NOFRAME, $0
	MOV X2, S2
	MOV S2, ·savedSP(SB)
	MOV $·fakeG(SB), g
	SUB $32, X2
	MOV S2, 8(X2)
	CALL ·early(SB)
	MOV ·savedSP(SB), X2
	JMP _rt0_riscv64_linux(SB)
