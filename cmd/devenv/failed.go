package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"devenv/env/sandbox"
	"devenv/env/sandbox/entry"
)

// failedHere puts into words an entry that failed in this very process.
func failedHere(args []string) error {
	name, plan := "", ""
	if len(args) > 2 && args[1] == entry.Prepared {
		plan, args = args[2], args[1:]
	}
	for _, a := range args[min(len(args), 2):] {
		if a != "--" {
			name = a
			break
		}
	}
	f := entry.Failure
	return failedEntry(f.Stage, f.Op, unix.Errno(f.Errno), plan, name)
}

// failedElsewhere does so for another process, which says what it knows in
// the arguments of "devenv _failed".
func failedElsewhere(args []string) error {
	if len(args) != 5 {
		return misuse("%s is not for use by hand", entry.Failed)
	}
	var n [3]uint32
	for i := range n {
		v, err := strconv.ParseUint(args[i], 10, 32)
		if err != nil {
			return misuse("%s is not for use by hand", entry.Failed)
		}
		n[i] = uint32(v)
	}
	return failedEntry(n[0], n[1], unix.Errno(n[2]), args[3], args[4])
}

func failedEntry(stage, op uint32, errno unix.Errno, plan, name string) error {
	switch {
	case stage == entry.StageExec && errno == unix.ENOENT:
		f := &failure{err: fmt.Errorf("%s: no such command in this environment", name), code: 127}
		if strings.Contains(name, "/") {
			f.err = fmt.Errorf("%s: no such file, or its interpreter is missing", name)
			return f
		}
		return f.hint("`devenv owns %s` says which package has it, `devenv add PACKAGE` adds it", name)
	case stage == entry.StageExec:
		return &failure{err: fmt.Errorf("%s: cannot be executed: %w", name, errno), code: 126}
	}
	where := "making the command's process"
	if stage != entry.StageSpawn {
		b, _ := os.ReadFile(plan)
		if sandbox.CallThatFailed(b, stage, op) == unix.SYS_UNSHARE {
			return refusedNamespace(errno)
		}
		where = sandbox.WhereFailed(b, stage, op)
	}
	f := &failure{err: fmt.Errorf("entering the environment: %s: %w", where, errno), code: 1}
	return f.hint("`devenv doctor` checks what this host allows; `devenv run --explain -- true` lists the steps")
}

// refusedNamespace says which setting of the host refuses user namespaces.
func refusedNamespace(errno unix.Errno) error {
	f := &failure{err: fmt.Errorf("this host refuses user namespaces: %w", errno), code: 1}
	read := func(name string) string {
		b, _ := os.ReadFile("/proc/sys/" + name)
		return strings.TrimSpace(string(b))
	}
	switch {
	case read("kernel/unprivileged_userns_clone") == "0":
		f.hint("as root: sysctl -w kernel.unprivileged_userns_clone=1")
	case read("kernel/apparmor_restrict_unprivileged_userns") == "1":
		f.hint("AppArmor restricts them (Ubuntu 24.04 does): as root, either install an AppArmor profile with `userns,` for devenv, or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
	case read("user/max_user_namespaces") == "0":
		f.hint("as root: sysctl -w user.max_user_namespaces=10000")
	case errno == unix.ENOSPC || errno == unix.EUSERS:
		f.hint("too many of them exist: end some, or as root raise user.max_user_namespaces")
	default:
		f.hint("in a container, allow unshare(2): podman and docker take --security-opt seccomp=unconfined; or run the container with --privileged")
	}
	return f.hint("without any: `devenv run --native -- COMMAND` and `devenv enter --native`, with the project's tools on PATH; `devenv shell PACKAGE`")
}
