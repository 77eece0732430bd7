package layers

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// nobody is a user that is neither root nor the one who runs the tests.
const nobody = 65534

func TestStoreThreadPretends(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := owner(t, file)
	err := onStoreThread(func() error {
		if unix.Gettid() == unix.Getpid() {
			t.Error("runs on the main thread, which never ends")
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		return errors.Join(
			os.Chown(file, nobody, nobody), os.Lchown(file, nobody, nobody), f.Chown(nobody, nobody), f.Sync(),
			unix.Fchownat(unix.AT_FDCWD, file, nobody, nobody, 0), unix.Fdatasync(int(f.Fd())),
			unix.Setxattr(file, "user.test", nil, 0), unix.Lsetxattr(file, "user.test", nil, 0), unix.Fsetxattr(int(f.Fd()), "user.test", nil, 0))
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Getxattr(file, "user.test", nil); err == nil {
		t.Errorf("the attribute was set: %d", n)
	}
	if after := owner(t, file); after != before {
		t.Errorf("owner was %d, is %d: the call was made", before, after)
	}
}

func owner(t *testing.T, path string) uint32 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Uid
}

// The filter must reach neither the threads that were there before nor those
// that the runtime makes later, and its thread must end.
func TestStoreThreadIsAlone(t *testing.T) {
	want := errors.New("its own answer")
	for range 20 {
		if err := onStoreThread(func() error { return want }); err != want {
			t.Fatalf("got %v", err)
		}
	}
	inside := make(chan struct{})
	leave := make(chan struct{})
	go onStoreThread(func() error { close(inside); <-leave; return nil })
	<-inside
	var begun []chan struct{}
	for range 8 { // threads made while the filtered one is there
		c := make(chan struct{})
		begun = append(begun, c)
		go func() { runtime.LockOSThread(); c <- struct{}{}; c <- struct{}{} }()
		<-c
	}
	n := filteredThreads(t)
	for range 100 { // those of the loop may still be ending
		if n == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
		n = filteredThreads(t)
	}
	if n != 1 {
		t.Errorf("%d threads have a filter, want the one that runs", n)
	}
	close(leave)
	for _, c := range begun {
		<-c
	}
}

func filteredThreads(t *testing.T) (n int) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(tasks) == 0 {
		t.Fatalf("no threads in /proc: %v", err)
	}
	self := status(t, "/proc/self/task/"+strconv.Itoa(os.Getpid())+"/status")
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // it has ended
		}
		if seccompMode(string(text)) != self {
			n++
		}
	}
	return n
}

func status(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return seccompMode(string(text))
}

func seccompMode(status string) string {
	_, rest, _ := strings.Cut(status, "Seccomp_filters:")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}
