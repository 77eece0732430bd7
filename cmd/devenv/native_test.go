package main_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

var updateDocs = flag.Bool("update", false, "write the tables of docs/native.md anew")

// TestNative runs every tool of nativeTools as an unprivileged user, on this
// host and on one that has nothing but busybox and allows no user namespace, and
// holds docs/native.md against what came of it. Each check is a line for a plain
// shell: whatever else it calls is the host's.
func TestNative(t *testing.T) {
	mirror := os.Getenv("DEVENV_TEST_MIRROR")
	if mirror == "" {
		t.Skip("DEVENV_TEST_MIRROR names no mirror of real packages (make mirror)")
	}
	if testing.Short() {
		t.Skip("takes minutes")
	}
	lab := newLab(t, mirror)
	var rows []string
	for _, tool := range nativeTools {
		t.Run(tool.packages, func(t *testing.T) {
			if !lab.has(tool.packages) {
				t.Skipf("the mirror has no %s", tool.packages)
			}
			here, there := lab.try(t, tool, false), "–"
			if !tool.root {
				there = lab.try(t, tool, true)
			}
			rows = append(rows, tool.row(here, there))
		})
	}
	if !t.Failed() {
		compareDocs(t, rows)
	}
}

// TestNativeBuildsOnAForeignHost makes everything anew where no user namespace
// can be made.
func TestNativeBuildsOnAForeignHost(t *testing.T) {
	mirror := os.Getenv("DEVENV_TEST_MIRROR")
	if mirror == "" {
		t.Skip("DEVENV_TEST_MIRROR names no mirror of real packages (make mirror)")
	}
	lab := newLab(t, mirror)
	if !lab.has("jq") {
		t.Skip("the mirror has no jq")
	}
	out, err := lab.run(t, nativeTool{packages: "jq", check: `ls / | tr '\n' ' '; unshare -U true 2>&1; jq -n 6*7`}, true)
	there := []string{"bin", "dev", "etc", "proc", "tmp", strings.Split(shared.dir, "/")[1]}
	slices.Sort(there)
	want := "(?s)^" + strings.Join(slices.Compact(there), " ") + " [^ ]*unshare.*42\n$"
	if err != nil || !regexp.MustCompile(want).MatchString(out) {
		t.Errorf("%v: not %q:\n%s", err, want, out)
	}
}

// lab is where the checks run: a directory that every user can enter.
type lab struct {
	dir, mirror string
	root        string // of the foreign host
	uid         int
	url         string
}

func newLab(t *testing.T, mirror string) *lab {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "devenv-native-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := &lab{dir: dir, mirror: mirror, root: filepath.Join(dir, "root"), uid: os.Getuid()}
	if l.uid == 0 {
		l.uid = nobody
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Chmod(dir, 0o755))
	for _, d := range []string{"home", "work", "root", "root/bin", "root/etc", "root/proc", "root/dev", "root/tmp"} {
		must(os.Mkdir(filepath.Join(dir, d), 0o755))
	}
	for _, d := range []string{"home", "work"} {
		must(os.Chown(filepath.Join(dir, d), l.uid, l.uid))
	}
	busybox, err := exec.LookPath("busybox")
	must(err)
	for from, to := range map[string]string{busybox: "root/bin/busybox", "/proc/self/exe": "self"} {
		data, err := os.ReadFile(from)
		must(err)
		must(os.WriteFile(filepath.Join(dir, to), data, 0o755))
	}
	applets, err := exec.Command(busybox, "--list").Output()
	must(err)
	for _, name := range strings.Fields(string(applets)) {
		if name != "busybox" {
			must(os.Symlink("busybox", filepath.Join(dir, "root/bin", name)))
		}
	}
	must(os.WriteFile(filepath.Join(dir, "root/etc/passwd"), fmt.Appendf(nil, "me:x:%d:%d::/:/bin/sh\n", l.uid, l.uid), 0o644))
	l.serve(t)
	return l
}

// serve starts a TLS server, whose certificate is in work/ca.pem.
func (l *lab) serve(t *testing.T) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "over tls") })
	mux.Handle("/files/", http.StripPrefix("/files/", http.FileServer(http.Dir(filepath.Join(l.dir, "work")))))
	s := httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	l.url = s.URL
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(l.dir, "work/ca.pem"), ca, 0o644); err != nil {
		t.Fatal(err)
	}
}

func (l *lab) has(packages string) bool {
	for _, p := range strings.Fields(packages) {
		found, _ := filepath.Glob(filepath.Join(l.mirror, "*/os/*", p+"-[0-9]*.pkg.tar.zst"))
		if len(found) == 0 {
			return false
		}
	}
	return true
}

// try runs a tool's check and gives what the table says of it.
func (l *lab) try(t *testing.T, tool nativeTool, foreign bool) string {
	t.Helper()
	out, err := l.run(t, tool, foreign)
	where := map[bool]string{false: "on this host", true: "on a foreign host"}[foreign]
	switch {
	case tool.refused:
		if err == nil || !strings.Contains(out, "--namespace") {
			t.Errorf("%s: not refused: %v\n%s", where, err, out)
		}
		return "no"
	case tool.want != "" && !regexp.MustCompile(tool.want).MatchString(out):
		t.Errorf("%s: %v: no %q in\n%s", where, err, tool.want, out)
	}
	return "yes"
}

// run gives what a check prints.
func (l *lab) run(t *testing.T, tool nativeTool, foreign bool) (string, error) {
	t.Helper()
	work := l.work(t, strings.ReplaceAll(tool.packages, " ", "-")+map[bool]string{true: "-there"}[foreign], tool.root)
	args := append([]string{"-q", "shell"}, strings.Fields(tool.packages)...)
	check := await + tool.check
	if foreign {
		check = preferTools + check
	}
	cmd := l.command(t, work, foreign, tool.root, append(args, "--", "/bin/sh", "-c", check)...)
	if tool.keys != "" {
		return onTerminal(cmd, tool)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// work makes a working directory.
func (l *lab) work(t *testing.T, name string, root bool) string {
	t.Helper()
	if root && os.Getuid() != 0 {
		t.Skip("only root can try this")
	}
	dir := filepath.Join(l.dir, "work", name)
	err := os.Mkdir(dir, 0o755)
	if err == nil && !root {
		err = os.Chown(dir, l.uid, l.uid)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// command is devenv with these arguments.
func (l *lab) command(t *testing.T, work string, foreign, root bool, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, shared.devenv, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if os.Getuid() == 0 && !root {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(l.uid), Gid: uint32(l.uid)}
	}
	mirror := l.mirror
	if foreign {
		mirror = foreignMirror
		l.emigrate(cmd)
	}
	cmd.Dir = work
	home := filepath.Join(l.dir, map[bool]string{false: "home", true: "roothome"}[root])
	cmd.Env = append(cmd.Env, "HOME="+home, "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "TERM=xterm", "SHELL=/bin/sh", "LANG=C.UTF-8",
		"DEVENV_MIRROR="+mirror, "URL="+l.url, "CA="+filepath.Join(l.dir, "work/ca.pem"), "WORK="+work, "WHERE="+filepath.Base(work))
	return cmd
}

// preferTools keeps busybox's shell from running its own applets in place of
// what is on PATH.
const preferTools = `for t in ${PATH%%:*}/*; do case ${t##*/} in *[!a-zA-Z0-9_]*|[0-9]*) ;; *) eval "${t##*/}() { $t \"\$@\"; }" ;; esac; done
`

// await waits until a command line of the check's succeeds.
const await = `await() { n=0; until eval "$1" || [ $n -ge 300 ]; do sleep 0.1; n=$((n+1)); done; }
`

// onTerminal runs a command on a terminal and types, once it has drawn.
func onTerminal(cmd *exec.Cmd, tool nativeTool) (string, error) {
	f, err := pty.StartWithAttrs(cmd, &pty.Winsize{Rows: 24, Cols: 100}, withTerminal(cmd.SysProcAttr))
	if err != nil {
		return "", err
	}
	defer f.Close()
	var out bytes.Buffer
	drawn, typed := regexp.MustCompile(tool.want), false
	b := make([]byte, 4096)
	for {
		n, err := f.Read(b) // ends with EIO
		out.Write(b[:n])
		if !typed && drawn.Match(out.Bytes()) {
			typed = true
			f.WriteString(tool.keys)
		}
		if err != nil {
			return out.String(), cmd.Wait()
		}
	}
}

func withTerminal(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	a.Setsid, a.Setctty = true, true
	return a
}

func (tool nativeTool) row(here, there string) string {
	what := tool.what
	if tool.root {
		what += " (as root)"
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", tool.packages, here, there, what)
}

const docs = "../../docs/native.md"

// compareDocs finds every row in the documentation, or writes all of them.
func compareDocs(t *testing.T, rows []string) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- table: written by go test -run TestNative -update -->\n", "<!-- end of table -->\n"
	before, rest, ok := strings.Cut(string(text), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", docs)
	}
	if *updateDocs {
		table := "| packages | this host | foreign host | what was tried |\n|---|---|---|---|\n" + strings.Join(rows, "\n") + "\n"
		if err := os.WriteFile(docs, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	lines := strings.Split(old, "\n")
	for _, r := range rows {
		if !slices.Contains(lines, r) {
			t.Errorf("%s does not say %q: go test -run TestNative -update", docs, r)
		}
	}
}
