package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// foreign tells the test program to become a command on another host: a root
// directory with busybox in it and nothing else.
const foreignVar = "DEVENV_TEST_FOREIGN"

// Before any test is prepared, on the one thread that has the capabilities.
func init() {
	if text := os.Getenv(foreignVar); text != "" {
		fmt.Fprintln(os.Stderr, "becoming a command on a foreign host:", goForeign(text))
		os.Exit(125)
	}
}

type foreign struct {
	Root  string
	Binds []string          // directories that are there at their own paths
	Named map[string]string // path there → directory here
	Argv  []string
}

// foreignMirror is where the mirror of packages lies on the foreign host,
// wherever the host has it: its top-level directories are always the same.
const foreignMirror = "/tmp/mirror"

// emigrate lets a command run there. The namespaces are a real user's: the id
// that it has is the one that it has on the host.
func (l *lab) emigrate(cmd *exec.Cmd) {
	f := foreign{Root: l.root, Binds: []string{"/proc", "/dev", l.dir, shared.dir},
		Named: map[string]string{foreignMirror: l.mirror}, Argv: cmd.Args}
	text, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	cmd.Path, cmd.Args = filepath.Join(l.dir, "self"), []string{"self"}
	cmd.Env = append(cmd.Env, foreignVar+"="+string(text))
	a := cmd.SysProcAttr
	a.Cloneflags |= unix.CLONE_NEWUSER | unix.CLONE_NEWNS
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: l.uid, HostID: l.uid, Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: l.uid, HostID: l.uid, Size: 1}}
	a.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_CHROOT, unix.CAP_SYS_RESOURCE, unix.CAP_SETPCAP}
	if a.Credential != nil {
		a.Credential.NoSetGroups = true
	}
}

// goForeign is what the test program does then. It returns only if it fails.
func goForeign(text string) error {
	var f foreign
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return err
	}
	os.Unsetenv(foreignVar)
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	// A root of its own in memory: what is bound lies below the directory that
	// holds the old one.
	const at = "/mnt"
	if err := unix.Mount("tmpfs", at, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("tmpfs: %w", err)
	}
	for _, d := range []string{"bin", "etc"} {
		if err := bind(filepath.Join(f.Root, d), filepath.Join(at, d)); err != nil {
			return err
		}
	}
	for _, d := range f.Binds {
		if err := bind(d, at+d); err != nil {
			return err
		}
	}
	for there, here := range f.Named {
		if err := bind(here, at+there); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(at+"/tmp", 0o777); err != nil {
		return err
	}
	if err := unix.Chroot(at); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
		return fmt.Errorf("refusing user namespaces: %w", err)
	}
	if err := os.Chdir(wd); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("dropping capabilities: %w", err)
	}
	return unix.Exec(f.Argv[0], f.Argv, os.Environ())
}

func bind(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s: %w", from, err)
	}
	return nil
}
