package main_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// busyHost is a host that has nothing but busybox, one user, and devenv: what
// works there is not served by accident by the machine that the tests run on,
// and nobody else changes anything, so that every trace shows.
type busyHost struct {
	t    *testing.T
	root string
	// mounts are further lines of the script that makes the host ready.
	mounts string
	// userNS puts the whole host into a user namespace, whose limits are its own.
	userNS bool
}

// hostUser is who lives on a busyHost.
const hostUser = 1000

// newBusyHost lays out the host's root. Only root can make another root the
// root and be somebody else in it.
func newBusyHost(t *testing.T) *busyHost {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to give another directory the place of the host's root")
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal("busybox is missing (Debian: busybox-static)")
	}
	h := &busyHost{t: t, root: t.TempDir()}
	for _, d := range []string{"bin", "etc", "usr", "var/log", "opt", "tmp", "run", "proc", "dev", "sys", "mirror", "home/me/.config/devenv", "home/me/project"} {
		if err := os.MkdirAll(h.path(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, busybox, h.path("bin/busybox"))
	copyFile(t, shared.devenv, h.path("bin/devenv"))
	for _, applet := range strings.Fields(output(t, busybox, "--list")) {
		if applet != "busybox" {
			os.Symlink("busybox", h.path("bin/"+applet))
		}
	}
	for name, text := range map[string]string{
		"etc/passwd":                         "me:x:1000:1000:Me:/home/me:/bin/sh\n",
		"home/me/.config/devenv/config.toml": mirrorConfig("/mirror"),
		"home/me/project/devenv.toml":        "[packages]\nbusybox = \"*\"\n",
		"home/me/.profile":                   "",
		"usr/of-the-host":                    "a file of the host\n",
		"var/log/messages":                   "a file of the host\n",
		"tmp/left":                           "a file of somebody\n",
	} {
		if err := os.WriteFile(h.path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os.Chmod(h.path("tmp"), 0o1777)
	filepath.WalkDir(h.path("home/me"), func(path string, d fs.DirEntry, err error) error {
		return os.Chown(path, hostUser, hostUser)
	})
	return h
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func output(t *testing.T, args ...string) string {
	t.Helper()
	b, err := exec.Command(args[0], args[1:]...).Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return string(b)
}

func (h *busyHost) path(name string) string { return filepath.Join(h.root, name) }

// bootScript is run by the first process of the host, in namespaces of its own.
const bootScript = `set -e
R=$1 MIRROR=$2
mount --make-rprivate /
mount --bind $R $R
cd $R
mount --bind $MIRROR mirror
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t tmpfs -o mode=755 dev dev
for n in null zero full random urandom tty; do : >dev/$n; mount --bind /dev/$n dev/$n; done
mkdir -p dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t mqueue mqueue dev/mqueue
%s
pivot_root . .
umount -l .
cd /home/me/project
ip link set lo up
%s
`

// boot makes a host of the directory, and runs a script there as its root.
func (h *busyHost) boot(mirror, script string, args ...string) *exec.Cmd {
	cmd := exec.Command("busybox", append([]string{"sh", "-c", fmt.Sprintf(bootScript, h.mounts, script), "sh", h.root, mirror}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWNET | unix.CLONE_NEWUTS}
	if h.userNS {
		all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 65536}}
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings, cmd.SysProcAttr.GidMappings, cmd.SysProcAttr.GidMappingsEnableSetgroups = all, all, true
	}
	return cmd
}

// sh runs a script as the host's user.
func (h *busyHost) sh(script string) result { return h.shWith(shared.mirror, script) }

func (h *busyHost) shWith(mirror, script string) result {
	h.t.Helper()
	asMe := `exec env -i HOME=/home/me USER=me PATH=/bin TERM=linux NO_COLOR=1 /bin/su me -c "$3"`
	return resultOf(h.t, h.boot(mirror, asMe, script))
}
