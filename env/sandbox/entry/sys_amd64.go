package entry

// System calls that the entry itself makes, by their number on this machine.
// Those of a plan come with the plan.
const (
	sysRead           = 0
	sysWrite          = 1
	sysClose          = 3
	sysStat           = 4
	sysRtSigaction    = 13
	sysRtSigprocmask  = 14
	sysIoctl          = 16
	sysGetpid         = 39
	sysExecve         = 59
	sysWait4          = 61
	sysKill           = 62
	sysUname          = 63
	sysFcntl          = 72
	sysGetcwd         = 79
	sysGetuid         = 102
	sysGetgid         = 104
	sysGetppid        = 110
	sysGetpgrp        = 111
	sysGetsid         = 124
	sysRtSigtimedwait = 128
	sysPrctl          = 157
	sysExitGroup      = 231
	sysOpenat         = 257
	sysDup3           = 292
	sysPipe2          = 293
	sysCloseRange     = 436
)

// Offsets into struct stat.
const (
	statDev   = 0
	statIno   = 8
	statSize  = 48
	statMtime = 88
	statCtime = 104
)

// sigaction is the kernel's struct of rt_sigaction(2).
type sigaction struct{ handler, flags, restorer, mask uintptr }
