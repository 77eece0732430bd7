package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const errNoSpace = unix.ENOSPC

func init() {
	children["temp"] = func(dir string) error {
		c, err := Open(dir)
		if err != nil {
			return err
		}
		tmp, _, err := c.Temp("tree")
		if err != nil {
			return err
		}
		if err := os.WriteFile(tmp+"/half", []byte("made"), 0o644); err != nil {
			return err
		}
		return sayAndWait(tmp)
	}
	children["lock"] = func(dir string) error {
		c, err := Open(dir)
		if err != nil {
			return err
		}
		if _, err := c.Lock(context.Background(), "store/x"); err != nil {
			return err
		}
		return sayAndWait("locked")
	}
	children["publish"] = func(dir string) error {
		c, err := Open(dir)
		if err != nil {
			return err
		}
		fmt.Println("begin")
		for i := 0; ; i++ {
			err := c.Write(c.Plan(fmt.Sprint(i%7)), 0o644, func(w io.Writer) error {
				for range 64 {
					if _, err := w.Write([]byte(strings.Repeat("x", 1024))); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	children["full"] = func(dir string) error {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k,mode=0700"); err != nil {
			return sayAndWait("skip", err)
		}
		c, err := Open(dir)
		if err != nil {
			return err
		}
		err = c.WriteFile(c.Plan("big"), make([]byte, 1<<20), 0o644)
		var full *FullError
		if !errors.As(err, &full) {
			return fmt.Errorf("not a FullError: %v", err)
		}
		left, _ := os.ReadDir(c.Path(Tmp))
		return sayAndWait("full", len(left), exists(c.Plan("big")))
	}
	children["mount"] = func(dir string) error {
		if err := os.MkdirAll(dir+"/a/mnt", 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(dir+"/precious", nil, 0o600); err != nil {
			return err
		}
		if err := unix.Mount(dir, dir+"/a/mnt", "", unix.MS_BIND, ""); err != nil {
			return sayAndWait("skip", err)
		}
		return sayAndWait(RemoveAll(dir+"/a"), exists(dir+"/precious"))
	}
	children["unwritable"] = func(dir string) error {
		if os.Geteuid() == 0 { // root may do everything anyway
			if err := os.Chown(dir, 65534, 65534); err != nil {
				return err
			}
			if err := errors.Join(syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(dir+"/a/b/c", 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(dir+"/a/b/c/file", nil, 0); err != nil {
			return err
		}
		os.Chmod(dir+"/a/b/c", 0o500)
		os.Chmod(dir+"/a/b", 0)
		os.Chmod(dir+"/a", 0o555)
		if os.Remove(dir+"/a/b/c/file") == nil {
			return errors.New("the file was never protected")
		}
		return sayAndWait(RemoveAll(dir+"/a"), exists(dir+"/a"))
	}
}

func TestSweepTakesWhatTheDeadLeft(t *testing.T) {
	c := open(t)
	ch := start(t, "temp", c.Dir(), nil)
	mine, release, err := c.Temp("mine")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	mustWrite(t, c.Path(Tmp, "stray"), "from an older time")
	if _, err := c.Sweep(); err != nil {
		t.Fatal(err)
	}
	if !exists(ch.said) || !exists(mine) {
		t.Fatal("what a living process holds was swept")
	}
	if exists(c.Path(Tmp, "stray")) {
		t.Error("what nobody holds was not swept")
	}
	ch.kill()
	freed, err := c.Sweep()
	if err != nil || freed == 0 {
		t.Errorf("freed %d, %v", freed, err)
	}
	if exists(ch.said) || exists(ch.said+lockSuffix) {
		t.Error("what the dead process left is still there")
	}
	release()
	if left, _ := os.ReadDir(c.Path(Tmp)); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestSweepAndTempByManyAtOnce(t *testing.T) {
	c := open(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if _, err := c.Sweep(); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 50 {
				dir, release, err := c.Temp("x")
				if err != nil {
					t.Error(err)
					return
				}
				if err := os.WriteFile(dir+"/f", []byte("x"), 0o600); err != nil {
					t.Errorf("swept from under us: %v", err)
				}
				release()
			}
		})
	}
	wg.Wait()
	if left, _ := os.ReadDir(c.Path(Tmp)); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestLockDiesWithItsHolder(t *testing.T) {
	c := open(t)
	ch := start(t, "lock", c.Dir(), nil)
	var told atomic.Int64
	c.Waiting = func(lock string, holder int) {
		if lock != "store/x" {
			t.Errorf("waiting for %q", lock)
		}
		told.Store(int64(holder))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Lock(ctx, "store/x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got the lock of a living process: %v", err)
	}
	time.AfterFunc(waitNotice+300*time.Millisecond, ch.kill)
	unlock, err := c.Lock(context.Background(), "store/x")
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if told.Load() != int64(ch.cmd.Process.Pid) {
		t.Errorf("told to wait for %d, the holder was %d", told.Load(), ch.cmd.Process.Pid)
	}
}

func TestLockOfARemovedFileIsNotEnough(t *testing.T) {
	c := open(t)
	unlock, err := c.Lock(context.Background(), "x")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan struct{})
	go func() {
		unlock2, err := c.Lock(context.Background(), "x")
		if err != nil {
			t.Error(err)
		}
		// The holder removed the file; a third one must not get in beside us.
		if _, ok, _ := tryAcquire(c.Path(Locks, "x"), Exclusive); ok {
			t.Error("two have the lock")
		}
		unlock2()
		close(got)
	}()
	time.Sleep(20 * time.Millisecond)
	os.Remove(c.Path(Locks, "x"))
	unlock()
	<-got
}

func TestSharedLocks(t *testing.T) {
	c := open(t)
	a, err := c.RLock(context.Background(), "x")
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.RLock(context.Background(), "x")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Lock(ctx, "x"); err == nil {
		t.Error("exclusive beside shared")
	}
	a()
	b()
	unlock, err := c.Lock(context.Background(), "x")
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestNoLocksErrorSaysWhatToDo(t *testing.T) {
	err := &NoLocksError{Path: "/nfs/x", Err: unix.ENOLCK}
	for _, word := range []string{"/nfs/x", "NFS", "DEVENV_CACHE_DIR", "local_lock"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func TestPublishHasOneWinner(t *testing.T) {
	c := open(t)
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			dir, release, err := c.Temp("tree")
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			mustWrite(t, filepath.Join(dir, "fs", "who"), fmt.Sprint(i))
			ok, err := c.Publish(dir, c.Tree("abc"))
			if err != nil {
				t.Error(err)
			}
			if ok {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || !exists(c.Path(Trees, "abc", "fs", "who")) {
		t.Errorf("%d won", won.Load())
	}
	if left, _ := os.ReadDir(c.Path(Tmp)); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestPublishMakesTheParent(t *testing.T) {
	c := open(t)
	dir, release, err := c.Temp("x")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if won, err := c.Publish(dir, c.Path(Archive, "a", "b", "c")); err != nil || !won {
		t.Error(won, err)
	}
}

func TestWritersKilledAtAnyMomentLeaveNothingHalfMade(t *testing.T) {
	c := open(t)
	for i := range 8 {
		ch := start(t, "publish", c.Dir(), nil)
		time.Sleep(time.Duration(3+7*i) * time.Millisecond)
		ch.kill()
		plans, err := filepath.Glob(c.Plan("*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, plan := range plans {
			if info, err := os.Stat(plan); err != nil || info.Size() != 64*1024 {
				t.Errorf("%s: %d bytes, %v", plan, info.Size(), err)
			}
		}
	}
	if _, err := c.Sweep(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(c.Path(Tmp)); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestAFullDiskLeavesNothing(t *testing.T) {
	ch := start(t, "full", t.TempDir(), ownMounts())
	if strings.HasPrefix(ch.said, "skip") {
		t.Skip("skipped: cannot mount here: " + ch.said)
	}
	if ch.said != "full 0 false" {
		t.Errorf("%q", ch.said)
	}
}

func TestRemoveAllStopsAtAMountPoint(t *testing.T) {
	ch := start(t, "mount", t.TempDir(), ownMounts())
	if strings.HasPrefix(ch.said, "skip") {
		t.Skip("skipped: cannot mount here: " + ch.said)
	}
	if !strings.Contains(ch.said, "mounted there") || !strings.HasSuffix(ch.said, "true") {
		t.Errorf("%q", ch.said)
	}
}

func TestRemoveAllCopesWithUnwritableDirectories(t *testing.T) {
	dir, err := os.MkdirTemp("", "devenv-cache-test")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if ch := start(t, "unwritable", dir, nil); ch.said != "<nil> false" {
		t.Errorf("%q", ch.said)
	}
}

func TestRemoveAllDoesNotFollowLinks(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, dir+"/precious/file", "x")
	mustWrite(t, dir+"/gone/sub/file", "x")
	if err := os.Symlink(dir+"/precious", dir+"/gone/sub/link"); err != nil {
		t.Fatal(err)
	}
	if err := RemoveAll(dir + "/gone"); err != nil {
		t.Fatal(err)
	}
	if err := RemoveAll(dir + "/gone"); err != nil {
		t.Errorf("what is not there: %v", err)
	}
	if exists(dir+"/gone") || !exists(dir+"/precious/file") {
		t.Error("removed too little or too much")
	}
	if err := os.Symlink(dir+"/precious", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	if err := RemoveAll(dir + "/link"); err != nil || exists(dir+"/link") || !exists(dir+"/precious/file") {
		t.Errorf("a link itself: %v", err)
	}
}
