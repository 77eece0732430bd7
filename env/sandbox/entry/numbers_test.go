package entry

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// What does not agree with package unix does not compile. (go vet compiles it
// for other machines.)
const (
	wrongNumbers = 0 |
		sysRead ^ unix.SYS_READ | sysWrite ^ unix.SYS_WRITE | sysClose ^ unix.SYS_CLOSE |
		sysRtSigaction ^ unix.SYS_RT_SIGACTION | sysRtSigprocmask ^ unix.SYS_RT_SIGPROCMASK | sysRtSigtimedwait ^ unix.SYS_RT_SIGTIMEDWAIT |
		sysIoctl ^ unix.SYS_IOCTL | sysFcntl ^ unix.SYS_FCNTL | sysPrctl ^ unix.SYS_PRCTL | sysPrlimit ^ unix.SYS_PRLIMIT64 |
		sysGetpid ^ unix.SYS_GETPID | sysGetppid ^ unix.SYS_GETPPID | sysGetpgid ^ unix.SYS_GETPGID | sysSetpgid ^ unix.SYS_SETPGID | sysGetsid ^ unix.SYS_GETSID |
		sysClone ^ unix.SYS_CLONE | sysExecve ^ unix.SYS_EXECVE | sysWait4 ^ unix.SYS_WAIT4 | sysKill ^ unix.SYS_KILL | sysExitGroup ^ unix.SYS_EXIT_GROUP |
		sysUname ^ unix.SYS_UNAME | sysGetcwd ^ unix.SYS_GETCWD | sysOpenat ^ unix.SYS_OPENAT | sysDup3 ^ unix.SYS_DUP3 | sysPipe2 ^ unix.SYS_PIPE2 | sysCloseRange ^ unix.SYS_CLOSE_RANGE

	wrongOffsets = 0 |
		statDev ^ unsafe.Offsetof(unix.Stat_t{}.Dev) | statIno ^ unsafe.Offsetof(unix.Stat_t{}.Ino) | statSize ^ unsafe.Offsetof(unix.Stat_t{}.Size) |
		statMtime ^ unsafe.Offsetof(unix.Stat_t{}.Mtim) | statCtime ^ unsafe.Offsetof(unix.Stat_t{}.Ctim)
)

var _, _ = [1]struct{}{}[wrongNumbers], [1]struct{}{}[wrongOffsets]
