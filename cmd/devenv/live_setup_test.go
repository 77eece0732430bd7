package main_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// realPlace is a project of real packages from the local mirror, with a cache of
// its own.
type realPlace struct {
	t            *testing.T
	dir, project string
	mirror       string
}

// newRealPlace skips the test where there is no mirror, or none with these
// packages.
func newRealPlace(t *testing.T, toml string, packages ...string) *realPlace {
	t.Helper()
	mirror := os.Getenv("DEVENV_TEST_MIRROR")
	if mirror == "" {
		t.Skip("DEVENV_TEST_MIRROR names no mirror: make mirror makes one")
	}
	for _, name := range packages {
		if found, _ := filepath.Glob(mirror + "/archive/packages/*/" + name + "/" + name + "-[0-9]*.pkg.tar.*"); len(found) == 0 {
			t.Skipf("the mirror %s has no %s: it is a small one", mirror, name)
		}
	}
	dir := t.TempDir()
	p := &realPlace{t: t, dir: dir, project: filepath.Join(dir, "project"), mirror: mirror}
	if err := os.MkdirAll(p.project, 0o755); err != nil {
		t.Fatal(err)
	}
	p.write("devenv.toml", toml)
	return p
}

// at is the place in another test.
func (p *realPlace) at(t *testing.T) *realPlace {
	q := *p
	q.t = t
	return &q
}

func (p *realPlace) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.project, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *realPlace) read(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.project, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

func (p *realPlace) command(args ...string) *exec.Cmd {
	cmd := exec.Command(shared.devenv, args...)
	cmd.Dir = p.project
	cmd.Env = []string{"HOME=" + p.dir, "PATH=/nonexistent", "DEVENV_MIRROR=" + p.mirror, "DEVENV_CACHE_DIR=" + p.dir + "/cache", "NO_COLOR=1"}
	return cmd
}

func (p *realPlace) try(args ...string) result {
	p.t.Helper()
	return resultOf(p.t, p.command(args...))
}

func (p *realPlace) must(args ...string) result {
	p.t.Helper()
	r := p.try(args...)
	if r.code != 0 {
		p.t.Fatalf("devenv %s: %v", strings.Join(args, " "), r)
	}
	return r
}

// inside runs a script in the environment and gives what it prints.
func (p *realPlace) inside(script string) string {
	p.t.Helper()
	return p.must("run", "--", "bash", "-c", "set -e; "+script).out
}

// TestSetUpWorks builds one environment from the local mirror, whose packages
// are real ones, and uses what only set-up makes, as an unprivileged user.
func TestSetUpWorks(t *testing.T) {
	needed := []string{"git", "gdb", "pacman", "gtk3", "sdl2", "xorg-server-xvfb"}
	if p := newRealPlace(t, "", needed...); p == nil || !asNobody(t) {
		return
	}
	p := newRealPlace(t, "")
	server := httptest.NewTLSServer(http.FileServer(http.Dir(p.project)))
	defer server.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	p.write("devenv.toml", fmt.Sprintf(`[packages]
gdb = "*"
gcc = "*"
make = "*"
pacman = "*"
fakeroot = "*"
util-linux = "*"
gtk3 = "*"
sdl2 = "*"
pkgconf = "*"
fontconfig = "*"
xorg-server-xvfb = "*"
xorg-xdpyinfo = "*"
[packages.libcap]
version = "*"
files = { "/etc/pacman.d/hooks/caps.hook" = "[Trigger]\nType = Package\nOperation = Install\nTarget = gdb\n[Action]\nWhen = PostTransaction\nExec = /usr/bin/setcap cap_net_raw+ep /usr/bin/gdb\n" }
[packages.git]
version = "*"
files = { "/etc/ca-certificates/trust-source/anchors/test.crt" = %q, "/etc/gitconfig" = "[user]\n\tname = me\n\temail = me@example.org\n" }
[locale]
generate = ["de_DE.UTF-8"]
`, ca))
	build := p.command("build")
	if r := resultOf(t, build); r.code != 0 {
		t.Fatal(r)
	}
	t.Run("the check of libraries is cheap", func(t *testing.T) { p.at(t).checkIsCheap(cpuOf(build)) })
	t.Run("git clone over TLS", func(t *testing.T) { p.at(t).clones(server.URL) })
	t.Run("gdb has its Python", func(t *testing.T) { p.at(t).debugs() })
	t.Run("fonts and locales", func(t *testing.T) {
		got := p.at(t).inside("fc-list; fc-match monospace; locale -a; LC_ALL=de_DE.UTF-8 locale decimal_point; LC_ALL=de_DE.UTF-8 printf '%.1f\n' 1,5")
		if !strings.Contains(got, ".ttf: DejaVu Sans Mono") || !strings.Contains(got, `DejaVuSansMono.ttf: "DejaVu Sans Mono"`) || !strings.Contains(got, "\nde_DE.utf8\n") || !strings.HasSuffix(got, "\n,\n1,5\n") {
			t.Errorf("%q", got)
		}
	})
	for _, w := range windows {
		t.Run(w.toolkit+" under Xvfb", func(t *testing.T) { p.at(t).shows(w) })
	}
	t.Run("pacman", func(t *testing.T) {
		if got := p.at(t).inside("pacman -Qo /usr/bin/git; pacman -Qi git | grep Reason; pacman -Qi expat | grep Reason; pacman -Qqe | grep -x -e git -e expat; pacman -Qk git"); !strings.Contains(got, "/usr/bin/git is owned by git ") ||
			!strings.Contains(got, "Explicitly installed") || !strings.Contains(got, "Installed as a dependency") || strings.Contains(got, "\nexpat\n") || !strings.Contains(got, ", 0 missing files") {
			t.Errorf("%q", got)
		}
	})
	t.Run("setcap", func(t *testing.T) {
		if got := p.at(t).inside("getcap /usr/bin/gdb"); !strings.Contains(got, "cap_net_raw=ep") {
			t.Errorf("%q", got)
		}
	})
	t.Run("makepkg", func(t *testing.T) { p.at(t).makesPackages() })
}

// clones asks a server whose certificate only `files` makes known; the
// certificates of others alone do not do.
func (p *realPlace) clones(url string) {
	p.inside("git init -q work; cd work; echo hello > f; git add f; git commit -q -m f; cd ..; git clone -q --bare work bare.git; git -C bare.git update-server-info")
	if got := p.inside("git clone -q " + url + "/bare.git clone; cat clone/f; git -C clone log --format=%an"); got != "hello\nme\n" {
		p.t.Errorf("cloned %q", got)
	}
	r := p.try("run", "--", "bash", "-c", `set -- /usr/share/ca-certificates/mozilla/*.crt; git -c http.sslCAInfo="$1" -c http.sslCAPath=/nonexistent clone -q `+url+"/bare.git untrusted")
	if r.code == 0 || !strings.Contains(r.err, "certificate") {
		p.t.Errorf("a certificate that nobody vouches for: %v", r)
	}
}

// debugs stops a program and lets gdb's Python look into it.
func (p *realPlace) debugs() {
	p.write("d.c", "int twice(int n) { return 2 * n; }\nint main(void) { return twice(21) - 42; }\n")
	got := p.inside(`gcc -g -O0 d.c -o d; gdb -q -batch -ex 'break twice' -ex run -ex 'python import gdb.printing; print("n is", int(gdb.selected_frame().read_var("n")))' -ex continue ./d`)
	if !strings.Contains(got, "\nn is 21\n") || !strings.Contains(got, "exited normally") {
		p.t.Errorf("%q", got)
	}
}

// makesPackages makes one as whoever this is, and looks at it with pacman.
func (p *realPlace) makesPackages() {
	p.inside("mkdir mk")
	p.write("mk/PKGBUILD", "pkgname=hello\npkgver=1\npkgrel=1\narch=(x86_64)\nbuild() { echo 'int main(void) { return 0; }' > h.c; gcc h.c -o hello; }\n"+
		"package() { install -Dm755 hello \"$pkgdir/usr/bin/hello\"; chown 0:0 \"$pkgdir/usr/bin/hello\"; install -Dm600 -o 12 h.c \"$pkgdir/usr/share/hello/h.c\"; }\n")
	got := p.inside(`cd mk; id -u; makepkg -f >&2; tar --numeric-owner -tvf hello-1-1-x86_64.pkg.tar* | grep -e bin/hello -e h.c; pacman -Qip hello-1-1-x86_64.pkg.tar* | grep -e Name -e Install; pacman -Qlp hello-1-1-x86_64.pkg.tar*`)
	for _, want := range []string{fmt.Sprintf("%d\n", os.Getuid()), "-rwxr-xr-x 0/0 ", "-rw------- 12/0 ", ": hello\n", "hello /usr/bin/hello\n"} {
		if !strings.Contains(got, want) {
			p.t.Errorf("no %q in %q", want, got)
		}
	}
	if os.Getuid() == 0 {
		p.t.Error("makepkg ran as root")
	}
}

func cpuOf(cmd *exec.Cmd) time.Duration {
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// checkIsCheap compares the processor time of looking everything up with that of
// the cold build, and shows that a warm entry looks nothing up.
func (p *realPlace) checkIsCheap(cold time.Duration) {
	time := func() time.Duration {
		cmd := p.command("check")
		if r := resultOf(p.t, cmd); r.code != 0 {
			p.t.Fatal(r)
		}
		return cpuOf(cmd)
	}
	forget := func() int {
		known, _ := filepath.Glob(p.dir + "/cache/setups/*/misses.json")
		for _, name := range known {
			if err := os.Remove(name); err != nil {
				p.t.Fatal(err)
			}
		}
		return len(known)
	}
	var with, without []float64
	for range 5 {
		without = append(without, time().Seconds())
		if forget() == 0 {
			p.t.Fatal("nothing was remembered of what was found out")
		}
		with = append(with, time().Seconds())
	}
	slices.Sort(with)
	slices.Sort(without)
	added := with[len(with)/2] - without[len(without)/2]
	packages := strings.Count(p.read("devenv.lock"), "[[package]]")
	p.t.Logf("looking up what %d packages need: %.1f ms of processor time, the cold build %.1f s: %.2f %%", packages, added*1e3, cold.Seconds(), 100*added/cold.Seconds())
	if added > 0.05*cold.Seconds() {
		p.t.Errorf("the check takes %.3f s, the cold build %.3f s", added, cold.Seconds())
	}
	p.inside("true") // makes the plan
	forget()
	p.inside("true")
	if forget() != 0 {
		p.t.Error("a warm entry has looked libraries up")
	}
}

// TestCheckNamesWhatToAdd: what real packages miss without their optional
// dependencies is listed, with the package to add; with that it is not.
func TestCheckNamesWhatToAdd(t *testing.T) {
	if p := newRealPlace(t, "", "openssl", "perl"); p == nil || !asNobody(t) {
		return
	}
	p := newRealPlace(t, "[packages]\nopenssl = \"*\"\n")
	type miss struct {
		Package, Problem, Want string
		Add                    []string
	}
	list := func(flags ...string) (misses []miss) {
		r := p.must(append([]string{"--json", "check"}, flags...)...)
		if err := json.NewDecoder(bytes.NewReader([]byte(r.out))).Decode(&misses); err != nil {
			t.Fatalf("%v: %v", err, r)
		}
		return misses
	}
	ours := func(m miss) bool { return m.Package == "openssl" && m.Want == "/usr/bin/perl" }
	for _, flags := range [][]string{nil, {"--files"}} {
		found := list(flags...)
		at := slices.IndexFunc(found, ours)
		if at < 0 || !slices.Equal(found[at].Add, []string{"perl"}) {
			t.Fatalf("misses %q: %+v", flags, found)
		}
	}
	if r := p.must("check"); !strings.Contains(r.out, "openssl: usr/bin/c_rehash is run by /usr/bin/perl, which is not there\n    devenv add perl\n") {
		t.Errorf("%v", r)
	}
	p.must("add", "perl")
	if found := list(); slices.ContainsFunc(found, ours) {
		t.Errorf("with perl: %+v", found)
	}
}
