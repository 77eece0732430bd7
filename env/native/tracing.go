package native

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// tracers are the commands that attach to running processes.
var tracers = []string{"strace", "gdb", "ltrace", "lldb"}

// Untraceable says what keeps the commands in bin from attaching to processes
// that they have not started, and how to change that; "" where nothing does, or
// none of them would. argv is the command that is to run, nothing for a shell.
func Untraceable(bin string, argv []string) string {
	scope, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if err != nil || holdsPtrace() {
		return ""
	}
	if !attaches(bin, argv) {
		return ""
	}
	return refusal(strings.TrimSpace(string(scope)))
}

// toAttach is an option that names a process: -p 42, -p42, -fp 42, --pid=42.
var toAttach = regexp.MustCompile(`^(-[a-zA-Z]*p[0-9]*|--pid.*|--attach.*)$`)

// attaches reports whether a command asks to attach, or a shell could.
func attaches(bin string, argv []string) bool {
	if len(argv) == 0 {
		return slices.ContainsFunc(tracers, func(name string) bool {
			_, err := os.Lstat(path.Join(bin, name))
			return err == nil
		})
	}
	return slices.Contains(tracers, path.Base(argv[0])) && slices.ContainsFunc(argv[1:], func(a string) bool {
		return toAttach.MatchString(a)
	})
}

// refusal is what Yama's setting means (kernel documentation, LSM/Yama).
func refusal(scope string) string {
	const what = "this host lets a debugger attach to "
	switch scope {
	case "1":
		return what + "its own children alone (kernel.yama.ptrace_scope is 1); as root, until the next start: sysctl -w kernel.yama.ptrace_scope=0"
	case "2":
		return what + "processes for root alone (kernel.yama.ptrace_scope is 2); run the tool as root, or as root: sysctl -w kernel.yama.ptrace_scope=0"
	case "3":
		return what + "nothing (kernel.yama.ptrace_scope is 3, which only a new start of the host changes): set it to 0 in /etc/sysctl.d and start anew"
	}
	return ""
}

// holdsPtrace reports whether this process has CAP_SYS_PTRACE, whom Yama does
// not refuse anything but with 3.
func holdsPtrace() bool {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&head, &data[0]) == nil && data[0].Effective>>unix.CAP_SYS_PTRACE&1 != 0
}
