package trust

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A gpgHome is a GNUPGHOME of the real GnuPG, the peer that most tests here
// compare with.
type gpgHome struct {
	t   testing.TB
	dir string
}

// newGPG makes an empty one. Its directory is short: the agent's socket is in it.
func newGPG(t testing.TB) *gpgHome {
	t.Helper()
	if _, err := exec.LookPath("gpg"); err != nil {
		t.Skip("gpg is not installed: nothing to compare with")
	}
	dir, err := os.MkdirTemp("", "gpg")
	if err != nil {
		t.Fatal(err)
	}
	g := &gpgHome{t, dir}
	t.Cleanup(func() {
		g.command("gpgconf", "--kill", "all").Run()
		os.RemoveAll(dir)
	})
	g.write("gpg.conf", "batch\nno-greeting\nno-auto-check-trustdb\npinentry-mode loopback\n"+
		"passphrase \"\"\nyes\nno-permission-warning\n")
	return g
}

func (g *gpgHome) write(name, content string) string {
	path := filepath.Join(g.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		g.t.Fatal(err)
	}
	return path
}

func (g *gpgHome) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "GNUPGHOME="+g.dir, "LC_ALL=C")
	return cmd
}

// try runs gpg on a day, with input, and returns its output and what it said.
func (g *gpgHome) try(at time.Time, stdin string, args ...string) (stdout []byte, stderr string, err error) {
	cmd := g.command("gpg", append([]string{"--faked-system-time", at.UTC().Format("20060102T150405")}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err = cmd.Run()
	return out.Bytes(), errs.String(), err
}

// run is try for what must work.
func (g *gpgHome) run(at time.Time, stdin string, args ...string) []byte {
	g.t.Helper()
	out, errs, err := g.try(at, stdin, args...)
	if err != nil {
		g.t.Fatalf("gpg %s: %v\n%s", strings.Join(args, " "), err, errs)
	}
	return out
}

// key makes a key on a day and returns its fingerprint. usage is gpg's: "cert",
// "sign", "sign,cert"; expire "never" or a duration.
func (g *gpgHome) key(at time.Time, user, algo, usage, expire string) Fingerprint {
	g.t.Helper()
	g.run(at, "", "--quick-generate-key", user, algo, usage, expire)
	return g.fingerprint(user)
}

func (g *gpgHome) fingerprint(user string) Fingerprint {
	g.t.Helper()
	for line := range strings.Lines(string(g.run(time.Now(), "", "--with-colons", "--list-keys", "="+user))) {
		if f := strings.Split(line, ":"); f[0] == "fpr" {
			return Fingerprint(f[9])
		}
	}
	g.t.Fatalf("gpg does not list %s", user)
	return ""
}

// edit drives gpg --edit-key: one answer a line.
func (g *gpgHome) edit(at time.Time, by, key Fingerprint, answers ...string) {
	g.t.Helper()
	args := []string{"--no-batch", "--command-fd", "0", "--no-tty", "--expert"}
	if by != "" {
		args = append(args, "--local-user", string(by))
	}
	g.run(at, strings.Join(answers, "\n")+"\nsave\n", append(args, "--edit-key", string(key))...)
}

// certify signs a key's user ids: all, or those given.
func (g *gpgHome) certify(at time.Time, by, key Fingerprint, users ...string) {
	g.t.Helper()
	g.run(at, "", append([]string{"--local-user", string(by), "--quick-sign-key", string(key)}, users...)...)
}

// withdraw revokes all n certifications of a key that were made in this home, but
// not the owner's own, which gpg asks about first.
func (g *gpgHome) withdraw(at time.Time, key Fingerprint, n int) {
	g.t.Helper()
	answers := append([]string{"revsig", "n"}, slices.Repeat([]string{"y"}, n)...)
	g.edit(at, "", key, append(answers, "y", "0", "resigned", "", "y")...)
}

// revoke revokes a key for a reason.
func (g *gpgHome) revoke(at time.Time, key Fingerprint, reason int) {
	g.t.Helper()
	menu := map[int]int{reasonNone: 0, reasonCompromised: 1, reasonSuperseded: 2, reasonRetired: 3}
	cert, errs, err := g.try(at, fmt.Sprintf("y\n%d\n\ny\n", menu[reason]), "--no-batch", "--command-fd", "0", "--no-tty", "--gen-revoke", string(key))
	if err != nil {
		g.t.Fatalf("gpg --gen-revoke: %v\n%s", err, errs)
	}
	g.run(at, string(cert), "--import")
}

// sign makes a detached signature.
func (g *gpgHome) sign(at time.Time, file string, args ...string) []byte {
	g.t.Helper()
	return g.run(at, file, append(args, "--detach-sign")...)
}

// export writes public keys.
func (g *gpgHome) export(keys ...Fingerprint) []byte {
	g.t.Helper()
	args := []string{"--export-options", "export-local-sigs", "--export"}
	for _, k := range keys {
		args = append(args, string(k))
	}
	return g.run(time.Now(), "", args...)
}

// populate does to a fresh home what pacman-key --populate does: import, sign the
// trusted keys locally with a key of ultimate trust, set owner trust, disable what
// is revoked.
func populate(t testing.TB, at time.Time, f Files) *gpgHome {
	t.Helper()
	g := newGPG(t)
	local := g.key(day(2010, 1, 1), "Pacman Keyring Master Key <pacman@localhost>", "ed25519", "cert", "never")
	g.run(at, string(f.Keys), "--import")
	for line := range strings.Lines(string(f.Trusted)) {
		fpr, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		if _, errs, err := g.try(at, "", "--local-user", string(local), "--quick-lsign-key", fpr); err != nil && !strings.Contains(errs, "Key is revoked") {
			t.Fatalf("gpg --quick-lsign-key: %v\n%s", err, errs)
		}
	}
	g.run(at, string(f.Trusted), "--import-ownertrust")
	for line := range strings.Lines(string(f.Revoked)) {
		g.edit(at, "", Fingerprint(strings.TrimSpace(line)), "disable")
	}
	g.run(at, "", "--check-trustdb")
	return g
}

// valid lists the keys that gpg calls fully valid on a day, but for the local one.
func (g *gpgHome) valid(at time.Time) (keys []string) {
	g.run(at, "", "--check-trustdb")
	var validity, user string
	var fpr string
	for line := range strings.Lines(string(g.run(at, "", "--with-colons", "--list-keys"))) {
		switch f := strings.Split(line, ":"); f[0] {
		case "pub":
			validity, fpr, user = f[1], "", ""
		case "fpr":
			if fpr == "" {
				fpr = f[9]
			}
		case "uid":
			if user == "" && (validity == "f" || validity == "u") && !strings.Contains(f[9], "pacman@localhost") {
				keys = append(keys, fpr)
			}
			user = f[9]
		}
	}
	return keys
}

// accepts tells whether gpg verifies a signature and trusts its maker fully,
// which is what pacman asks for.
func (g *gpgHome) accepts(at time.Time, file string, sig []byte) bool {
	path := g.write("file", file)
	out, _, err := g.try(at, string(sig), "--status-fd", "1", "--verify", "-", path)
	return err == nil && bytes.Contains(out, []byte("[GNUPG:] GOODSIG ")) &&
		(bytes.Contains(out, []byte("[GNUPG:] TRUST_FULLY ")) || bytes.Contains(out, []byte("[GNUPG:] TRUST_ULTIMATE ")))
}
