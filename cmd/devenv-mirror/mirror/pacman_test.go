package mirror

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"devenv/cmd/devenv-mirror/table"
)

func lock(t *testing.T, f *os.File) {
	t.Helper()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
}

// pacmanFor writes a configuration in which signatures are required, and a
// keyring that trusts the mirror's masters as pacman-key --populate makes it.
func pacmanFor(t *testing.T, mirror, servers string) (config, root string) {
	t.Helper()
	if _, err := exec.LookPath("pacman"); err != nil {
		t.Skip("pacman is not here; apt-get install pacman-package-manager")
	}
	if os.Geteuid() != 0 {
		t.Skip("pacman installs as root only; run the test as root")
	}
	dir := t.TempDir()
	root = filepath.Join(dir, "root")
	gnupg, err := os.MkdirTemp("", "gpg-") // short, for the agent's socket
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"GNUPGHOME=" + gnupg}
	t.Cleanup(func() {
		command(t, env, "gpgconf", "--kill", "all")
		os.RemoveAll(gnupg)
	})
	for _, d := range []string{root + "/var/lib/pacman", dir + "/cache", dir + "/hooks"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	gpg := func(args ...string) {
		command(t, env, "gpg", append([]string{"--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
	}
	gpg("--quick-gen-key", "local master", "ed25519", "cert", "never")
	gpg("--import", filepath.Join(mirror, "keyring.gpg"))
	trusted, err := os.ReadFile(filepath.Join(mirror, "keyring-trusted"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(trusted)) {
		fingerprint, _, _ := strings.Cut(line, ":")
		gpg("--quick-lsign-key", fingerprint)
	}
	gpg("--import-ownertrust", filepath.Join(mirror, "keyring-trusted"))
	gpg("--check-trustdb")
	config = filepath.Join(dir, "pacman.conf")
	text := fmt.Sprintf("[options]\nRootDir = %s\nDBPath = %[1]s/var/lib/pacman\nCacheDir = %s/cache\nHookDir = %[2]s/hooks\nLogFile = %[2]s/log\nGPGDir = %s\nArchitecture = x86_64\nSigLevel = Required DatabaseOptional\n", root, dir, gnupg)
	for _, repo := range []string{"core", "extra"} {
		text += fmt.Sprintf("[%s]\nServer = %s\n", repo, strings.ReplaceAll(servers, "$repo", repo))
	}
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return config, root
}

func pacman(t *testing.T, config string, args ...string) string {
	t.Helper()
	return command(t, nil, "pacman", append([]string{"--config", config, "--noconfirm"}, args...)...)
}

func TestPacmanAcceptsIt(t *testing.T) {
	_, o := build(t)
	config, root := pacmanFor(t, o.Dir, "file://"+o.Dir+"/$repo/os/x86_64")
	pacman(t, config, "-Sy")
	printed := pacman(t, config, "-Sp", "tool")
	for _, want := range []string{"filesystem-1-1", "helper-7-1", "lib-1:1.0+brc-1", "tool-2.5-1"} {
		if !strings.Contains(printed, want) {
			t.Errorf("-Sp names no %s:\n%s", want, printed)
		}
	}
	pacman(t, config, "-S", "--noscriptlet", "tools") // the group
	if got := pacman(t, config, "-Q"); got != "filesystem 1-1\nhelper 7-1\nlib 1:1.0+brc-1\ntool 2.5-1\n" {
		t.Errorf("installed:\n%s", got)
	}
	for path, want := range map[string]string{"usr/bin/tool": "tool-2", "lib": "usr/lib", "usr/lib/liblib.so": "liblib.so.1.0", "usr/lib/x86_64-linux-gnu": "."} {
		if got, err := os.Readlink(filepath.Join(root, path)); got != want {
			t.Errorf("%s -> %s (%v), want %s", path, got, err, want)
		}
	}
	pacman(t, config, "-Qkk", "tool", "lib", "helper") // .MTREE against the files
	if info := pacman(t, config, "-Qii", "lib"); !strings.Contains(info, "/etc/lib.conf") {
		t.Errorf("no backup file in\n%s", info)
	}
	pacman(t, config, "-Fy")
	if got := pacman(t, config, "-Fq", "usr/bin/tool"); !strings.Contains(got, "extra/tool") {
		t.Errorf("-F: %s", got)
	}
}

// What is not signed by a key that the masters signed must be refused, or the
// test above would prove nothing.
func TestPacmanRefusesATamperedPackage(t *testing.T) {
	_, o := build(t)
	config, _ := pacmanFor(t, o.Dir, "file://"+o.Dir+"/$repo/os/x86_64")
	pacman(t, config, "-Sy")
	file := filepath.Join(o.Dir, "core/os/x86_64/lib-1:1.0+brc-1-x86_64.pkg.tar.zst")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pacman", "--config", config, "--noconfirm", "-S", "lib").CombinedOutput()
	if err == nil {
		t.Errorf("a changed package was installed:\n%s", out)
	}
}

// TestRealPackages takes a few of the table's packages from the host's own
// apt.
func TestRealPackages(t *testing.T) {
	needTools(t)
	tbl, err := table.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("apt-get", "download", "--print-uris", "zlib1g").Run(); err != nil {
		t.Skipf("apt cannot say where zlib1g is (%v); run apt-get update", err)
	}
	o := Options{Dir: filepath.Join(t.TempDir(), "mirror"), Table: tbl, Names: []string{"zlib", "which"}, Days: 1, Jobs: 2, Log: t.Logf}
	if err := FromDebian(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	config, root := pacmanFor(t, o.Dir, "file://"+o.Dir+"/$repo/os/x86_64")
	pacman(t, config, "-Sy", "zlib", "which")
	pacman(t, config, "-Qkk", "zlib", "which")
	for _, path := range []string{"lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu/libz.so.1", "usr/lib/libz.so", "usr/include/zlib.h", "etc/passwd"} {
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			t.Error(err)
		}
	}
	which := exec.Command("chroot", root, "/usr/bin/which", "which")
	which.Env = []string{"PATH=/usr/bin"}
	out, err := which.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "/usr/bin/which" {
		t.Errorf("which in the installed root: %s, %v", out, err)
	}
}
