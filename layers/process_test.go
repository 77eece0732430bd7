package layers

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"devenv/cache"
)

// manyPackages are enough work for a process to be caught in the middle of it.
func manyPackages() (pkgs []*pkg) {
	for i := range 12 {
		p := &pkg{name: fmt.Sprintf("p%02d", i), entries: []entry{dir(fmt.Sprintf("var/closed%d", i), 0o500)}}
		for j := range 40 {
			p.entries = append(p.entries, file(fmt.Sprintf("usr/share/p%02d/d%d/f%02d", i, j%4, j), strings.Repeat("x", j*j*10)))
		}
		p.entries = append(p.entries, file(fmt.Sprintf("var/closed%d/f", i), "x"))
		pkgs = append(pkgs, p)
	}
	return pkgs
}

// checkWhole verifies all that is listed, and that nothing half made is left.
func checkWhole(t *testing.T, s *Store) {
	t.Helper()
	ids, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		damage, err := s.Verify(context.Background(), id)
		if err != nil {
			continue // not there for anybody: its record went first
		}
		for _, d := range damage {
			t.Error(d)
		}
	}
	if left, _ := os.ReadDir(s.staging()); len(left) > 0 {
		t.Errorf("left in staging: %v", left)
	}
	trees, err := s.Trees()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range trees {
		if _, err := s.TreeSpec(id); err != nil {
			t.Error(err)
		}
	}
}

func TestKilled(t *testing.T) {
	dir := tempDir(t)
	sources := writePackages(t, dir, manyPackages()...)
	c, err := cache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	rounds := 25
	if testing.Short() {
		rounds = 5
	}
	for range rounds {
		cmd := child(t, "rebuild", dir)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20*time.Millisecond + rand.N(400*time.Millisecond))
		cmd.Process.Kill()
		cmd.Wait()
		if said.Len() > 0 {
			t.Fatalf("before it was killed: %s", said.String())
		}
		checkWhole(t, reopen(t, c))
	}
	s := reopen(t, c)
	tree, err := makeTree(context.Background(), s, sources)
	if err != nil {
		t.Fatal(err)
	}
	if damage, err := s.VerifyTree(context.Background(), tree.ID); err != nil || len(damage) > 0 {
		t.Errorf("%v, %v", damage, err)
	}
	if err := s.Sweep(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := c.Sweep(); err != nil {
		t.Error(err)
	}
	checkNoRubbish(t, s, len(sources))
}

// checkNoRubbish settles what is there and counts what is on disk beside what is
// listed. The driver's links are left out: only its mounts would use them, and
// it loses and leaves some where a process is killed.
func checkNoRubbish(t *testing.T, s *Store, layers int) {
	t.Helper()
	if err := s.Settle(); err != nil {
		t.Error(err)
	}
	for pattern, want := range map[string]int{
		"store/overlay/*/diff": layers, "store/records/*": layers, "store/records/.*": 0, "store/fresh/*": 0,
		"store/overlay/tempdirs/*": 0, "store/overlay/staging/*": 0, "tmp/*": 0,
	} {
		if found, _ := filepath.Glob(filepath.Join(s.cache.Dir(), pattern)); len(found) != want {
			t.Errorf("%d of %s, want %d: %q", len(found), pattern, want, found)
		}
	}
}

// Processes that want the same layers and tree at once make them once.
func TestManyProcesses(t *testing.T) {
	dir := tempDir(t)
	sources := writePackages(t, dir, manyPackages()...)
	var working sync.WaitGroup
	for range 4 {
		working.Go(func() {
			out, err := child(t, "build", dir).CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != specOf(sources).ID() {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	working.Wait()
	c, err := cache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	s := reopen(t, c)
	checkWhole(t, s)
	checkNoRubbish(t, s, len(sources))
	if trees, err := s.Trees(); err != nil || len(trees) != 1 {
		t.Errorf("trees %v, %v", trees, err)
	}
	if locks, _ := filepath.Glob(filepath.Join(c.Dir(), "locks/*-*")); len(locks) > 0 {
		t.Errorf("left %q", locks)
	}
}

// All of this is for users who are not root: they run it, too.
func TestAsNobody(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root, so every test has run as it would as nobody")
	}
	binary, home := publicBinary(t, nobody)
	args := []string{"-test.run=^Test(Add|Tree|Weave|Verify|Killed|Many|Sweep|Delete|GC|Mend|File|Reweave|Fresh)", "-test.short"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + filepath.Join(home, "tmp"), "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := os.Mkdir(filepath.Join(home, "tmp"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(home, "tmp"), 0o777); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	t.Logf("%s", out)
	if left, _ := os.ReadDir(home); len(left) != 1 {
		t.Errorf("left in the home: %v", left)
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	writePackages(t, dir,
		&pkg{name: "small", entries: []entry{file("usr/small", "x")}},
		&pkg{name: "large", entries: []entry{file("usr/large", noise(4<<20))}})
	cmd := child(t, "full", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil && (cmd.ProcessState == nil || strings.Contains(string(out), cannotMount)) {
		t.Skipf("no namespace to mount a small disk in: %v: %s", err, out)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}

// noise is text that does not compress.
func noise(size int) string {
	data := make([]byte, size)
	rng := rand.NewChaCha8([32]byte{})
	rng.Read(data)
	return string(data)
}
