package setup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// makeFiles does what systemd-tmpfiles(8) --create does, for an environment
// without it, below the directories that are the environment's. Lines that are
// for the boot, age things or remove them are passed over, as are attributes.
func makeFiles(root string, owners *pretender) error {
	lines, err := confLines(root, "tmpfiles.d")
	if err != nil {
		return err
	}
	m := &fileMaker{root: root, owners: owners, users: &accounts{root: root}}
	if err := m.users.read(); err != nil {
		return err
	}
	var items []tmpfile
	for _, line := range lines {
		if t, ok := parseTmpfile(line); ok {
			items = append(items, t)
		}
	}
	// What lies above comes first, whatever the files' names.
	slices.SortStableFunc(items, func(a, b tmpfile) int { return strings.Compare(a.path, b.path) })
	var errs []error
	for _, t := range items {
		if err := m.make(t); err != nil && !t.lenient {
			errs = append(errs, fmt.Errorf("%s %s: %w", t.kind, t.path, err))
		}
	}
	return errors.Join(errs...)
}

type tmpfile struct {
	kind, path, argument string
	mode                 fs.FileMode
	moded, modedNew      bool // a mode is given; only for what is made now
	user, group          string
	force, lenient       bool
}

// environments are the directories that are the environment's own.
var environments = []string{"/etc/", "/opt/", "/usr/", "/var/"}

func parseTmpfile(line string) (t tmpfile, ok bool) {
	f := confFields(line, 7)
	for len(f) < 7 {
		f = append(f, "-")
	}
	if len(f[0]) == 0 || strings.ContainsRune(f[0], '!') {
		return t, false
	}
	t.kind = f[0][:1]
	t.force, t.lenient = strings.ContainsRune(f[0], '+'), strings.ContainsRune(f[0], '-')
	if t.kind == "F" {
		t.kind, t.force = "f", true
	}
	var okPath, okArgument bool
	t.path, okPath = expand(f[1])
	t.argument, okArgument = expand(given(f[6], "-"))
	if t.argument == "-" {
		t.argument = ""
	}
	if t.kind == "f" || t.kind == "w" {
		t.argument = unescape(t.argument)
	}
	t.path = path.Clean(t.path)
	ours := slices.ContainsFunc(environments, func(d string) bool { return strings.HasPrefix(t.path, d) })
	if !okPath || !okArgument || !ours {
		return t, false
	}
	mode := strings.TrimLeft(f[2], "~:")
	t.modedNew = strings.ContainsRune(f[2], ':')
	if n, err := strconv.ParseUint(mode, 8, 32); err == nil {
		t.moded = true
		t.mode = fs.FileMode(n & 0o777)
		for bit, flag := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
			if n&bit != 0 {
				t.mode |= flag
			}
		}
	}
	t.user, t.group = strings.TrimLeft(f[3], ":"), strings.TrimLeft(f[4], ":")
	return t, true
}

type fileMaker struct {
	root   string
	owners *pretender
	users  *accounts
}

func (m *fileMaker) make(t tmpfile) error {
	at := filepath.Join(m.root, t.path)
	info, err := os.Lstat(at)
	there := err == nil
	made := false
	switch t.kind {
	case "d", "D", "v", "q", "Q":
		if !there {
			made, err = true, os.MkdirAll(at, 0o755)
		} else if !info.IsDir() && info.Mode()&fs.ModeSymlink == 0 {
			return errors.New("something else is there")
		} else {
			err = nil
		}
	case "e", "z", "Z":
		if !there {
			return nil
		}
	case "f":
		if made = !there || t.force; made {
			err = writeNew(at, []byte(t.argument))
		}
	case "w":
		if !there {
			return nil
		}
		return appendOrWrite(at, t)
	case "p":
		if made = !there; made {
			if err = os.MkdirAll(filepath.Dir(at), 0o755); err == nil {
				err = syscall.Mkfifo(at, 0o644)
			}
		}
	case "L":
		return m.link(at, t, there)
	case "C":
		if made = !there || emptyDir(at); made {
			err = m.copy(t, at)
		}
	default:
		return nil
	}
	if err != nil {
		return err
	}
	return m.settle(at, t, made)
}

// settle gives what was made, or was there, its mode and, on paper, its owner.
func (m *fileMaker) settle(at string, t tmpfile, made bool) error {
	uid, gid := m.users.id(t.user, &m.users.passwd), m.users.id(t.group, &m.users.group)
	if uid != -1 || gid != -1 {
		m.owners.owner(t.path, uid, gid)
	}
	if !t.moded || t.modedNew && !made {
		return nil
	}
	if info, err := os.Stat(at); err != nil || info.Mode()&^fs.ModeDir == t.mode {
		return err
	}
	return os.Chmod(at, t.mode)
}

// id is a user's or group's number, -1 if none is given or known.
func (a *accounts) id(name string, f *accountFile) int {
	if n, err := strconv.Atoi(name); err == nil {
		return n
	}
	if l := f.find(name); len(l) > 2 {
		if n, err := strconv.Atoi(l[2]); err == nil {
			return n
		}
	}
	return -1
}

func writeNew(at string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return os.WriteFile(at, data, 0o644)
}

func appendOrWrite(at string, t tmpfile) error {
	flags := os.O_WRONLY | os.O_TRUNC
	if t.force {
		flags = os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(at, flags, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(t.argument)
	return errors.Join(err, f.Close())
}

func (m *fileMaker) link(at string, t tmpfile, there bool) error {
	to := t.argument
	if to == "" {
		to = path.Join("/usr/share/factory", t.path)
	}
	if there && t.force {
		if now, err := os.Readlink(at); err == nil && now == to {
			return nil
		}
		if err := os.RemoveAll(at); err != nil {
			return err
		}
		there = false
	}
	if there {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return os.Symlink(to, at)
}

func emptyDir(at string) bool {
	entries, err := os.ReadDir(at)
	return err == nil && len(entries) == 0
}

// copy copies a file or a directory with all that is in it.
func (m *fileMaker) copy(t tmpfile, at string) error {
	from := t.argument
	if from == "" {
		from = path.Join("/usr/share/factory", t.path)
	}
	from = filepath.Join(m.root, from)
	if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		return copyOne(p, filepath.Join(at, rel))
	})
}

// copyOne copies one entry, a directory without what is in it. Sockets and
// devices are left out.
func copyOne(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		return os.Chmod(to, mode)
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case mode.IsRegular():
		return copyRegular(from, to, mode)
	}
	return nil
}

func copyRegular(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in) // copy_file_range(2), which shares blocks where it can
	return errors.Join(err, out.Chmod(mode), out.Close())
}
