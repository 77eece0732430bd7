package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Mode is how a file is locked.
type Mode int

const (
	Exclusive Mode = unix.LOCK_EX
	Shared    Mode = unix.LOCK_SH
)

// Lock waits for the lock of that name and takes it for this caller alone.
// It dies with the process; unlock gives it back before.
func (c *Cache) Lock(ctx context.Context, name string) (unlock func(), err error) {
	return c.lock(ctx, name, Exclusive)
}

// RLock is Lock shared with other RLocks.
func (c *Cache) RLock(ctx context.Context, name string) (unlock func(), err error) {
	return c.lock(ctx, name, Shared)
}

func (c *Cache) lock(ctx context.Context, name string, mode Mode) (func(), error) {
	path := c.Path(Locks, fileName(name))
	f, err := Acquire(ctx, path, mode, func() {
		if c.Waiting != nil {
			c.Waiting(name, holder(path))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	if mode == Exclusive {
		noteHolder(f)
	}
	return func() { f.Close() }, nil
}

// Hold keeps gc away from the thing of that kind and id until release, and
// for as long as any process lives that has inherited the descriptor of
// [Cache.HoldPath], locked shared. Hold first and look whether the thing is there
// afterwards. It fails with [ErrGone] where gc is taking it away right now: make it anew.
func (c *Cache) Hold(kind Kind, id string) (release func(), err error) {
	f, ok, err := tryAcquire(c.HoldPath(kind, id), Shared)
	if err != nil {
		return nil, fmt.Errorf("hold %s/%s: %w", kind, id, err)
	}
	if !ok {
		return nil, fmt.Errorf("%s/%s: %w", kind, id, ErrGone)
	}
	return func() { f.Close() }, nil
}

// HoldPath is the file that Hold locks. An entry plan opens it without
// O_CREAT, takes LOCK_SH|LOCK_NB and leaves it open across exec: gc takes
// LOCK_EX before it removes the thing, and removes this file with it. If open
// or lock fails, the thing is gone or going, and must be made anew.
func (c *Cache) HoldPath(kind Kind, id string) string {
	return c.Path(Locks, fileName(string(kind)+"-"+id))
}

// ErrGone says that gc is removing what was asked for.
var ErrGone = errors.New("being removed by gc")

// Acquire opens path, making it where it is missing, and waits for its lock.
// Closing the file gives the lock back. What is locked is what path names:
// where the file was removed or replaced while we waited, the new one
// is locked. After a second of waiting, waiting (which may be nil) is called.
func Acquire(ctx context.Context, path string, mode Mode, waiting func()) (*os.File, error) {
	start, told := time.Now(), waiting == nil
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		f, ok, err := tryAcquire(path, mode)
		if err != nil || ok {
			return f, err
		}
		if !told && time.Since(start) > waitNotice {
			told = true
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// tryAcquire is Acquire without waiting: ok is false where another holds it.
func tryAcquire(path string, mode Mode) (f *os.File, ok bool, err error) {
	for {
		// Not read-only: NFS turns flock into a record lock, which must be able to write.
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, false, explain(err, path)
		}
		if ok, err = flock(f, mode); !ok {
			f.Close()
			return nil, false, err
		}
		if current(f, path) {
			return f, true, nil
		}
		f.Close()
	}
}

func flock(f *os.File, mode Mode) (ok bool, err error) {
	for {
		switch err = unix.Flock(int(f.Fd()), int(mode)|unix.LOCK_NB); {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case errors.Is(err, unix.ENOLCK), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return false, &NoLocksError{Path: f.Name(), Err: err}
		default:
			return false, &fs.PathError{Op: "flock", Path: f.Name(), Err: err}
		}
	}
}

// current reports whether path still names f.
func current(f *os.File, path string) bool {
	a, errA := f.Stat()
	b, errB := os.Lstat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// noteHolder writes our process id into a lock file, for the message of
// whoever waits. It is only a hint: a full disk must not stop the lock.
func noteHolder(f *os.File) {
	f.WriteAt(fmt.Appendf(nil, "%-10d\n", os.Getpid()), 0)
}

func holder(path string) int {
	text, err := os.ReadFile(path)
	if err != nil || len(text) > 16 {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || unix.Kill(pid, 0) == unix.ESRCH {
		return 0
	}
	return pid
}

// NoLocksError says that the file system of the cache cannot lock.
type NoLocksError struct {
	Path string
	Err  error
}

func (e *NoLocksError) Error() string {
	return fmt.Sprintf("%s: this file system cannot lock files (%v), which an NFS mount without a lock server answers: set DEVENV_CACHE_DIR to a local disk, or mount with -o local_lock=flock",
		e.Path, e.Err)
}

func (e *NoLocksError) Unwrap() error { return e.Err }
