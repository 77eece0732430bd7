package cache

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Some promises are about processes that die. The test binary plays them: run
// with childEnv set, it does that one thing, says so on a line, and waits to be killed.
const childEnv = "DEVENV_CACHE_TEST_CHILD"

var children = map[string]func(dir string) error{}

func TestMain(m *testing.M) {
	name, dir, ok := strings.Cut(os.Getenv(childEnv), ":")
	if !ok {
		os.Exit(m.Run())
	}
	if err := children[name](dir); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// say tells the parent something and waits for the end.
func sayAndWait(words ...any) error {
	fmt.Println(words...)
	bufio.NewReader(os.Stdin).ReadString('\n')
	return nil
}

type child struct {
	cmd  *exec.Cmd
	said string
}

func (c *child) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// start runs a child until it has said its line.
func start(t *testing.T, name, dir string, attr *syscall.SysProcAttr) *child {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+name+":"+dir)
	cmd.SysProcAttr = attr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		if attr != nil {
			t.Skipf("skipped: this host does not let a test make namespaces or change users: %v", err)
		}
		t.Fatal(err)
	}
	c := &child{cmd: cmd}
	t.Cleanup(func() { in.Close(); c.kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	c.said = strings.TrimSpace(line)
	if err != nil || strings.HasPrefix(c.said, "error:") {
		t.Fatalf("child %s: %q, %v", name, c.said, err)
	}
	return c
}

// ownMounts is a user and mount namespace in which the child is root.
func ownMounts() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}
