package entry

// System calls that the entry itself makes, by their number on this machine.
// Those of a plan come with the plan.
const (
	sysRead           = 0
	sysWrite          = 1
	sysClose          = 3
	sysRtSigaction    = 13
	sysRtSigprocmask  = 14
	sysIoctl          = 16
	sysGetpid         = 39
	sysClone          = 56
	sysExecve         = 59
	sysWait4          = 61
	sysKill           = 62
	sysUname          = 63
	sysFcntl          = 72
	sysGetcwd         = 79
	sysGetuid         = 102
	sysGetgid         = 104
	sysSetpgid        = 109
	sysGetppid        = 110
	sysGetpgid        = 121
	sysGetsid         = 124
	sysRtSigtimedwait = 128
	sysPrctl          = 157
	sysExitGroup      = 231
	sysOpenat         = 257
	sysFstatat        = 262
	sysDup3           = 292
	sysPipe2          = 293
	sysPrlimit        = 302
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
