package setup

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pretender answers filtered calls and writes down what it pretended.
type pretender struct {
	listener int

	mu    sync.Mutex
	done  map[string]Pretended // by kind, path and name: the last word counts
	notes []string
}

// The kernel's struct seccomp_notif and seccomp_notif_resp.
type notification struct {
	id    uint64
	pid   uint32
	flags uint32
	data  struct {
		nr   int32
		arch uint32
		ip   uint64
		args [6]uint64
	}
}

type response struct {
	id    uint64
	val   int64
	error int32
	flags uint32
}

const flagContinue = 1 // SECCOMP_USER_NOTIF_FLAG_CONTINUE

// listen answers until the process ends.
func (p *pretender) listen() {
	for {
		var n notification
		if err := p.ioctl(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); err != 0 {
			if err == unix.EINTR || err == unix.ENOENT { // the caller was killed meanwhile
				continue
			}
			return
		}
		r := response{id: n.id}
		switch err := p.answer(&n); {
		case err == errContinue:
			r.flags = flagContinue
		case err != nil:
			r.error = -int32(errnoOf(err))
		}
		p.ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
	}
}

func (p *pretender) ioctl(request uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(p.listener), request, uintptr(arg))
	return errno
}

func errnoOf(err error) unix.Errno {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return unix.EIO
}

// errContinue has the kernel make the call after all.
var errContinue = errors.New("continue")

// answer does what can be done, and pretends the rest. A path that is not there
// is the error that it would be.
func (p *pretender) answer(n *notification) error {
	op := opUnknown
	for _, c := range conventions {
		if c.audit == n.data.arch {
			op = c.calls[uint32(n.data.nr)]
		}
	}
	a := n.data.args
	t := target{pid: n.pid}
	cwd := uint64(unix.AT_FDCWD & (1<<32 - 1))
	switch op {
	case opChown:
		return p.chown(t.at(cwd, a[0], true), a[1], a[2])
	case opLchown:
		return p.chown(t.at(cwd, a[0], false), a[1], a[2])
	case opFchown:
		return p.chown(t.fd(a[0]), a[1], a[2])
	case opFchownat:
		if a[4]&unix.AT_EMPTY_PATH != 0 && t.string(a[1]) == "" {
			return p.chown(t.fd(a[0]), a[2], a[3])
		}
		return p.chown(t.at(a[0], a[1], a[4]&unix.AT_SYMLINK_NOFOLLOW == 0), a[2], a[3])
	case opSetxattr:
		return p.setxattr(&t, t.at(cwd, a[0], true), a)
	case opLsetxattr:
		return p.setxattr(&t, t.at(cwd, a[0], false), a)
	case opFsetxattr:
		return p.setxattr(&t, t.fd(a[0]), a)
	case opMknod:
		return p.mknod(t.at(cwd, a[0], false), a[1], a[2])
	case opMknodat:
		return p.mknod(t.at(a[0], a[1], false), a[2], a[3])
	}
	return errContinue
}

// located is a file that a call names.
type located struct {
	path string // as inside
	use  string // a name that leads to it without following further links
	err  error
}

// target reads what a call's arguments point at.
type target struct{ pid uint32 }

func (t *target) proc(name string) string { return fmt.Sprintf("/proc/%d/%s", t.pid, name) }

// string reads a string of the caller's memory, a page at most at a time.
func (t *target) string(addr uint64) string {
	b := t.bytes(addr, unix.PathMax)
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

func (t *target) bytes(addr, size uint64) []byte {
	f, err := os.Open(t.proc("mem"))
	if err != nil {
		return nil
	}
	defer f.Close()
	out := make([]byte, 0, size)
	for uint64(len(out)) < size {
		next := addr + uint64(len(out))
		n := min(size-uint64(len(out)), 4096-next%4096)
		k, err := f.ReadAt(out[len(out):uint64(len(out))+n], int64(next))
		out = out[:len(out)+k]
		if err != nil || bytes.IndexByte(out, 0) >= 0 && size == unix.PathMax {
			break
		}
	}
	return out
}

func (t *target) fd(fd uint64) located {
	name := t.proc(fmt.Sprintf("fd/%d", int32(fd)))
	real, err := os.Readlink(name)
	if err != nil {
		return located{err: unix.EBADF}
	}
	return located{path: real, use: name}
}

func (t *target) at(dirfd, addr uint64, follow bool) located {
	name := t.string(addr)
	if name == "" {
		return located{err: unix.ENOENT}
	}
	if !strings.HasPrefix(name, "/") {
		dir := t.proc("cwd")
		if int32(dirfd) != unix.AT_FDCWD {
			dir = t.proc(fmt.Sprintf("fd/%d", int32(dirfd)))
		}
		real, err := os.Readlink(dir)
		if err != nil {
			return located{err: unix.EBADF}
		}
		name = path.Join(real, name)
	}
	base := name
	if !follow {
		base = path.Dir(strings.TrimRight(name, "/"))
	}
	real, err := filepath.EvalSymlinks(base)
	if err != nil {
		return located{err: err}
	}
	if !follow {
		real = path.Join(real, path.Base(name))
	}
	return located{path: real, use: real}
}

func (p *pretender) chown(f located, uid, gid uint64) error {
	if f.err != nil {
		return f.err
	}
	if strings.HasPrefix(f.use, "/proc/") {
		if _, err := os.Stat(f.use); err != nil {
			return err
		}
	} else if _, err := os.Lstat(f.use); err != nil {
		return err
	}
	p.owner(f.path, int(int32(uid)), int(int32(gid)))
	return nil
}

// owner writes down whose a file would be. -1 leaves what was said before, if
// anything was.
func (p *pretender) owner(name string, uid, gid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := KindOwner + name
	before, ok := p.done[key]
	if !ok {
		before = Pretended{Path: name, Kind: KindOwner, UID: -1, GID: -1}
	}
	if uid != -1 {
		before.UID = uid
	}
	if gid != -1 {
		before.GID = gid
	}
	p.done[key] = before
}

// maxAttribute is XATTR_SIZE_MAX.
const maxAttribute = 64 << 10

// setxattr sets the attributes that say who may do what, which hold ids; those
// that are refused are written down.
func (p *pretender) setxattr(t *target, f located, a [6]uint64) error {
	name := t.string(a[1])
	if !strings.HasPrefix(name, "security.") && !strings.HasPrefix(name, "trusted.") && !strings.HasPrefix(name, "system.posix_acl_") {
		return errContinue
	}
	if f.err != nil {
		return f.err
	}
	value := t.bytes(a[2], min(a[3], maxAttribute))
	var err error
	if strings.HasPrefix(f.use, "/proc/") {
		err = unix.Setxattr(f.use, name, value, int(a[4]))
	} else {
		err = unix.Lsetxattr(f.use, name, value, int(a[4]))
	}
	switch err {
	case unix.EPERM, unix.EINVAL, unix.EOPNOTSUPP:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.done[KindAttribute+f.path+"\x00"+name] = Pretended{Path: f.path, Kind: KindAttribute, UID: -1, GID: -1, Name: name, Value: value}
		return nil
	}
	return err
}

// mknod leaves an empty file in a device's place while steps run, so that what
// they do to it next finds it.
func (p *pretender) mknod(f located, mode, dev uint64) error {
	if f.err != nil {
		return f.err
	}
	file, err := os.OpenFile(f.use, os.O_CREATE|os.O_EXCL, fs.FileMode(mode&0o777))
	if err != nil {
		return err
	}
	file.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[KindDevice+f.path] = Pretended{Path: f.path, Kind: KindDevice, UID: -1, GID: -1, Mode: uint32(mode), Dev: dev}
	return nil
}

// result is what was pretended of files that are still there and are not
// forgotten with the sandbox. Devices' stand-ins go.
func (p *pretender) result() (list []Pretended, notes []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.done {
		info, err := os.Lstat(d.Path)
		if err != nil || slices.ContainsFunc([]string{"/dev/", "/proc/", "/run/", "/sys/", "/tmp/"}, func(dir string) bool { return strings.HasPrefix(d.Path, dir) }) {
			continue
		}
		if d.Kind == KindDevice && info.Mode().IsRegular() && info.Size() == 0 {
			os.Remove(d.Path)
		}
		if d.Kind == KindOwner && d.UID <= 0 && d.GID <= 0 {
			continue // root's: it is
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b Pretended) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return list, p.notes
}
