package sandbox

import (
	"fmt"
	"io"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// list collects the system calls of a plan.
type list struct{ ops []Op }

func num(n int) Arg { return Arg{Num: uint64(int64(n))} }
func flags(n uint64, show string) Arg {
	return Arg{Num: n, Show: show}
}
func str(s string) Arg { return Arg{Data: append([]byte(s), 0)} }
func slot(n int) Arg   { return Arg{Slot: n} }

var null = Arg{Show: "NULL"}
var atFdcwd = flags(^uint64(99), "AT_FDCWD")

func (l *list) call(why, name string, nr uintptr, args ...Arg) *Op {
	l.ops = append(l.ops, Op{Name: name, Nr: nr, Args: args, Why: why})
	return &l.ops[len(l.ops)-1]
}

// write writes a string to a file. The descriptor is left to close-on-exec.
func (l *list) write(why, file, text string) {
	fd := l.call(why, "openat", unix.SYS_OPENAT, atFdcwd, str(file), flags(unix.O_WRONLY|unix.O_CLOEXEC, "O_WRONLY|O_CLOEXEC"))
	fd.Save = 1
	l.call("", "write", unix.SYS_WRITE, slot(1), str(text), num(len(text)))
}

func (l *list) mkdir(why, path string, mode int) *Op {
	return l.call(why, "mkdirat", unix.SYS_MKDIRAT, atFdcwd, str(path), flags(uint64(mode), fmt.Sprintf("%#o", mode)))
}

// create makes an empty file.
func (l *list) create(why, path string, mode fs.FileMode) *Op {
	return l.call(why, "openat", unix.SYS_OPENAT, atFdcwd, str(path), flags(unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC, "O_WRONLY|O_CREAT|O_CLOEXEC"), flags(uint64(mode), fmt.Sprintf("%#o", mode)))
}

func (l *list) chdir(why, path string) {
	l.call(why, "chdir", unix.SYS_CHDIR, str(path))
}

func (l *list) mount(why, source, target, fstype string, fl uint64, options string) *Op {
	args := []Arg{null, str(target), null, flags(fl, mountFlags(fl)), null}
	if source != "" {
		args[0] = str(source)
	}
	if fstype != "" {
		args[2] = str(fstype)
	}
	if options != "" {
		args[4] = str(options)
	}
	return l.call(why, "mount", unix.SYS_MOUNT, args...)
}

// bind shows a path of the host, with all that is mounted below it.
func (l *list) bind(why, source, target string) *Op {
	return l.mount(why, source, target, "", unix.MS_BIND|unix.MS_REC, "")
}

// readonly shows a path, with all that is mounted below it, for reading only.
// mount_setattr(2) leaves the mount's other flags alone, which a remount in a
// user namespace would have to repeat.
func (l *list) readonly(why, source, target string) {
	const clone = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_RECURSIVE
	l.call(why, "open_tree", unix.SYS_OPEN_TREE, atFdcwd, str(source), flags(clone, "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE")).Save = 2
	l.setattr(2, unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}, "{attr_set=MOUNT_ATTR_RDONLY}")
	l.attach("", 2, target)
}

func mountFlags(f uint64) string {
	var names []string
	for _, n := range []struct {
		bit  uint64
		name string
	}{
		{unix.MS_RDONLY, "MS_RDONLY"}, {unix.MS_NOSUID, "MS_NOSUID"}, {unix.MS_NODEV, "MS_NODEV"}, {unix.MS_NOEXEC, "MS_NOEXEC"},
		{unix.MS_REMOUNT, "MS_REMOUNT"}, {unix.MS_BIND, "MS_BIND"}, {unix.MS_REC, "MS_REC"}, {unix.MS_PRIVATE, "MS_PRIVATE"}, {unix.MS_SLAVE, "MS_SLAVE"},
	} {
		if f&n.bit != 0 {
			names = append(names, n.name)
		}
	}
	if len(names) == 0 {
		return "0"
	}
	return strings.Join(names, "|")
}

// Explain prints the plan's system calls in the manner of strace(1), each
// group after the reason for it.
func (p *Plan) Explain(w io.Writer) error {
	section := func(title string, ops []Op) {
		fmt.Fprintf(w, "# %s\n", title)
		for _, o := range ops {
			if o.Why != "" {
				fmt.Fprintf(w, "  # %s\n", o.Why)
			}
			fmt.Fprintf(w, "  %s\n", o)
		}
	}
	section("in the process that was started", p.Prepare)
	if p.PidNS {
		fmt.Fprintf(w, "# then, as pid 1 of the new pid namespace, a process that reaps; and, as the command\n")
	}
	section("in the process that becomes the command", p.Command)
	_, err := fmt.Fprintf(w, "  rt_sigprocmask(SIG_SETMASK, what it was, NULL, 8)\n  execve(the command, looked for in %s)\n", strings.Join(p.Path, ":"))
	return err
}

// String is the call as strace(1) would print it.
func (o Op) String() string {
	args := make([]string, len(o.Args))
	for i, a := range o.Args {
		switch {
		case a.Show != "":
			args[i] = a.Show
		case a.Data != nil:
			args[i] = fmt.Sprintf("%q", strings.TrimSuffix(string(a.Data), "\x00"))
		case a.Slot != 0:
			args[i] = fmt.Sprintf("fd%d", a.Slot)
		case a.Cwd:
			args[i] = "the working directory"
		default:
			args[i] = fmt.Sprint(int64(a.Num))
		}
	}
	s := fmt.Sprintf("%s(%s)", o.Name, strings.Join(args, ", "))
	if o.Save != 0 {
		s += fmt.Sprintf(" = fd%d", o.Save)
	}
	if o.Ignore {
		s += " (may fail)"
	}
	return s
}

// callName is the name of the system calls that a plan can hold.
func callName(nr uintptr) string {
	names := map[uintptr]string{
		unix.SYS_UNSHARE: "unshare", unix.SYS_OPENAT: "openat", unix.SYS_WRITE: "write", unix.SYS_CLOSE: "close",
		unix.SYS_MOUNT: "mount", unix.SYS_CHDIR: "chdir", unix.SYS_MKDIRAT: "mkdirat", unix.SYS_OPEN_TREE: "open_tree",
		unix.SYS_MOUNT_SETATTR: "mount_setattr", unix.SYS_MOVE_MOUNT: "move_mount", unix.SYS_PIVOT_ROOT: "pivot_root",
		unix.SYS_UMOUNT2: "umount2", unix.SYS_PRCTL: "prctl", unix.SYS_CAPSET: "capset", unix.SYS_SYMLINKAT: "symlinkat", unix.SYS_SENDFILE: "sendfile", unix.SYS_FLOCK: "flock", unix.SYS_FCNTL: "fcntl",
	}
	if n, ok := names[nr]; ok {
		return n
	}
	return fmt.Sprintf("system call %d", nr)
}
