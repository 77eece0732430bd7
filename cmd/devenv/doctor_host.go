package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"devenv/cache"
	"devenv/env/native"
	"devenv/env/sandbox"
)

// kernel: an unprivileged overlay came with 5.11.
func (d *doctor) kernel() {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		d.fail("kernel", "", "uname: %v", err)
		return
	}
	release, machine := unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Machine[:])
	if olderThan(release, 5, 11) {
		d.warn("kernel", "Linux 5.11 or newer has all that devenv uses", "Linux %s on %s: an ordinary user cannot mount an overlay", release, machine)
		return
	}
	d.ok("kernel", "Linux %s on %s", release, machine)
}

func olderThan(release string, major, minor int) bool {
	var a, b int
	if n, _ := fmt.Sscanf(release, "%d.%d", &a, &b); n < 2 {
		return false // not a number that says anything
	}
	return a < major || a == major && b < minor
}

// abilities: what entering needs is tried, not guessed.
func (d *doctor) abilities(ctx context.Context, c *cache.Cache) {
	privileged := os.Geteuid() == 0 && hasSysAdmin()
	a, err := sandbox.Probe(ctx, c.Dir(), privileged)
	switch {
	case err != nil:
		d.fail("namespaces", "a container may need --security-opt seccomp=unconfined, or --privileged", "%v", err)
		return
	case a.Refused != 0:
		var f *failure
		errors.As(refusedNamespace(a.Refused), &f)
		d.fail("namespaces", strings.Join(f.hints, "; "), "%v: enter and run cannot work", f.err)
		return
	case privileged:
		d.ok("namespaces", "root with CAP_SYS_ADMIN: no user namespace is needed")
	default:
		d.ok("namespaces", "user, mount and pid namespaces work")
	}
	if a.Overlay {
		d.ok("overlay", "works with the cache below it")
	} else {
		d.warn("overlay", "Linux 5.11 or newer, and a cache that is not on an overlay or a network file system (DEVENV_CACHE_DIR), has it", "refused: the environment is read-only but for private copies of /etc and /var")
	}
	if a.TmpfsXattr {
		d.ok("tmpfs", "has the attributes that an overlay writes")
	} else {
		d.warn("tmpfs", "nothing needs to be done; Linux 6.6 is faster here", "has no user attributes: what is written inside goes through the cache's disk")
	}
	if a.FreshProc {
		d.ok("/proc", "one of one's own can be mounted")
	} else {
		d.warn("/proc", "in a container: podman run --security-opt unmask=ALL, docker run --security-opt systempaths=unconfined", "one of one's own is refused: background processes outlive `devenv run`")
	}
}

func hasSysAdmin() bool {
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "CapEff:"); ok {
			caps, err := strconv.ParseUint(strings.TrimSpace(v), 16, 64)
			return err == nil && caps&(1<<unix.CAP_SYS_ADMIN) != 0
		}
	}
	return false
}

// fileSystems are those of which a user may want to know that the cache is on
// one, by statfs(2)'s number. remote ones are slow and some lock badly.
var fileSystems = map[int64]struct {
	name   string
	remote bool
}{
	0xef53: {"ext4", false}, 0x9123683e: {"btrfs", false}, 0x58465342: {"xfs", false}, 0x2fc12fc1: {"zfs", false}, 0xf2f52010: {"f2fs", false},
	0x01021994: {"tmpfs", false}, 0x794c7630: {"overlay", false}, 0x61756673: {"aufs", false}, 0xca451a4e: {"bcachefs", false},
	0x6969: {"NFS", true}, 0x5346414f: {"AFS", true}, 0x6b414653: {"AFS", true}, 0xff534d42: {"CIFS", true}, 0xfe534d42: {"SMB", true}, 0x65735546: {"FUSE", true},
	0x01021997: {"9p", true}, 0xbd00bd0: {"Lustre", true}, 0x47504653: {"GPFS", true}, 0x00c36400: {"Ceph", true}, 0x4d44: {"FAT", false}, 0x5346544e: {"NTFS", false},
}

const (
	littleRoom = 2 << 30   // bytes: a toolchain, unpacked
	noRoom     = 200 << 20 // bytes
)

// cache looks at the cache's own directory and at what lies below it.
func (d *doctor) cache() *cache.Cache {
	dir := cache.Dir(os.Getenv)
	c, err := cache.Open(dir)
	if err != nil {
		d.fail("cache", "set DEVENV_CACHE_DIR to a directory of your own", "%v", err)
		return nil
	}
	var st unix.Statfs_t
	if err := unix.Statfs(c.Dir(), &st); err != nil {
		d.fail("cache", "set DEVENV_CACHE_DIR to a directory of your own", "%s: %v", c.Dir(), err)
		return nil
	}
	fs, known := fileSystems[int64(uint32(st.Type))]
	if !known {
		fs.name = fmt.Sprintf("a file system of type %#x", uint32(st.Type))
	}
	free := int64(st.Bavail) * int64(st.Bsize)
	switch {
	case free < noRoom:
		d.fail("cache", "make room: `devenv cache gc`; or set DEVENV_CACHE_DIR to a bigger disk", "%s on %s has %s free", c.Dir(), fs.name, cache.Size(free))
	case free < littleRoom:
		d.warn("cache", "make room: `devenv cache gc`; or set DEVENV_CACHE_DIR to a bigger disk", "%s on %s has %s free, which a large environment needs more than", c.Dir(), fs.name, cache.Size(free))
	case fs.remote:
		d.warn("cache", "a local disk is faster: DEVENV_CACHE_DIR", "%s lies on %s, %s free", c.Dir(), fs.name, cache.Size(free))
	default:
		d.ok("cache", "%s on %s, %s free", c.Dir(), fs.name, cache.Size(free))
	}
	var noexec *native.NoExecError
	if err := native.CheckExec(c.Dir()); errors.As(err, &noexec) {
		text, hint, _ := strings.Cut(noexec.Error(), "\nhint: ")
		d.fail("cache exec", hint, "%s", text)
	} else {
		d.ok("cache exec", "programs can be executed from it")
	}
	d.cacheFiles(c)
	return c
}

// cacheFiles tries what the cache does with files.
func (d *doctor) cacheFiles(c *cache.Cache) {
	elsewhere := "set DEVENV_CACHE_DIR to a directory on a local disk"
	tmp, release, err := c.Temp("doctor")
	if err != nil {
		d.fail("cache files", elsewhere, "%v", err)
		return
	}
	defer release()
	a, b, link := filepath.Join(tmp, "a"), filepath.Join(tmp, "b"), filepath.Join(tmp, "link")
	if err := os.WriteFile(a, []byte("a"), 0o644); err != nil {
		d.fail("cache files", elsewhere, "%v", err)
		return
	}
	if err := os.Link(a, b); err != nil {
		d.fail("cache files", elsewhere, "no hard links: %v", err)
		return
	}
	if err := os.Symlink("a", link); err != nil {
		d.fail("cache files", elsewhere, "no symbolic links: %v", err)
		return
	}
	if _, err := os.Lstat(filepath.Join(tmp, "A")); err == nil {
		d.fail("cache files", elsewhere, "upper and lower case are the same in %s", c.Dir())
		return
	}
	if err := tryLocks(a); err != nil {
		d.fail("cache files", elsewhere, "%v", err)
		return
	}
	d.ok("cache files", "hard links, symbolic links and locks work")
}

// tryLocks finds out whether a lock keeps a second one away.
func tryLocks(path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	first, err := cache.Acquire(ctx, path, cache.Exclusive, nil)
	if err != nil {
		return err
	}
	defer first.Close()
	second, err := os.Open(path)
	if err != nil {
		return err
	}
	defer second.Close()
	if err := unix.Flock(int(second.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != unix.EWOULDBLOCK {
		return fmt.Errorf("flock(2) does not lock: a second lock got %v", err)
	}
	return nil
}
