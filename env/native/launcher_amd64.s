#include "textflag.h"

// start is what every launcher runs; its bytes are copied into each. It must
// not refer to anything outside itself. The stub before it has put the address
// of the data block (see block in launcher.go) into BX.
//
// The kernel's stack is argc, argv, NULL, envp, NULL, auxv. A second one is
// made below it, with the arguments and variables that the block asks for. Then
// the block's file is either executed, or, if it is a dynamic linker, mapped
// and jumped to, as though the kernel had been asked to execute it: so that
// /proc/PID/exe, comm and cmdline are the launcher's, and a program that
// executes itself anew comes through here again.
//
//	BX block   R15 where the next word of the new stack goes
TEXT ·start(SB), NOSPLIT|NOFRAME, $0-0
	// How much the kernel put there.
	MOVQ SP, R12
	MOVQ 0(R12), AX
	LEAQ 16(R12)(AX*8), SI // envp
countEnv:
	MOVQ (SI), DX
	ADDQ $8, SI
	TESTQ DX, DX
	JNE  countEnv
countAux:
	MOVQ (SI), DX
	ADDQ $16, SI
	TESTQ DX, DX
	JNE  countAux
	SUBQ R12, SI
	LEAQ 16(R12)(AX*8), DX
	XCHGQ BP, DX // envp; there is no frame whose pointer it could be

	// Room for that, and for what is added.
	MOVQ 16(BX), CX
	ADDQ 32(BX), CX
	LEAQ 32(SI)(CX*8), SI
	MOVQ R12, R13
	SUBQ SI, R13
	ANDQ $~15, R13
	MOVQ R13, SP
	LEAQ 8(R13), R15

	// argv: the block's, in which 0 stands for the caller's first.
	MOVQ 24(BX), SI
	ADDQ BX, SI
	MOVQ 16(BX), CX
args:
	TESTQ CX, CX
	JEQ  own
	MOVQ (SI), AX
	ADDQ $8, SI
	DECQ CX
	TESTQ AX, AX
	JNE  fixed
	MOVQ 8(R12), AX
	TESTQ AX, AX
	JNE  put
	MOVQ 8(BX), AX // called without any
fixed:
	ADDQ BX, AX
put:
	MOVQ AX, (R15)
	ADDQ $8, R15
	JMP  args

	// Then the caller's others.
own:
	LEAQ 16(R12), SI
	MOVQ 0(R12), CX
ownNext:
	DECQ CX
	JLE  argsDone
	MOVQ (SI), AX
	MOVQ AX, (R15)
	ADDQ $8, SI
	ADDQ $8, R15
	JMP  ownNext
argsDone:
	MOVQ R15, AX
	SUBQ R13, AX
	SHRQ $3, AX
	DECQ AX
	MOVQ AX, (R13)
	MOVQ $0, (R15)
	ADDQ $8, R15

	// envp: each variable against each of the block's changes. A bit of R14 is
	// set for a change that is made.
	XORL R14, R14
env:
	MOVQ (BP), DX
	ADDQ $8, BP
	TESTQ DX, DX
	JEQ  envDone
	MOVQ 40(BX), R9
	ADDQ BX, R9
	XORL CX, CX
change:
	CMPQ CX, 32(BX)
	JEQ  keep
	MOVQ 16(R9), SI
	ADDQ BX, SI
	XORL AX, AX
compare:
	CMPQ AX, 8(R9)
	JEQ  match
	MOVB (SI)(AX*1), R8
	CMPB R8, (DX)(AX*1)
	JNE  changeNext
	INCQ AX
	JMP  compare
changeNext:
	ADDQ $32, R9
	INCQ CX
	JMP  change
match:
	MOVQ (R9), AX
	CMPQ AX, $1 // default: the user's own stays
	JEQ  mark
	CMPQ AX, $2 // append
	JNE  env    // set, unset: it goes
	BTSQ CX, R14

	// A copy with the suffix behind it.
	MOVQ DX, R12
	MOVQ 24(R9), R13
	ADDQ BX, R13
	XORL SI, SI
length:
	CMPB (R12)(SI*1), $0
	JEQ  lengthDone
	INCQ SI
	JMP  length
lengthDone:
	XORL AX, AX
length2:
	CMPB (R13)(AX*1), $0
	JEQ  length2Done
	INCQ AX
	JMP  length2
length2Done:
	LEAQ 1(SI)(AX*1), SI
	XORL DI, DI
	MOVQ $3, DX    // PROT_READ|PROT_WRITE
	MOVQ $0x22, R10 // MAP_PRIVATE|MAP_ANONYMOUS
	MOVQ $-1, R8
	XORL R9, R9
	MOVQ $9, AX // mmap
	SYSCALL
	CMPQ AX, $-4095
	JCC  fail
	MOVQ AX, (R15)
	ADDQ $8, R15
copy:
	MOVB (R12), CX
	TESTB CX, CX
	JEQ  copy2
	MOVB CX, (AX)
	INCQ R12
	INCQ AX
	JMP  copy
copy2:
	MOVB (R13), CX
	MOVB CX, (AX)
	INCQ R13
	INCQ AX
	TESTB CX, CX
	JNE  copy2
	JMP  env
mark:
	BTSQ CX, R14
keep:
	MOVQ DX, (R15)
	ADDQ $8, R15
	JMP  env

	// The changes that met no variable.
envDone:
	MOVQ 40(BX), R9
	ADDQ BX, R9
	XORL CX, CX
rest:
	CMPQ CX, 32(BX)
	JEQ  envEnd
	BTQ  CX, R14
	JCS  restNext
	CMPQ (R9), $3 // unset
	JEQ  restNext
	MOVQ 16(R9), AX
	ADDQ BX, AX
	MOVQ AX, (R15)
	ADDQ $8, R15
restNext:
	ADDQ $32, R9
	INCQ CX
	JMP  rest
envEnd:
	MOVQ $0, (R15)
	ADDQ $8, R15
	MOVQ 8(BX), DI
	ADDQ BX, DI
	CMPQ 0(BX), $0
	JNE  map

	MOVQ SP, R13
	MOVQ (R13), AX
	LEAQ 8(R13), SI
	LEAQ 16(R13)(AX*8), DX
	MOVQ $59, AX // execve
	SYSCALL
	JMP  fail

map:
	MOVQ $0x80000, SI // O_RDONLY|O_CLOEXEC
	MOVQ $2, AX // open
	SYSCALL
	CMPQ AX, $-4095
	JCC  fail
	MOVQ AX, R12 // the descriptor
	XORL DI, DI
	MOVQ 48(BX), SI
	XORL DX, DX
	MOVQ $0x4022, R10 // MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE
	MOVQ $-1, R8
	XORL R9, R9
	MOVQ $9, AX
	SYSCALL
	CMPQ AX, $-4095
	JCC  fail
	MOVQ AX, R14 // the base
	MOVQ 64(BX), R13
	ADDQ BX, R13
segment:
	MOVQ 56(BX), AX
	SHLQ $6, AX
	ADDQ 64(BX), AX
	ADDQ BX, AX
	CMPQ R13, AX
	JEQ  mapped
	MOVQ 0(R13), DI
	ADDQ R14, DI
	MOVQ 8(R13), SI
	MOVQ 16(R13), DX
	MOVQ $0x12, R10 // MAP_PRIVATE|MAP_FIXED
	MOVQ R12, R8
	MOVQ 24(R13), R9
	MOVQ $9, AX
	SYSCALL
	CMPQ AX, $-4095
	JCC  fail
	MOVQ 40(R13), CX
	MOVQ 32(R13), DI
	ADDQ R14, DI
	XORL AX, AX
	CLD
	REP
	STOSB
	MOVQ 56(R13), SI
	TESTQ SI, SI
	JEQ  segmentNext
	MOVQ 48(R13), DI
	ADDQ R14, DI
	MOVQ 16(R13), DX
	MOVQ $0x32, R10 // MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS
	MOVQ $-1, R8
	XORL R9, R9
	MOVQ $9, AX
	SYSCALL
	CMPQ AX, $-4095
	JCC  fail
segmentNext:
	ADDQ $64, R13
	JMP  segment
mapped:
	MOVQ R12, DI
	MOVQ $3, AX // close
	SYSCALL

	// auxv, as the kernel would have it for the dynamic linker.
aux:
	MOVQ 0(BP), AX
	MOVQ 8(BP), DX
	ADDQ $16, BP
	CMPQ AX, $3 // AT_PHDR
	JNE  notPhdr
	MOVQ 80(BX), DX
	ADDQ R14, DX
notPhdr:
	CMPQ AX, $5 // AT_PHNUM
	JNE  notPhnum
	MOVQ 88(BX), DX
notPhnum:
	CMPQ AX, $9 // AT_ENTRY
	JNE  notEntry
	MOVQ 72(BX), DX
	ADDQ R14, DX
notEntry:
	MOVQ AX, 0(R15)
	MOVQ DX, 8(R15)
	ADDQ $16, R15
	TESTQ AX, AX
	JNE  aux
	MOVQ 72(BX), AX
	ADDQ R14, AX
	XORL DX, DX
	XORL BP, BP
	JMP  AX

fail:
	MOVQ $2, DI
	MOVQ 96(BX), SI
	ADDQ BX, SI
	MOVQ 104(BX), DX
	MOVQ $1, AX // write
	SYSCALL
	MOVQ $126, DI
	MOVQ $231, AX // exit_group
	SYSCALL
	INT  $3

	// Where it ends.
	LONG $0x65766564
	LONG $0x7e6c766e

DATA ·startAt+0(SB)/8, $·start(SB)
GLOBL ·startAt(SB), RODATA|NOPTR, $8
