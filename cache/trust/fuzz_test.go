package trust

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// FuzzVerify: no signature file makes anything but an error of it, unless it is
// the one that was made, or the same in other words (a wrong hint outside of what
// is signed, a marker before it).
func FuzzVerify(f *testing.F) {
	at := day(2021, 1, 1)
	e := newEntity(f, at, packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	k := mustParse(f, Files{Name: "keys", Keys: serialized(f, e)})
	sig := signWith(f, e.PrivateKey, at, file)
	f.Add(sig)
	f.Add(armored(f, "PGP SIGNATURE", sig))
	f.Add(append([]byte{0xca, 3, 'P', 'G', 'P'}, sig...))
	f.Add([]byte("iHUEABYIAB0WIQ=="))
	f.Fuzz(func(t *testing.T, sig []byte) {
		by, err := k.Verify("bash", strings.NewReader(file), sig, time.Time{})
		if err == nil && !by.SignedAt.Equal(at) {
			t.Errorf("%x counts, with the date %s", sig, by.SignedAt)
		}
		if _, err := k.Verify("bash", strings.NewReader("another file"), sig, time.Time{}); err == nil {
			t.Errorf("%x counts for another file", sig)
		}
		if err != nil && (len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\x1b\n")) {
			t.Errorf("not a message: %q", err)
		}
	})
}

// FuzzKeyring: no keyring makes it panic, run away or trust a key that it does not
// hold.
func FuzzKeyring(f *testing.F) {
	at := day(2021, 1, 1)
	a := newEntity(f, at, packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	b := newEntity(f, at, packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoEd25519})
	if err := a.AddSigningSubkey(&packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}); err != nil {
		f.Fatal(err)
	}
	keys := append(serialized(f, a), serialized(f, b)...)
	trusted := []byte(newFingerprint(a.PrimaryKey.Fingerprint) + ":4:\n")
	sig := signWith(f, a.PrivateKey, at, file)
	f.Add(keys, trusted, []byte(nil))
	f.Add(armored(f, "PGP PUBLIC KEY BLOCK", keys), []byte(nil), []byte(nil))
	if arch, err := os.ReadFile(debianKeyring); err == nil {
		if arch, err = unwrap(arch, "PUBLIC KEY BLOCK"); err == nil {
			f.Add(arch[:30000], trusted, []byte(nil))
		}
	}
	f.Fuzz(func(t *testing.T, keys, trusted, revoked []byte) {
		if len(keys) > 1<<17 {
			t.Skip("larger than it needs to be")
		}
		k, err := Parse(Files{Name: "keys", Keys: keys, Trusted: trusted, Revoked: revoked})
		if err != nil {
			return
		}
		for _, key := range k.Trusted(at) {
			if k.find(key.Fingerprint) == nil || strings.ContainsAny(key.UserID, "\x1b\n") {
				t.Errorf("%+v is trusted", key)
			}
		}
		by, err := k.Verify("bash", strings.NewReader(file), sig, at)
		if err == nil && by.Fingerprint != newFingerprint(a.PrimaryKey.Fingerprint) {
			t.Errorf("%+v signed", by)
		}
		Join(k, k).Trusted(at)
	})
}

// FuzzPackage: no keyring package is accepted that the masters did not vouch for.
func FuzzPackage(f *testing.F) {
	e := newEntity(f, day(2021, 1, 1), packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	files := Files{Keys: serialized(f, e), Trusted: []byte(newFingerprint(e.PrimaryKey.Fingerprint) + ":6:\n")}
	pkg := packed(f, append([]member{pkginfo("archlinux-keyring", "1-1", day(2021, 1, 1))}, files.members("archlinux")...)...)
	f.Add(pkg, signWith(f, e.PrivateKey, day(2021, 1, 1), string(pkg)))
	f.Fuzz(func(t *testing.T, pkg, sig []byte) {
		if _, _, err := FromPackage("archlinux-keyring-1-1-any.pkg.tar.zst", bytes.NewReader(pkg), sig); err == nil {
			t.Error("accepted")
		}
	})
}
