package fetch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"devenv/cache"
)

// The test binary, run with childEnv set, is another process that fetches.
const childEnv = "DEVENV_FETCH_TEST_CHILD"

func TestMain(m *testing.M) {
	args := strings.Split(os.Getenv(childEnv), " ")
	switch args[0] {
	case "":
		os.Exit(m.Run())
	case "get": // URL DEST SHA256
		_, err := client().Get(context.Background(), Request{
			URLs: args[1:2], Dest: args[2], SHA256: args[3],
			Progress: func(e Event) {
				if e.State == Receiving {
					fmt.Println(e.Done)
				}
			},
		})
		fmt.Println("done", err)
	case "full": // DIR: on a small disk
		fmt.Println(getOnSmallDisk(args[1]))
	}
}

func child(t *testing.T, attr *syscall.SysProcAttr, args ...string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join(args, " "))
	cmd.SysProcAttr = attr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		if attr != nil {
			t.Skipf("skipped: this host does not let a test make namespaces: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, out
}

// trickle sends a file slowly, so that there is a middle to be killed in.
func trickle(s *server, w http.ResponseWriter, r *http.Request) bool {
	var start int
	fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &start)
	w.Header().Set("ETag", s.etag)
	w.Header().Set("Content-Length", fmt.Sprint(len(s.body)-start))
	if start > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(s.body)-1, len(s.body)))
		w.WriteHeader(http.StatusPartialContent)
	}
	for rest := s.body[start:]; len(rest) > 0; rest = rest[min(len(rest), 20_000):] {
		if _, err := w.Write(rest[:min(len(rest), 20_000)]); err != nil {
			return true
		}
		w.(http.Flusher).Flush()
		time.Sleep(4 * time.Millisecond)
	}
	return true
}

func TestAKilledDownloadGoesOn(t *testing.T) {
	data := noise(2_000_000)
	for _, after := range []int{1, 2, 4} {
		s := serve(t, data, trickle)
		dest := filepath.Join(t.TempDir(), "f")
		cmd, out := child(t, nil, "get", s.URL+"/f", dest, sumOf(data))
		lines := bufio.NewScanner(out)
		for range after {
			if !lines.Scan() {
				t.Fatal("the child ended early")
			}
		}
		cmd.Process.Kill()
		cmd.Wait()
		part, err := os.Stat(dest + ".part")
		if err != nil || part.Size() == 0 {
			t.Fatalf("no part was left: %v", err)
		}
		if _, err := client().Get(context.Background(), Request{URLs: []string{s.URL + "/f"}, Dest: dest, SHA256: sumOf(data)}); err != nil {
			t.Fatal(err)
		}
		wantFile(t, dest, data)
		asked := s.requests()
		if got, want := asked[len(asked)-1].Header.Get("Range"), fmt.Sprintf("bytes=%d-", part.Size()); len(asked) != 2 || got != want {
			t.Errorf("%d requests, the last for %q, want %q", len(asked), got, want)
		}
	}
}

func TestManyProcessesGetTheSameFile(t *testing.T) {
	data := noise(1_000_000)
	s := serve(t, data, trickle, drop(300_000), trickle)
	dest := filepath.Join(t.TempDir(), "f")
	type running struct {
		cmd *exec.Cmd
		out io.Reader
	}
	var all []running
	for range 8 {
		cmd, out := child(t, nil, "get", s.URL+"/f", dest, sumOf(data))
		all = append(all, running{cmd, out})
	}
	// The first is killed in the middle; one of the others goes on.
	line, err := bufio.NewReader(all[0].out).ReadString('\n')
	all[0].cmd.Process.Kill()
	all[0].cmd.Wait()
	t.Logf("killed one that had said %q, %v", line, err)
	for _, r := range all[1:] {
		out, err := io.ReadAll(r.out)
		if err != nil || !strings.HasSuffix(string(out), "done <nil>\n") {
			t.Errorf("%q, %v", out[max(0, len(out)-200):], err)
		}
		r.cmd.Wait()
	}
	wantFile(t, dest, data)
	if n := len(s.requests()); n > 4 {
		t.Errorf("%d requests", n)
	}
}

func getOnSmallDisk(dir string) string {
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		return fmt.Sprint("skip ", err)
	}
	if err := os.WriteFile(dir+"/source", noise(1_500_000), 0o600); err != nil {
		return err.Error()
	}
	_, err := client().Get(context.Background(), Request{URLs: []string{dir + "/source"}, Dest: dir + "/new/f", Size: 1_500_000})
	var full *cache.FullError
	if err == nil || !errors.As(err, &full) {
		return fmt.Sprintf("not a FullError: %v", err)
	}
	left, _ := os.ReadDir(dir + "/new")
	return fmt.Sprint("full ", len(left), full.Need)
}

func TestAFullDiskLeavesNothing(t *testing.T) {
	attr := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	_, out := child(t, attr, "full", t.TempDir())
	said, _ := io.ReadAll(out)
	switch {
	case strings.HasPrefix(string(said), "skip"):
		t.Skip("skipped: cannot mount here: " + string(said))
	case !strings.HasPrefix(string(said), "full 0"):
		t.Errorf("%s", said)
	}
}
