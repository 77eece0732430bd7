package setup

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Inside is what this program does when it was started as [Command]: args are
// the arguments after it.
func Inside(args []string) error {
	var j job
	if len(args) != 1 {
		return errors.New(Command + " is started by devenv itself")
	}
	if err := json.NewDecoder(os.Stdin).Decode(&j); err != nil {
		return fmt.Errorf("%s is started by devenv itself: %w", Command, err)
	}
	unix.Umask(0o022)
	if err := os.Chdir(j.Cache); err != nil {
		return err
	}
	switch args[0] {
	case roleSteps:
		return newSandbox(&j).work()
	case roleCopy:
		return copyTree(&j)
	case roleFinish:
		return finish(&j)
	}
	return fmt.Errorf("%s %s: no such role", Command, args[0])
}

// sandbox is the first process of the namespaces that steps run in.
type sandbox struct {
	*job
	out       *json.Encoder
	freshProc bool // /proc shows this pid namespace
	pretender *pretender
}

func newSandbox(j *job) *sandbox { return &sandbox{job: j, out: json.NewEncoder(os.Stdout)} }

func (s *sandbox) say(m message) {
	if err := s.out.Encode(m); err != nil {
		os.Exit(1) // nobody listens any more
	}
}

// work makes the sandbox, runs the steps and says how it ended.
func (s *sandbox) work() error {
	if m := s.enter(); m != nil {
		s.say(*m)
		return nil
	}
	err := s.writeFiles()
	aborted := false
	if err == nil {
		aborted, err = s.runSteps()
	}
	switch {
	case err != nil:
		s.say(message{Error: err.Error()})
	case aborted:
		s.say(message{Abort: true})
	default:
		s.say(message{Done: true})
	}
	return nil
}

// enter makes the environment's root the root. The order: mounts first, since
// they need the host's names; then the new root, and the old one is let go;
// what else is given up is given up by the thread that starts the steps.
func (s *sandbox) enter() *message {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return &message{Refused: "making mounts private: " + err.Error()}
	}
	root := filepath.Join(s.Work, "root")
	if s.Copy {
		if err := unix.Mount(root, root, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return &message{Refused: "mounting: " + err.Error()}
		}
		if err := unix.Mount("", root, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_NODEV|unix.MS_NOSUID, ""); err != nil {
			return &message{Refused: "mounting: " + err.Error()}
		}
	} else if err := s.mountOverlay(root); err != nil {
		return &message{NoOverlay: err.Error()}
	}
	if err := s.populate(root); err != nil {
		return &message{Error: "making the sandbox: " + err.Error()}
	}
	if err := s.pivot(root); err != nil {
		return &message{Error: "entering the sandbox: " + err.Error()}
	}
	return nil
}

// mountOverlay mounts the tree and what lies over it, to be written to in upper.
// The overlay is volatile: else its end would wait until all that the disk has
// still to write was written, where nobody waits for the layer itself. Before
// Linux 5.10 there is no such option.
func (s *sandbox) mountOverlay(root string) error {
	options := fmt.Sprintf("lowerdir=%s:%s/base,upperdir=%[2]s/upper,workdir=%[2]s/work,userxattr", strings.Join(s.Lower, ":"), s.Work)
	const flags = unix.MS_NODEV | unix.MS_NOSUID
	err := unix.Mount("overlay", root, "overlay", flags, options+",volatile")
	if err == unix.EINVAL {
		err = unix.Mount("overlay", root, "overlay", flags, options)
	}
	return err
}

// devices are those that scriptlets may use.
var devices = []string{"null", "zero", "full", "random", "urandom"}

// populate mounts what is not the environment's: all of it empty or harmless.
func (s *sandbox) populate(root string) error {
	const safe = unix.MS_NOSUID | unix.MS_NODEV
	for _, m := range []struct{ dir, options string }{{"dev", "mode=755"}, {"tmp", "mode=1777"}, {"run", "mode=755"}, {"sys", "mode=555"}} {
		at := filepath.Join(root, m.dir)
		if s.Copy {
			if err := os.MkdirAll(at, 0o755); err != nil {
				return err
			}
		}
		flags := uintptr(safe)
		if m.dir != "tmp" {
			flags |= unix.MS_NOEXEC
		}
		if err := unix.Mount("tmpfs", at, "tmpfs", flags, m.options); err != nil {
			return fmt.Errorf("mounting /%s: %w", m.dir, err)
		}
	}
	for _, name := range devices {
		at := filepath.Join(root, "dev", name)
		if err := os.WriteFile(at, nil, 0o666); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+name, at, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting /dev/%s: %w", name, err)
		}
	}
	for _, l := range [][2]string{{"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}} {
		if err := os.Symlink(l[0], filepath.Join(root, "dev", l[1])); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(root, "dev/shm"), 0o1777); err != nil {
		return err
	}
	if err := s.mountProc(filepath.Join(root, "proc")); err != nil {
		return err
	}
	return s.shadow(root)
}

// mountProc mounts a /proc that cannot be written to, since real root could
// change the host's settings in it. Where the host's is masked, as in
// containers, the kernel refuses a new one and the host's is shown.
func (s *sandbox) mountProc(at string) error {
	if s.Copy {
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RDONLY
	if err := unix.Mount("proc", at, "proc", flags, ""); err == nil {
		s.freshProc = true
		return nil
	}
	if err := unix.Mount("/proc", at, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	if err := unix.Mount("", at, "", unix.MS_BIND|unix.MS_REMOUNT|flags, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	return nil
}

// shadow puts true(1) over the commands that make no sense in a shell, so that
// scriptlets which call one go on; and false(1) over pacman-key, which they ask
// whether there is a keyring to fill. A link may lead to something useful
// (busybox), so only files are covered.
func (s *sandbox) shadow(root string) error {
	isFile := func(at string) bool {
		info, err := os.Lstat(at)
		return err == nil && info.Mode().IsRegular()
	}
	for _, name := range pointlessCommands {
		instead, at := filepath.Join(root, "usr/bin/true"), filepath.Join(root, "usr/bin", name)
		if name == "pacman-key" {
			instead = filepath.Join(root, "usr/bin/false")
		}
		if !isFile(instead) || !isFile(at) {
			continue
		}
		if err := unix.Mount(instead, at, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting over /usr/bin/%s: %w", name, err)
		}
	}
	return nil
}

func (s *sandbox) pivot(root string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return os.NewSyscallError("pivot_root", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return os.NewSyscallError("umount", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	unix.Sethostname([]byte("localhost")) // only for those who ask
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	// No step may look into this process, which has more privileges.
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}

// writeFiles puts the configured files in. Links are followed as inside, since
// this is inside; what is there is replaced, not written to.
func (s *sandbox) writeFiles() error {
	for _, f := range s.Files {
		if err := os.MkdirAll(path.Dir(f.Target), 0o755); err != nil {
			return fmt.Errorf("configured file %s: %w", f.Target, err)
		}
		if info, err := os.Lstat(f.Target); err == nil && info.IsDir() {
			return fmt.Errorf("configured file %s: a package has a directory there: name another path in `files`", f.Target)
		}
		tmp := f.Target + ".devenv-new"
		err := os.WriteFile(tmp, f.Data, f.Mode)
		if err == nil {
			err = os.Chmod(tmp, f.Mode)
		}
		if err == nil {
			err = os.Rename(tmp, f.Target)
		}
		if err != nil {
			return fmt.Errorf("configured file %s: %w", f.Target, err)
		}
	}
	return nil
}
