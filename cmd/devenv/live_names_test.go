package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// stranger is a uid that no file of a host names.
const stranger = 54321

// strangers makes a place for that user, with a cache of its own.
func strangers(t *testing.T) *place {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to be somebody else")
	}
	dir, err := os.MkdirTemp(shared.dir, "stranger-")
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o755)
	p := placeAt(t, dir, dir+"/project", "busybox")
	p.own(stranger)
	return p
}

func (p *place) own(id int) {
	p.t.Helper()
	output(p.t, "chown", "-R", fmt.Sprintf("%d:%[1]d", id), p.dir)
}

// TestSupplementaryGroups: what one may read through a group one may read
// inside. A user namespace maps one group, so the others have no number there:
// they show as the kernel's overflow group, once each.
func TestSupplementaryGroups(t *testing.T) {
	p := strangers(t)
	extra := []uint32{stranger + 1, stranger + 2}
	for i, g := range extra {
		name := fmt.Sprintf("%s/of-group-%d", p.project, i)
		p.write(name, "shared\n")
		os.Chown(name, 0, int(g))
		os.Chmod(name, 0o640)
	}
	p.write(p.project+"/of-nobody", "secret\n")
	os.Chmod(p.project+"/of-nobody", 0o600)
	os.Chown(p.project+"/of-nobody", 0, 0)
	overflow, err := os.ReadFile("/proc/sys/kernel/overflowgid")
	if err != nil {
		t.Fatal(err)
	}
	none := strings.TrimSpace(string(overflow))
	script := "id -G; cat of-group-0 of-group-1 of-nobody 2>/dev/null; :"
	for _, flags := range [][]string{nil, nil, {"--without", "overlay"}, {"--without", "pidns"}} {
		cmd := p.command(append(append([]string{"run"}, flags...), "--", "busybox", "sh", "-c", script)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger, Groups: extra}}
		want := fmt.Sprintf("%d %s %[2]s\nshared\nshared\n", stranger, none)
		if r := resultOf(t, cmd); r.out != want {
			t.Errorf("%v: %v, want %q", flags, r, want)
		}
	}
	// Root makes no user namespace: its groups are what they are.
	root := newPlace(t, "busybox")
	root.must("run", "--", "true")
	cmd := root.command("run", "--", "busybox", "id", "-G")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 0, Gid: 0, Groups: extra}}
	if r := resultOf(t, cmd); r.out != fmt.Sprintf("0 %d %d\n", extra[0], extra[1]) {
		t.Errorf("root: %v", r)
	}
}

// TestNameService: a user and groups that only a module of the host's name
// service knows have their names inside.
func TestNameService(t *testing.T) {
	found, _ := filepath.Glob("/usr/lib*/libnss_extrausers.so.2")
	if more, _ := filepath.Glob("/usr/lib/*/libnss_extrausers.so.2"); len(found)+len(more) == 0 {
		t.Skip("a name service besides files is missing (Debian: libnss-extrausers)")
	}
	for _, tool := range []string{"unshare", "setpriv"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is missing (Debian: util-linux)", tool)
		}
	}
	p := strangers(t)
	p.write(p.dir+"/nsswitch", "passwd: files extrausers\ngroup: files extrausers\n")
	p.write(p.dir+"/extra/passwd", fmt.Sprintf("jane.doe:x:%d:%[1]d:Jane Doe:%s:/bin/sh\n", stranger, p.home))
	p.write(p.dir+"/extra/group", fmt.Sprintf("researchers:x:%d:\nlab:x:%d:jane.doe\n", stranger, stranger+1))
	p.write(p.dir+"/extra/shadow", "")
	p.own(stranger)
	// The host's name service, for this test alone.
	script := `set -e
mount --bind $1/nsswitch /etc/nsswitch.conf
mkdir -p /var/lib/extrausers
mount --bind $1/extra /var/lib/extrausers
devenv=$2; shift 2
exec setpriv --reuid $0 --regid $0 --groups $(($0+1)) "$devenv" "$@"`
	for range 2 {
		cmd := p.host("unshare", "--mount", "sh", "-c", script, fmt.Sprint(stranger), p.dir, shared.devenv,
			"run", "--", "busybox", "sh", "-c", "id -un; id -gn; whoami; echo ~jane.doe; echo ~; busybox grep ^lab: /etc/group")
		want := fmt.Sprintf("jane.doe\nresearchers\njane.doe\n%s\n%[1]s\nlab:x:%d:jane.doe\n", p.home, stranger+1)
		if r := resultOf(t, cmd); r.out != want {
			t.Errorf("%v, want %q", r, want)
		}
	}
}
