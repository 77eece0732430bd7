package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Abilities are what the kernel and its settings allow here. They are found
// out by trying, in a process of their own.
type Abilities struct {
	Refused    unix.Errno // why there can be no namespace at all; 0 if there can
	Overlay    bool       // an overlay with directories of the cache below
	TmpfsXattr bool       // files in memory can have the attributes that an overlay's upper directory needs (Linux 6.6)
	FreshProc  bool       // a /proc of one's own (refused where the host's is masked, as in containers)
}

// Without takes abilities away, by name: a test's way to every fallback.
func (a Abilities) Without(names ...string) (Abilities, error) {
	for _, n := range names {
		switch n {
		case "userns":
			a.Refused = unix.EPERM
		case "overlay":
			a.Overlay = false
		case "xattr":
			a.TmpfsXattr = false
		case "pidns":
			a.FreshProc = false
		default:
			return a, fmt.Errorf("there is nothing called %q to do without: userns, overlay, xattr and pidns are", n)
		}
	}
	return a, nil
}

// ProbeCommand is the first argument of the process that tries.
const ProbeCommand = "_probe"

// Probe finds out what is allowed, for a user and a cache directory.
func Probe(ctx context.Context, cache string, privileged bool) (Abilities, error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", ProbeCommand, cache)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID, Pdeathsig: unix.SIGKILL}
	if !privileged {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		// As root inside: any other id would lose its capabilities when the
		// program is executed.
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	err := cmd.Run()
	var errno unix.Errno
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return Abilities{}, fmt.Errorf("trying what this host allows: %w: %s", err, strings.TrimSpace(words.String()))
	case errors.As(err, &errno):
		return Abilities{Refused: errno}, nil
	case err != nil:
		return Abilities{}, fmt.Errorf("trying what this host allows: %w", err)
	}
	var a Abilities
	return a, json.Unmarshal(out.Bytes(), &a)
}

// ProbeHere is what the process that tries does.
func ProbeHere(cache string) error {
	a, err := probe(cache)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}

func probe(cache string) (a Abilities, err error) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return a, fmt.Errorf("making mounts private: %w", err)
	}
	// Not /proc yet, and nothing that the cache may lie in.
	base := "/sys"
	if err := unix.Mount("tmpfs", base, "tmpfs", 0, ""); err != nil {
		return a, fmt.Errorf("mounting a tmpfs: %w", err)
	}
	for _, d := range []string{"/upper", "/work", "/merged"} {
		if err := os.Mkdir(base+d, 0o755); err != nil {
			return a, err
		}
	}
	a.TmpfsXattr = unix.Setxattr(base+"/upper", "user.devenv", []byte("y"), 0) == nil
	if err := os.Chdir(cache); err != nil {
		return a, err
	}
	options := "lowerdir=.,upperdir=" + base + "/upper,workdir=" + base + "/work"
	if !isInitialUserNS() {
		options += ",userxattr"
	}
	a.Overlay = unix.Mount("overlay", base+"/merged", "overlay", 0, options) == nil
	a.FreshProc = unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "") == nil
	return a, nil
}

// isInitialUserNS reports whether this process is in the first user
// namespace, by its id map: all ids onto themselves.
func isInitialUserNS() bool {
	b, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(b)), " ") == "0 0 4294967295"
}
