package sandbox

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"devenv/env/sandbox/entry"
)

// Spec is what an entry is made from. Paths are absolute and real (no link in
// them) unless said otherwise.
type Spec struct {
	Cache   string   // the cache's directory
	Lower   []string // directories that make up the environment, topmost first, relative to Cache
	Hold    []string // files whose shared lock keeps gc away from them, see cache.HoldPath; at most entry.Held
	Project string   // the directory with devenv.toml
	Also    []string // what belongs to it and lies elsewhere, as its git directory may; absolute
	Name    string   // what prompts show

	Env    map[string]string // variables to set, references already resolved
	Once   []string          // "NAME=VALUE": further ones, for Shell alone; they are Unset otherwise
	Unset  []string          // further variables that do not pass
	Pure   bool              // only a short list of the host's variables passes
	Path   []string          // PATH inside
	Shell  []string          // argument vector of enter
	Tasks  []string          // names that run takes as tasks
	Depend []Check           // what the plan was made from
	Want   []string          // variables it was made from, as Plan.EnvWant

	KeepProcesses   bool // no pid namespace: what runs in the background stays
	NoNetwork       bool // a network namespace with nothing in it
	ReadOnlyProject bool

	// HostRoot makes the host's root readable at /run/host even where the host
	// has no such directory: /run is then in memory, and what the host's holds
	// is bound into it. A plan with it is for this time only.
	HostRoot bool

	Home       HomeMode
	Keep       []string // with another home than the host's: what stays the host's own; absolute
	PrivateTmp bool     // /tmp is in memory and goes with the entry
	Top        string   // where what is written lives if it cannot live in memory: an empty directory
}

// HomeMode says which home directory the environment sees.
type HomeMode string

// The home modes.
const (
	HomeHost      HomeMode = "host"      // the host's own
	HomeEphemeral HomeMode = "ephemeral" // a copy-on-write view of it that goes with the entry
	HomeEmpty     HomeMode = "empty"     // an empty one that goes with the entry
)

// NeedsTop reports whether entries on this host need a Spec.Top.
func (h *Host) NeedsTop() bool { return h.Overlay && !h.TmpfsXattr && !h.Privileged }

// RefusedError says that the kernel allows no namespace.
type RefusedError struct{ Errno unix.Errno }

func (e *RefusedError) Error() string {
	return "this host refuses the namespaces that an entry needs: " + e.Errno.Error()
}
func (e *RefusedError) Unwrap() error { return e.Errno }

// Build makes the plan of an entry on this host.
func Build(s Spec, h *Host) (*Plan, error) {
	if h.Refused != 0 {
		return nil, &RefusedError{Errno: h.Refused}
	}
	p := &Plan{UID: h.UID, GID: h.GID, Project: s.Project, Node: h.Node, Tasks: s.Tasks, Path: s.Path, Shell: s.Shell, EnvOnce: s.Once,
		PidNS: !s.KeepProcesses && h.FreshProc, UserNS: !h.Privileged, After: s.Top != "", EnvWant: append(slices.Clone(s.Want), h.Want...)}
	p.Checks = append(slices.Clone(s.Depend), h.Checks...)
	p.Terms, p.TermEnv = h.Terms, h.TermEnv
	p.environ(s, h)
	base, err := scratch(s, h)
	if err != nil {
		return nil, err
	}
	if len(s.Hold) > entry.Held {
		return nil, fmt.Errorf("an entry can hold %d locks, not %d", entry.Held, len(s.Hold))
	}
	p.hold(s)
	p.namespaces(s, h)
	c := list{ops: p.Command}
	showsRoot, privateRun := s.showsRoot(h)
	if showsRoot {
		c.takeRoot()
	}
	if h.Overlay {
		c.root(s, h, base)
	} else if err := c.plainRoot(s, base); err != nil {
		return nil, err
	}
	if privateRun {
		if err := c.privateRun(); err != nil {
			return nil, err
		}
	}
	c.host(h, p.PidNS, privateRun)
	if showsRoot {
		c.attach("the host's root has its place", rootSlot, rootPath[1:])
	}
	c.private(s, h)
	if s.PrivateTmp || s.Home != "" && s.Home != HomeHost {
		p.EnvWant = append(p.EnvWant, h.LiveWant...)
	}
	c.cover(s, h)
	c.leave(h)
	p.Command = c.ops
	return p, nil
}

// scratch is the host directory that the new root is built upon. It is hidden
// by that, so nothing that is still to be mounted may lie in it, and it must
// exist everywhere: /usr, which the environment replaces anyway.
func scratch(s Spec, h *Host) (string, error) {
	sources := append([]string{s.Cache, s.Project, s.Top}, h.Extra...)
	for _, d := range []string{"/usr", "/var", "/etc", "/opt"} {
		free := slices.Contains(h.Own, strings.TrimPrefix(d, "/"))
		for _, src := range sources {
			free = free && !within(src, d)
		}
		for _, f := range h.Files {
			free = free && !within(f.Source, d)
		}
		if free {
			return d, nil
		}
	}
	return "", fmt.Errorf("no directory of the host is free to build the root upon: the cache %s and the project %s lie in /usr, /var, /etc and /opt: move the cache with DEVENV_CACHE_DIR", s.Cache, s.Project)
}

// HeldFrom is the lowest descriptor of a lock that a command inherits: shells,
// and people in shells, use lower ones, and the example of flock(1) is 200.
const HeldFrom = 100

// hold takes a shared lock on each layer of the environment, so that gc leaves
// them alone while one is inside. If gc was faster the plan is stale. The locks
// are the waiting process's; where there is none, the command inherits them,
// with numbers that no program counts on.
func (p *Plan) hold(s Spec) {
	var a list
	why := "keep the cache's gc away"
	for i, file := range s.Hold {
		n := entry.Slots - entry.Held + i + 1
		open := a.call(why, "openat", unix.SYS_OPENAT, atFdcwd, str(file), flags(unix.O_RDONLY|unix.O_CLOEXEC, "O_RDONLY|O_CLOEXEC"))
		open.Save, open.Cold = n, true
		if !p.PidNS {
			high := a.call("", "fcntl", unix.SYS_FCNTL, slot(n), flags(unix.F_DUPFD, "F_DUPFD"), num(HeldFrom))
			high.Save, high.Ignore = n, true
		}
		a.call("", "flock", unix.SYS_FLOCK, slot(n), flags(unix.LOCK_SH|unix.LOCK_NB, "LOCK_SH|LOCK_NB")).Cold = true
		why = ""
	}
	p.Prepare = a.ops
}

// namespaces: the process that was started makes the user namespace and maps
// its one id, because only a process with one thread may; and says that its
// children are born into a new pid namespace. The mount namespace is the
// command's own, so that the waiting process keeps the host's.
func (p *Plan) namespaces(s Spec, h *Host) {
	a := list{ops: p.Prepare}
	flagsOf := func(names ...string) (n uint64, show string) {
		for _, name := range names {
			n |= map[string]uint64{"CLONE_NEWUSER": unix.CLONE_NEWUSER, "CLONE_NEWPID": unix.CLONE_NEWPID, "CLONE_NEWNET": unix.CLONE_NEWNET}[name]
		}
		return n, strings.Join(names, "|")
	}
	var names []string
	if p.UserNS {
		names = append(names, "CLONE_NEWUSER")
	}
	if p.PidNS {
		names = append(names, "CLONE_NEWPID")
	}
	if s.NoNetwork {
		names = append(names, "CLONE_NEWNET")
	}
	if len(names) > 0 {
		n, show := flagsOf(names...)
		a.call("namespaces of one's own", "unshare", unix.SYS_UNSHARE, flags(n, show))
	}
	if p.UserNS {
		a.write("one mapped id each, oneself", "/proc/self/setgroups", "deny")
		a.write("", "/proc/self/uid_map", fmt.Sprintf("%d %d 1", h.UID, h.UID))
		a.write("", "/proc/self/gid_map", fmt.Sprintf("%d %d 1", h.GID, h.GID))
	}
	p.Prepare = a.ops

	var c list
	c.call("mounts that nobody else sees", "unshare", unix.SYS_UNSHARE, flags(unix.CLONE_NEWNS, "CLONE_NEWNS"))
	if h.Privileged {
		c.mount("and that do not go back to the host; what the host mounts later still comes in", "", "/", "", unix.MS_REC|unix.MS_SLAVE, "")
	}
	p.Command = c.ops
}

// root makes the new root: an overlay whose upper directory is in memory.
func (l *list) root(s Spec, h *Host, base string) {
	top := base
	if s.Top != "" {
		top = s.Top
		l.mkdir("what is written to the environment lives in a directory of the cache", top+"/upper", 0o755)
	} else {
		l.mount("what is written to the environment lives in memory", "tmpfs", base, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755")
		l.mkdir("", top+"/upper", 0o755)
	}
	l.mkdir("", top+"/work", 0o755)
	l.chdir("relative names keep the options of mount(2) below one page", s.Cache)
	options := "lowerdir=" + strings.Join(s.Lower, ":") + ",upperdir=" + escape(top) + "/upper,workdir=" + escape(top) + "/work"
	if !h.Privileged {
		options += ",userxattr"
	}
	l.mount("the environment: host layer, set-up layer, flattened tree", "overlay", base, "overlay", unix.MS_NODEV, options)
	l.chdir("", base)
}

// host brings in what stays the host's own.
func (l *list) host(h *Host, pidNS, privateRun bool) {
	why := "every top-level directory that is not the environment's is the host's"
	for _, d := range h.Shared {
		if d == "proc" && pidNS || d == "run" && privateRun {
			continue
		}
		l.bind(why, "/"+d, d)
		why = ""
	}
	if pidNS {
		l.mount("the processes of the new pid namespace", "proc", "proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	}
	why = "home and project, where they lie elsewhere"
	for _, d := range h.Extra {
		l.bind(why, d, strings.TrimPrefix(d, "/"))
		why = ""
	}
	why = "files of the host that change while one is inside"
	for _, f := range h.Files {
		l.bind(why, f.Source, strings.TrimPrefix(f.Target, "/")).Ignore = true
		why = ""
	}
}

// cover makes read-only what must not be written from inside.
func (l *list) cover(s Spec, h *Host) {
	if h.visible(s.Cache) {
		l.readonly("the cache cannot be written from inside", s.Cache, strings.TrimPrefix(s.Cache, "/"))
	}
	if s.ReadOnlyProject {
		l.readonly("the project is only read", s.Project, strings.TrimPrefix(s.Project, "/"))
	}
}

// leave makes the new root the root, lets go of the old one, returns to the
// working directory, and gives up every privilege: no_new_privs first, so that
// no program that is executed can win one back, then the bounding set, which
// needs CAP_SETPCAP, and last the capabilities themselves.
func (l *list) leave(h *Host) {
	l.call("the new root; the old one is put on top of it", "pivot_root", unix.SYS_PIVOT_ROOT, str("."), str("."))
	l.call("and let go", "umount2", unix.SYS_UMOUNT2, str("."), flags(unix.MNT_DETACH, "MNT_DETACH"))
	l.call("back to where one was", "chdir", unix.SYS_CHDIR, Arg{Cwd: true})
	if h.Privileged {
		return
	}
	l.call("no program gains a privilege from now on", "prctl", unix.SYS_PRCTL, flags(unix.PR_SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS"), num(1), num(0), num(0), num(0))
	why := "no capability is left"
	for c := 0; c <= h.LastCap; c++ {
		l.call(why, "prctl", unix.SYS_PRCTL, flags(unix.PR_CAPBSET_DROP, "PR_CAPBSET_DROP"), num(c), num(0), num(0), num(0))
		why = ""
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	l.call("", "capset", unix.SYS_CAPSET,
		Arg{Data: slices.Clone(unsafe.Slice((*byte)(unsafe.Pointer(&head)), unsafe.Sizeof(head))), Show: "{_LINUX_CAPABILITY_VERSION_3, 0}"},
		Arg{Data: make([]byte, unsafe.Sizeof(none)), Show: "{none}"})
}

// within reports whether path is dir or lies below it.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(filepath.Clean(dir), "/")+"/")
}
