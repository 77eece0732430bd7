package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Host is what an entry must know of the machine and of the user. [Look] finds
// it out; its Checks say when that must be done anew.
type Host struct {
	UID, GID   int
	Home       string // absolute
	Node       string
	Privileged bool // real root with CAP_SYS_ADMIN: no user namespace
	Abilities
	LastCap int

	Shared       []string          // top-level directories that are the host's inside
	Links        map[string]string // top-level links of the host, to their target
	Own          []string          // top-level directories that are the environment's inside and exist on the host
	Extra        []string          // further directories that are the host's inside
	Files        []FileBind        // single files that are the host's inside
	Etc          []EtcFile         // files that the host layer holds
	Self         string            // this program's own file, which is SelfPath inside; "" if that is not known
	Hide         []string          // files of the layers below that it hides, relative to the root
	PlaceForRoot bool              // the host has a directory for its root to be shown at: see rootPath

	Terms, TermEnv []string // as in a Plan

	Live     []string // files that variables name and programs connect to: agents, displays, a jobserver
	LiveWant []string // those variables, as Plan.EnvWant

	Checks []Check
	Want   []string // variables that it was found out with, as Plan.EnvWant
}

// FileBind is a file of the host that is mounted inside.
type FileBind struct{ Source, Target string }

// EtcFile is a file or link of the host layer, below /etc.
type EtcFile struct {
	Name string // relative to /etc
	Data []byte
	Link string // target, for a link
}

// environments are the top-level names that belong to the environment.
var environments = []string{"usr", "etc", "opt", "var", "bin", "sbin", "lib", "lib32", "lib64", "libx32"}

// Look finds out about the host, but for its Abilities. Project and home are
// real paths; exists reports whether a path stands in the environment's tree.
func Look(ctx context.Context, project, home string, exists func(path string) bool) (*Host, error) {
	h := &Host{UID: os.Getuid(), GID: os.Getgid(), Home: home, Links: map[string]string{}}
	h.check("/", "/proc/self/exe", "/etc/passwd", "/etc/group", "/etc/hosts", "/etc/resolv.conf", "/etc/localtime", "/etc/machine-id", "/etc/hostname", rootPath)
	h.PlaceForRoot = hasPlaceForRoot()
	var err error
	if h.Node, err = os.Hostname(); err != nil {
		return nil, fmt.Errorf("finding the host's name: %w", err)
	}
	if err := h.capabilities(); err != nil {
		return nil, err
	}
	if err := h.topLevel(); err != nil {
		return nil, err
	}
	for _, d := range []string{home, project} {
		if d != "" && !h.visible(d) {
			if _, err := os.Stat(d); err == nil {
				h.Extra = append(h.Extra, d)
			}
		}
	}
	h.self()
	h.terminfo(exists)
	h.live()
	return h, h.etc(ctx, exists)
}

// SelfPath is where devenv is inside, so that it can be used there, too.
const SelfPath = "/usr/local/bin/devenv"

func (h *Host) self() {
	file, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	if _, err := os.Stat(file); err != nil {
		return // removed, or replaced by another
	}
	if h.Self = file; !h.visible(file) {
		h.Files = append(h.Files, FileBind{Source: file, Target: SelfPath})
	}
}

func (h *Host) check(paths ...string) {
	for _, p := range paths {
		h.Checks = append(h.Checks, Stat(p))
	}
}

// Stat is the check of a path as it is now.
func Stat(path string) Check {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return Check{Path: path}
	}
	return Check{Path: path, Dev: st.Dev, Ino: st.Ino, Size: uint64(st.Size), Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano()}
}

// capabilities reads proc_pid_status(5).
func (h *Host) capabilities() error {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return fmt.Errorf("finding one's capabilities: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "CapEff:"); ok {
			caps, err := strconv.ParseUint(strings.TrimSpace(v), 16, 64)
			if err != nil {
				return fmt.Errorf("finding one's capabilities: %w", err)
			}
			h.Privileged = h.UID == 0 && caps&(1<<unix.CAP_SYS_ADMIN) != 0
		}
	}
	h.LastCap = unix.CAP_LAST_CAP
	if b, err := os.ReadFile("/proc/sys/kernel/cap_last_cap"); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && n >= 0 && n < 64 {
			h.LastCap = n
		}
	}
	return nil
}

// topLevel sorts the names in the host's root.
func (h *Host) topLevel() error {
	entries, err := os.ReadDir("/")
	if err != nil {
		return fmt.Errorf("listing the host's root: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case slices.Contains(environments, name):
			if e.IsDir() {
				h.Own = append(h.Own, name)
			}
		case name == "lost+found":
		case e.IsDir():
			h.Shared = append(h.Shared, name)
		case e.Type()&fs.ModeSymlink != 0:
			if target, err := os.Readlink("/" + name); err == nil {
				h.Links[name] = target
			}
		}
	}
	return nil
}

// visible reports whether a real path of the host is the same inside.
func (h *Host) visible(path string) bool {
	for _, d := range h.Shared {
		if within(path, "/"+d) {
			return true
		}
	}
	for _, d := range h.Extra {
		if within(path, d) {
			return true
		}
	}
	return false
}

// etc collects the host's own files of /etc.
func (h *Host) etc(ctx context.Context, exists func(string) bool) error {
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the host's users: %w", err)
	}
	group, err := os.ReadFile("/etc/group")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the host's groups: %w", err)
	}
	groups, _ := os.Getgroups()
	h.Etc = append(h.Etc,
		EtcFile{Name: "passwd", Data: h.named(ctx, "passwd", passwd, h.UID)},
		EtcFile{Name: "group", Data: h.named(ctx, "group", group, append([]int{h.GID}, groups...)...)})
	for _, name := range []string{"machine-id", "hostname"} {
		if b, err := os.ReadFile("/etc/" + name); err == nil {
			h.Etc = append(h.Etc, EtcFile{Name: name, Data: b})
		}
	}
	h.localtime(exists)
	for _, name := range []string{"hosts", "resolv.conf"} {
		h.follow(name)
	}
	return nil
}

// localtime keeps the link, which names the time zone, where the environment
// has the file.
func (h *Host) localtime(exists func(string) bool) {
	if target, err := os.Readlink("/etc/localtime"); err == nil {
		abs := target
		if !filepath.IsAbs(abs) {
			abs = filepath.Join("/etc", abs)
		}
		if exists(abs) {
			h.Etc = append(h.Etc, EtcFile{Name: "localtime", Link: target})
			return
		}
	}
	if b, err := os.ReadFile("/etc/localtime"); err == nil {
		h.Etc = append(h.Etc, EtcFile{Name: "localtime", Data: b})
	}
}

// follow makes a file of /etc follow the host while one is inside: as the same
// link where the host has one to a directory that is shared, else as a mount.
func (h *Host) follow(name string) {
	path := "/etc/" + name
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return
	}
	if real != path && h.visible(real) {
		h.Etc = append(h.Etc, EtcFile{Name: name, Link: real})
		return
	}
	h.Etc = append(h.Etc, EtcFile{Name: name, Data: []byte{}})
	h.Files = append(h.Files, FileBind{Source: real, Target: path})
}

// named adds to a passwd(5) or group(5) file the entries of ids that it lacks,
// which the host may resolve by other means: LDAP, SSSD, systemd.
func (h *Host) named(ctx context.Context, database string, file []byte, ids ...int) []byte {
	out := bytes.Clone(file)
	for _, id := range ids {
		if hasID(out, id) {
			continue
		}
		entry := getent(ctx, database, id)
		if entry == "" && database == "passwd" {
			name := os.Getenv("USER")
			if name == "" || strings.ContainsAny(name, ":\n") {
				name = "user" + strconv.Itoa(id)
			}
			entry = fmt.Sprintf("%s:x:%d:%d::%s:/bin/sh", name, id, h.GID, h.Home)
		} else if entry == "" {
			entry = fmt.Sprintf("group%d:x:%d:", id, id)
		}
		if len(out) > 0 && out[len(out)-1] != '\n' {
			out = append(out, '\n')
		}
		out = append(out, entry+"\n"...)
	}
	return out
}

// hasID reports whether a line's third field is id.
func hasID(file []byte, id int) bool {
	want := strconv.Itoa(id)
	for line := range bytes.Lines(file) {
		f := bytes.SplitN(line, []byte(":"), 4)
		if len(f) == 4 && string(f[2]) == want {
			return true
		}
	}
	return false
}

// getent asks the host's own name service, which a static program cannot.
func getent(ctx context.Context, database string, id int) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "getent", database, strconv.Itoa(id)).Output()
	line, _, _ := strings.Cut(string(out), "\n")
	if err != nil || !hasID([]byte(line+"\n"), id) {
		return ""
	}
	return line
}
