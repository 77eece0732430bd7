package entry

// System calls that the entry itself makes, by their number on this machine.
// Those of a plan come with the plan.
const (
	sysRead           = 3
	sysWrite          = 4
	sysClose          = 6
	sysExecve         = 11
	sysGetpid         = 20
	sysKill           = 37
	sysIoctl          = 54
	sysFcntl          = 55
	sysSetpgid        = 57
	sysGetppid        = 64
	sysWait4          = 114
	sysClone          = 120
	sysUname          = 122
	sysGetpgid        = 132
	sysGetsid         = 147
	sysPrctl          = 172
	sysRtSigaction    = 174
	sysRtSigprocmask  = 175
	sysRtSigtimedwait = 177
	sysGetcwd         = 183
	sysGetuid         = 199 // getuid32
	sysGetgid         = 200 // getgid32
	sysExitGroup      = 248
	sysOpenat         = 322
	sysFstatat        = 327 // fstatat64
	sysDup3           = 358
	sysPipe2          = 359
	sysPrlimit        = 369
	sysCloseRange     = 436
)

// Offsets into struct stat64.
const (
	statDev   = 0
	statIno   = 96
	statSize  = 48
	statMtime = 80
	statCtime = 88
)
