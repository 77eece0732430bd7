package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Cache is an open cache directory. It holds no descriptor and no lock of its
// own, and is safe for concurrent use.
type Cache struct {
	dir string

	// Waiting, where set, is told once when a lock has been waited for longer
	// than a second: which lock, and the process that holds it (0: not known).
	// Set it before the first use.
	Waiting func(lock string, holder int)
}

// Dir says where the cache is: $DEVENV_CACHE_DIR, else $XDG_CACHE_HOME/devenv,
// else ~/.cache/devenv. A relative $XDG_CACHE_HOME is ignored, as its
// specification asks. The answer is absolute, or empty where not even a home
// directory is known, which [Open] refuses with a remedy.
func Dir(getenv func(string) string) string {
	if dir := getenv("DEVENV_CACHE_DIR"); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return ""
		}
		return abs
	}
	if dir := getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "devenv")
	}
	home := getenv("HOME")
	if !filepath.IsAbs(home) {
		if me, err := user.Current(); err == nil {
			home = me.HomeDir
		}
	}
	if !filepath.IsAbs(home) {
		return ""
	}
	return filepath.Join(home, ".cache", "devenv")
}

// Open makes the cache at dir, or checks the one that is there: whose it is,
// that nobody else may write to it, and that it is in a format this devenv
// knows. A directory that holds something else is refused, so that a slip in
// $DEVENV_CACHE_DIR never ends in gc deleting somebody's files.
func Open(dir string) (*Cache, error) {
	if dir == "" {
		return nil, errors.New("no place for the cache: neither DEVENV_CACHE_DIR nor HOME is set; set DEVENV_CACHE_DIR to a directory of your own")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cache %s: %w", dir, err)
	}
	real, err := prepare(abs)
	if err != nil {
		return nil, err
	}
	c := &Cache{dir: real}
	if err := c.checkFormat(); err != nil {
		return nil, err
	}
	return c, nil
}

// prepare makes dir where it is missing and returns its name with every
// symbolic link resolved: users do link their cache to a bigger disk.
func prepare(dir string) (string, error) {
	if err := checkLink(dir); err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDir(dir); err != nil {
			return "", err
		}
		real, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", fmt.Errorf("cache %s: %w", dir, err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", fmt.Errorf("cache %s: %w", dir, err)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("cache %s is not a directory: move it away, or set DEVENV_CACHE_DIR to a directory of your own", dir)
	}
	if owner := ownerOf(info); owner != os.Geteuid() {
		return "", &OwnerError{Dir: real, Owner: owner}
	}
	if info.Mode()&0o022 != 0 {
		return "", fmt.Errorf("cache %s can be written to by other users (mode %#o), who would then decide what you run: chmod go-w %[1]s", real, info.Mode().Perm())
	}
	return real, nil
}

// checkLink refuses a symbolic link that another user (but root) put in the
// cache's place: it would choose the directory for us.
func checkLink(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return nil // missing or not a link: the caller looks for itself
	}
	if owner := ownerOf(info); owner != os.Geteuid() && owner != 0 {
		return &OwnerError{Dir: dir, Owner: owner}
	}
	return nil
}

// makeDir makes dir and what is missing above it, with mode 0700.
func makeDir(dir string) error {
	if err := checkSudo(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the cache: %w; set DEVENV_CACHE_DIR to a directory of your own", explain(err, dir))
	}
	return nil
}

// checkSudo keeps "sudo devenv" with the user's HOME from leaving a directory
// of root's in that home, where it would lock the user out of their own cache.
func checkSudo(dir string) error {
	invoker, err := strconv.Atoi(os.Getenv("SUDO_UID"))
	if err != nil || invoker == 0 || os.Geteuid() != 0 {
		return nil
	}
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		if info, err := os.Stat(parent); err == nil {
			if ownerOf(info) == invoker {
				return &OwnerError{Dir: dir, Owner: invoker}
			}
			return nil
		}
		if parent == filepath.Dir(parent) {
			return nil
		}
	}
}

// OwnerError says that a cache belongs, or would belong, to another user.
type OwnerError struct {
	Dir   string
	Owner int // user id
}

func (e *OwnerError) Error() string {
	return fmt.Sprintf("cache %s belongs to %s, and you are %s: a cache is never shared between users; set DEVENV_CACHE_DIR to a directory of your own (with sudo: sudo -H, or DEVENV_CACHE_DIR=/root/.cache/devenv)",
		e.Dir, userName(e.Owner), userName(os.Geteuid()))
}

func userName(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return u.Username + " (uid " + id + ")"
	}
	return "uid " + id
}

func ownerOf(info fs.FileInfo) int {
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

// waitNotice is how long a lock is waited for in silence.
const waitNotice = time.Second
