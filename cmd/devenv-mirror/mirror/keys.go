package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing/fstest"
)

// keyring is the mirror's own web of trust, as Arch's is built: five master
// keys, and a packager's key that all of them have signed.
type keyring struct {
	home     string // a GNUPGHOME with a short path: an agent's socket must fit in 108 bytes
	note     string // the file that names home
	public   []byte // all keys with their signatures
	masters  []string
	packager string
}

const (
	masters      = 5
	homePrefix   = "devenv-mirror-keys-"
	packagerName = "Devenv Mirror Packager <packager@devenv.invalid>"
	// The keys claim to have been made before any package, and signed a day
	// later. "!" stops gpg's clock there.
	keysMade   = "20150101T000000!"
	keysSigned = "20150102T000000!"
)

// openKeyring takes the keys of dir, or makes them. The private keys stay in
// dir, readable by their owner alone; gpg works on a copy, whose place is noted
// in dir, so that the next run can clean up after one that was killed.
func openKeyring(ctx context.Context, dir string) (*keyring, error) {
	note := filepath.Join(dir, ".keys-in-use")
	if left, err := os.ReadFile(note); err == nil && strings.HasPrefix(filepath.Base(string(left)), homePrefix) {
		(&keyring{home: string(left), note: note}).close()
	}
	home, err := os.MkdirTemp("", homePrefix)
	if err != nil {
		return nil, err
	}
	k := &keyring{home: home, note: note}
	if err = os.WriteFile(note, []byte(home), 0o600); err == nil {
		err = k.load(ctx, filepath.Join(dir, ".keys"))
	}
	if err != nil {
		k.close()
		return nil, err
	}
	return k, nil
}

func (k *keyring) load(ctx context.Context, saved string) error {
	secret, err := os.ReadFile(filepath.Join(saved, "secret.gpg"))
	if errors.Is(err, fs.ErrNotExist) {
		return k.make(ctx, saved)
	}
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(k.home, "secret.gpg"), secret, 0o600); err != nil {
		return err
	}
	if _, err := k.gpg(ctx, "--import", filepath.Join(k.home, "secret.gpg")); err != nil {
		return fmt.Errorf("the mirror's keys in %s cannot be read; remove that directory to have new ones: %w", saved, err)
	}
	return k.list(ctx)
}

func (k *keyring) make(ctx context.Context, saved string) error {
	then := []string{"--faked-system-time", keysMade, "--passphrase", ""}
	later := []string{"--faked-system-time", keysSigned}
	for i := range masters {
		name := fmt.Sprintf("Devenv Mirror Master Key %d <master%d@devenv.invalid>", i+1, i+1)
		if _, err := k.gpg(ctx, append(then, "--quick-gen-key", name, "ed25519", "cert,sign", "never")...); err != nil {
			return err
		}
	}
	if _, err := k.gpg(ctx, append(then, "--quick-gen-key", packagerName, "ed25519", "cert,sign", "never")...); err != nil {
		return err
	}
	if err := k.list(ctx); err != nil {
		return err
	}
	for _, m := range k.masters {
		if _, err := k.gpg(ctx, append(later, "-u", m, "--quick-sign-key", k.packager)...); err != nil {
			return err
		}
	}
	secret, err := k.gpg(ctx, "--export-secret-keys")
	if err != nil {
		return err
	}
	if err := k.list(ctx); err != nil { // once more, with the signatures
		return err
	}
	if err := os.MkdirAll(saved, 0o700); err != nil {
		return err
	}
	return writeFile(filepath.Join(saved, "secret.gpg"), secret, 0o600)
}

// list reads the fingerprints and the public keys.
func (k *keyring) list(ctx context.Context) error {
	out, err := k.gpg(ctx, "--with-colons", "--list-keys")
	if err != nil {
		return err
	}
	k.masters, k.packager = nil, ""
	fingerprint := ""
	for line := range strings.Lines(string(out)) {
		f := strings.Split(line, ":")
		switch {
		case f[0] == "fpr" && len(f) > 9:
			fingerprint = f[9]
		case f[0] == "uid" && len(f) > 9 && strings.Contains(f[9], "Master Key"):
			k.masters = append(k.masters, fingerprint)
		case f[0] == "uid" && len(f) > 9:
			k.packager = fingerprint
		}
	}
	if len(k.masters) != masters || k.packager == "" {
		return fmt.Errorf("gpg listed %d master keys instead of %d", len(k.masters), masters)
	}
	k.public, err = k.gpg(ctx, "--export")
	return err
}

// trusted is the file that goes with a keyring: fingerprint and ownertrust.
func (k *keyring) trusted() []byte {
	var b bytes.Buffer
	for _, m := range k.masters {
		fmt.Fprintf(&b, "%s:4:\n", m)
	}
	return b.Bytes()
}

// files are what the package archlinux-keyring has.
func (k *keyring) files() fs.FS {
	const dir = "usr/share/pacman/keyrings/archlinux"
	return fstest.MapFS{
		dir + ".gpg":     {Data: k.public},
		dir + "-trusted": {Data: k.trusted()},
		dir + "-revoked": {},
	}
}

// sign writes file.sig, dated when.
func (k *keyring) sign(ctx context.Context, file string, when int64) error {
	_, err := k.gpg(ctx, "--faked-system-time", fmt.Sprintf("%d!", when), "--no-auto-check-trustdb", "--lock-never",
		"-u", k.packager, "-o", file+".sig", "--detach-sign", file)
	return err
}

func (k *keyring) gpg(ctx context.Context, args ...string) ([]byte, error) {
	return run(ctx, "", []string{"GNUPGHOME=" + k.home}, "gpg",
		append([]string{"--batch", "--yes", "--quiet", "--no-greeting", "--pinentry-mode", "loopback", "--no-options"}, args...)...)
}

// close ends the agent that gpg started and removes the working copy.
func (k *keyring) close() {
	// Without a context: it must also be done after an interruption.
	run(context.Background(), "", []string{"GNUPGHOME=" + k.home}, "gpgconf", "--kill", "gpg-agent")
	os.RemoveAll(k.home)
	os.Remove(k.note)
}
