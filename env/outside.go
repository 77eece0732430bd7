package env

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"devenv/cache"
	"devenv/env/lock"
	"devenv/env/native"
	"devenv/env/sandbox"
	"devenv/shellhooks"
)

// Outside is tools that are used on the host as it is, without entering
// anything. gc leaves them alone until Release.
type Outside struct {
	Dir  string            // of their launchers
	Vars map[string]string // to set; in PATH the directories that go before the user's own

	cache   *cache.Cache
	held    *Built
	session shellhooks.Session // but for Etc
	shell   []string           // command of [shell], if there is one
}

// Release lets gc have what the tools are made of, once no record names it.
func (o *Outside) Release() { o.held.Release() }

// Outside makes a project's tools usable without entering it. Commands that
// cannot run on the host as it is run through enter, which is devenv's own path
// and arguments; where there is none they say so.
func (p *Project) Outside(ctx context.Context, l *lock.Lock, enter []string) (_ *Outside, err error) {
	if err := native.CheckExec(p.Cache.Dir()); err != nil {
		return nil, err
	}
	p.outside = true
	b, err := p.build(ctx, l, true)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.Release()
		}
	}()
	asked := p.commands(l)
	if len(asked) == 0 {
		return nil, fmt.Errorf("%s: no package to put on PATH\nhint: name some in [packages]", p.Path)
	}
	id, err := p.launchers(b, l, launching{asked: asked, enter: enter})
	if err != nil {
		return nil, err
	}
	b.path = []string{filepath.Join(p.Cache.Launcher(id), native.Bin)}
	o := &Outside{Dir: p.Cache.Launcher(id), Vars: p.variables(b), cache: p.Cache, held: b, shell: p.Manifest.Shell.Command}
	if o.Vars["PATH"] == "" {
		o.Vars["PATH"] = b.path[0]
	}
	for name, value := range map[string]string{"DEVENV_NAME": p.name(), "DEVENV_PROJECT": p.Dir} {
		if _, ok := o.Vars[name]; !ok {
			o.Vars[name] = value
		}
	}
	o.session = p.told(b)
	o.session.Path, o.session.Native = filepath.SplitList(o.Vars["PATH"]), true
	b.uses.Launchers = []string{id}
	return o, p.Cache.RecordUse("outside "+p.Path, b.uses)
}

// commands are what is to be on PATH: that of the packages that devenv.toml
// names, for each package those that it exposes, nil for all.
func (p *Project) commands(l *lock.Lock) map[string][]string {
	asked := map[string][]string{}
	for _, pkg := range l.Whole(p.Host) {
		for _, m := range p.Packages {
			if !meets(l, pkg, m.Name) {
				continue
			}
			asked[pkg.Name] = nil
			if m.ExposeSet {
				asked[pkg.Name] = names(m.Expose)
			}
		}
	}
	return asked
}

// meets reports whether a locked package is what a key of [packages] asks for:
// by its name, or as a member of a group or the provider of a virtual name, which
// is then no locked package of its own.
func meets(l *lock.Lock, pkg lock.Package, key string) bool {
	if pkg.Name == key {
		return true
	}
	return slices.Contains(pkg.By, key) && !slices.ContainsFunc(l.Packages, func(o lock.Package) bool { return o.Name == key })
}

// ErrNoShell says that the host has no shell to start.
var ErrNoShell = errors.New("this host has no shell: neither $SHELL nor bash nor sh")

// Shell says how an interactive shell is started with the tools: the one of
// devenv.toml, else the user's own, else one that the host has. What it reads is
// held like the rest.
func (o *Outside) Shell(getenv func(string) string) (shellhooks.Start, error) {
	words, file := o.shell, ""
	if len(words) > 0 {
		if file = o.findShell(words[0]); file == "" {
			return shellhooks.Start{}, fmt.Errorf("the shell of [shell] command, %s, is neither a tool of the project that runs on the host as it is, nor the host's", words[0])
		}
	} else {
		for _, name := range []string{getenv("SHELL"), "bash", "sh"} {
			if path, err := exec.LookPath(name); err == nil && filepath.IsAbs(path) {
				file, words = path, []string{path}
				break
			}
		}
	}
	if file == "" {
		return shellhooks.Start{}, ErrNoShell
	}
	s := o.session
	for _, name := range shellhooks.Personal {
		if v := getenv(name); v != "" {
			s.User = append(s.User, shellhooks.KV{Key: name, Value: v})
		}
	}
	var err error
	if s.Etc, err = o.shellFiles(s); err != nil {
		return shellhooks.Start{}, err
	}
	start := shellhooks.Enter(file, s)
	start.Argv = append(start.Argv, words[1:]...)
	if _, ok := o.Vars["DEVENV_NAME"]; !ok {
		start.Env = append(start.Env, shellhooks.KV{Key: "DEVENV_NAME", Value: s.Name})
	}
	return start, nil
}

// findShell is a shell of that name among the tools, if it can run so, else
// among the host's.
func (o *Outside) findShell(name string) string {
	if at := filepath.Join(o.Dir, native.Bin, name); filepath.Base(name) == name {
		if info, err := os.Lstat(at); err == nil && info.Mode()&os.ModeSymlink != 0 { // what cannot run natively is no link
			return at
		}
	}
	if at, err := exec.LookPath(name); err == nil && filepath.IsAbs(at) {
		return at
	}
	return ""
}

// shellFiles makes what shells read, or finds it, and gives the directory. It is
// named by what is in it, and no record names it: once nobody holds it gc may
// have it.
func (o *Outside) shellFiles(s shellhooks.Session) (etc string, err error) {
	s.User = nil // passes in variables
	text, err := json.Marshal(shellhooks.Enter("/bin/sh", s).Files)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	id := "shell-" + hex.EncodeToString(sum[:12])
	if err := o.held.keep(o.cache, cache.Launchers, id); err != nil {
		return "", err
	}
	final := o.cache.Launcher(id)
	s.Etc = filepath.Join(final, "etc")
	if _, err := os.Stat(final); err == nil {
		return s.Etc, nil
	}
	tmp, release, err := o.cache.Temp("shell")
	if err != nil {
		return "", err
	}
	defer release()
	made := filepath.Join(tmp, "made")
	for _, f := range shellhooks.Enter("/bin/sh", s).Files {
		path := filepath.Join(made, "etc", f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return "", cache.Explain(err, final, 0)
		}
	}
	_, err = o.cache.Publish(made, final)
	return s.Etc, err
}

// PassOn keeps gc away for as long as the program lives that this process
// executes next, and whatever inherits from it: it opens and locks the same
// files once more, in descriptors from [sandbox.HeldFrom] on that stay open
// across execve(2). A program that closes what it did not open takes nothing from its caller.
func (o *Outside) PassOn() error {
	files := slices.Sorted(slices.Values(o.held.hold))
	for _, file := range slices.Compact(files) {
		if err := passLock(file); err != nil {
			return fmt.Errorf("keeping gc away from what runs: %s: %w", file, err)
		}
	}
	return nil
}

func passLock(file string) error {
	fd, err := unix.Open(file, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB)
	}
	if err != nil {
		return err
	}
	_, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD, sandbox.HeldFrom)
	if err == unix.EINVAL { // no process may have as many
		_, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD, 10)
	}
	return err
}
