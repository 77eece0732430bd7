package trust

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

func mustParse(t testing.TB, f Files) *Keyring {
	t.Helper()
	k, err := Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func armored(t testing.TB, kind string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, map[string]string{"Comment": "a: b"})
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// TestOpen reads keyrings with and without the files that say whom to trust, under
// each of the names these may have.
func TestOpen(t *testing.T) {
	w := getWorld(t)
	for _, c := range []struct {
		keys, trusted, revoked string
		direct, zoe            bool
	}{
		{keys: "keys.gpg", direct: true, zoe: true},
		{keys: "keys.gpg", revoked: "keys-revoked", direct: true},
		{keys: "keys.gpg", trusted: "keys-trusted", zoe: true},
		{keys: "keys.gpg", trusted: "keys.gpg-trusted", revoked: "keys.gpg-revoked"},
		{keys: "keys", trusted: "keys-trusted", revoked: "keys-revoked"},
	} {
		dir := t.TempDir()
		for name, data := range map[string][]byte{c.keys: w.files.Keys, c.trusted: w.files.Trusted, c.revoked: w.files.Revoked} {
			if name != "" {
				os.WriteFile(filepath.Join(dir, name), data, 0o644)
			}
		}
		k, err := Open(filepath.Join(dir, c.keys))
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		_, bert := k.stands(k.find(w.fpr["bert"]), instant(day(2021, 1, 1).Unix()))
		_, zoe := k.stands(k.find(w.fpr["zoe"]), instant(day(2021, 1, 1).Unix()))
		if (bert == nil) != c.direct || (zoe == nil) != c.zoe {
			t.Errorf("%+v: bert %v, zoe %v", c, bert, zoe)
		}
	}
}

// TestDirect: in a keyring without owner trust every key counts, but still not
// against its owner's will.
func TestDirect(t *testing.T) {
	w := getWorld(t)
	k := mustParse(t, Files{Name: "team.gpg", Keys: w.files.Keys})
	for _, c := range verifyCases {
		want := c.want
		switch c.by {
		case "bert", "olga", "mona", "nils", "paul", "rosa", "xena", "carl", "zoe", "ulla":
			want = nil // what the masters say is no matter here
		}
		if strings.HasPrefix(c.name, "by two, of whom one is not") {
			want = nil
		}
		if c.name == "tampered file by an untrusted key" {
			want = ErrMismatch
		}
		_, err := k.Verify("bash", strings.NewReader(c.checked()), w.sigs[c.name], c.built)
		if c.built.IsZero() && !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", c.name, err, want)
		}
	}
}

// TestForms reads the same keys and signature in every form people have them in.
func TestForms(t *testing.T) {
	w := getWorld(t)
	sig := w.sigs["good"]
	keys := armored(t, "PGP PUBLIC KEY BLOCK", w.files.Keys)
	one, two := halves(t, w.files.Keys)
	for name, keys := range map[string][]byte{
		"binary":        w.files.Keys,
		"armored":       keys,
		"dos":           bytes.ReplaceAll(keys, []byte("\n"), []byte("\r\n")),
		"with a letter": append([]byte("Here are my keys:\n"), keys...),
		"in two blocks": append(armored(t, "PGP PUBLIC KEY BLOCK", one), armored(t, "PGP PUBLIC KEY BLOCK", two)...),
		"twice":         slices.Concat(w.files.Keys, w.files.Keys),
	} {
		k, err := Parse(Files{Name: name, Keys: keys, Trusted: w.files.Trusted})
		if err != nil || k.Len() != len(packagers)+len(mastersOfWorld)-1 {
			t.Errorf("keys %s: %v, %v", name, k, err)
			continue
		}
		if _, err := k.Verify("bash", strings.NewReader(file), sig, time.Time{}); err != nil {
			t.Errorf("keys %s: %v", name, err)
		}
	}
	k := mustParse(t, w.files)
	for name, sig := range map[string][]byte{
		"binary":         sig,
		"armored":        armored(t, "PGP SIGNATURE", sig),
		"base64":         []byte(base64.StdEncoding.EncodeToString(sig)),
		"base64, line":   []byte(base64.StdEncoding.EncodeToString(sig) + "\n"),
		"after a marker": append([]byte{0xca, 3, 'P', 'G', 'P'}, sig...),
	} {
		if _, err := k.Verify("bash", strings.NewReader(file), sig, time.Time{}); err != nil {
			t.Errorf("signature %s: %v", name, err)
		}
	}
}

// halves cuts a keyring before its second key.
func halves(t *testing.T, keys []byte) (one, two []byte) {
	_, rest, err := splitPacket(keys)
	for err == nil {
		var p rawPacket
		two = rest
		if p, rest, err = splitPacket(rest); p.tag == tagPublicKey {
			return keys[:len(keys)-len(two)], two
		}
	}
	t.Fatal(err)
	return nil, nil
}

// TestNotAKeyring says what a file is that is none.
func TestNotAKeyring(t *testing.T) {
	w := getWorld(t)
	keybox := append([]byte("\x00\x00\x00\x20\x01\x01\x00\x02KBXf"), make([]byte, 20)...)
	for name, c := range map[string]struct {
		f    Files
		want string
	}{
		"nothing":      {Files{}, "must hold public keys"},
		"text":         {Files{Keys: []byte("hello world, this is no key")}, "must hold public keys"},
		"keybox":       {Files{Keys: keybox}, "GnuPG keybox"},
		"secret keys":  {Files{Keys: w.secret}, "secret key"},
		"secret block": {Files{Keys: armored(t, "PGP PRIVATE KEY BLOCK", w.secret)}, "secret keys"},
		"signature":    {Files{Keys: w.sigs["good"]}, "holds no key"},
		"flood":        {Files{Keys: bytes.Repeat([]byte{0xc6, 6, 4, 0, 0, 0, 0, 1}, maxPackets+1)}, "packets"},
		"cut short":    {Files{Keys: w.files.Keys[:len(w.files.Keys)-3]}, "cut short"},
		"owner trust":  {Files{Keys: w.files.Keys, Trusted: []byte("\n# ok\nABC:4:\n")}, `line 3: "ABC:4:" is not FINGERPRINT:LEVEL:`},
		"revoked":      {Files{Keys: w.files.Keys, Revoked: []byte("nobody\n")}, `line 1: "nobody" is not a fingerprint`},
	} {
		c.f.Name = "it.gpg"
		if _, err := Parse(c.f); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "it.gpg") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "absent.gpg")); !os.IsNotExist(errors.Unwrap(err)) {
		t.Errorf("absent: %v", err)
	}
}

// TestJoin: a keyring of a day lends its certifications to one that has dropped
// them; what the newer one knows of compromised keys stays true.
func TestJoin(t *testing.T) {
	w := getWorld(t)
	then := mustParse(t, Files{Name: "then", Keys: w.before, Trusted: w.files.Trusted})
	stripped := Files{Name: "now", Keys: withoutCertifications(t, w), Trusted: w.files.Trusted}
	now := mustParse(t, stripped)
	both := Join(now, then)
	for name, want := range map[string][3]error{ // then, now, joined
		"good":                {nil, ErrUntrusted, nil},
		"before he left":      {nil, ErrUntrusted, nil},
		"compromised, before": {nil, ErrCompromised, ErrCompromised},
		"retired, after":      {nil, ErrRetired, ErrRetired},
		"unknown key":         {ErrUnknownKey, ErrUnknownKey, ErrUnknownKey},
	} {
		for i, k := range []*Keyring{then, now, both} {
			if _, err := k.Verify("bash", strings.NewReader(file), w.sigs[name], time.Time{}); !errors.Is(err, want[i]) {
				t.Errorf("%s, keyring %s: %v, want %v", name, k.Name(), err, want[i])
			}
		}
	}
	if both.Len() != then.Len() || both.ID() == now.ID() || both.Name() != "now and then" {
		t.Errorf("%s has %d keys and ID %s", both.Name(), both.Len(), both.ID())
	}
}

// withoutCertifications is the world's keyring with nothing in it but what the
// owners say themselves.
func withoutCertifications(t testing.TB, w *world) (out []byte) {
	in := w.files.Keys
	var owner *publicKey
	for len(in) > 0 {
		p, rest, err := splitPacket(in)
		if err != nil {
			t.Fatal(err)
		}
		keep := true
		switch p.tag {
		case tagPublicKey:
			owner, _ = newPublicKey(p.body)
		case tagSignature:
			s, err := parseSignature(p.body)
			keep = err == nil && s.names(owner)
		}
		if keep {
			out = append(out, in[:len(in)-len(rest)]...)
		}
		in = rest
	}
	return out
}

// TestConcurrent asks one keyring from many goroutines at once; run with -race.
func TestConcurrent(t *testing.T) {
	w := getWorld(t)
	k := mustParse(t, w.files)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range verifyCases {
				c := verifyCases[(i*7+j)%len(verifyCases)]
				if c.built.IsZero() {
					if _, err := k.Verify("bash", strings.NewReader(c.checked()), w.sigs[c.name], time.Time{}); !errors.Is(err, c.want) {
						t.Errorf("%s: %v, want %v", c.name, err, c.want)
					}
				}
			}
			k.Trusted(day(2021, 1, 1))
		})
	}
	group.Wait()
}

// TestEarlyAndStreamed: a signature that cannot count is refused before a byte of
// the package is read, and one that may is checked in whatever pieces come.
func TestEarlyAndStreamed(t *testing.T) {
	w := getWorld(t)
	k := mustParse(t, w.files)
	for _, c := range verifyCases {
		_, err := k.Verifier("bash", w.sigs[c.name])
		late := c.want == nil || c.want == ErrMismatch || !c.built.IsZero() && c.at.Before(c.built)
		if late != (err == nil) {
			t.Errorf("%s: before the package is read: %v", c.name, err)
		}
	}
	v, err := k.Verifier("bash", w.sigs["good"])
	if err != nil {
		t.Fatal(err)
	}
	for i := range file {
		fmt.Fprint(v, file[i:i+1])
	}
	if _, err := v.Finish(time.Time{}); err != nil {
		t.Error(err)
	}
}

func TestLevel(t *testing.T) {
	w := getWorld(t)
	k := mustParse(t, w.files)
	for _, c := range []struct {
		level    string
		sig      string
		keyring  *Keyring
		want     error
		verified bool
	}{
		{"", "good", k, nil, true},
		{"required", "good", k, nil, true},
		{"required", "", k, ErrUnsigned, false},
		{"required", "", nil, ErrUnsigned, false},
		{"required", "good", nil, ErrUnknownKey, false},
		{"optional", "good", k, nil, true},
		{"optional", "", k, nil, false},
		{"optional", "", nil, nil, false},
		{"optional", "only two masters", k, ErrUntrusted, false},
		{"never", "only two masters", k, nil, false},
		{"never", "", nil, nil, false},
	} {
		level, err := ParseLevel(c.level)
		if err != nil {
			t.Fatal(err)
		}
		v, err := level.Verifier(c.keyring, "bash", w.sigs[c.sig])
		var by *Verified
		if err == nil {
			fmt.Fprint(v, file)
			by, err = v.Finish(time.Time{})
		}
		if !errors.Is(err, c.want) || (by != nil) != c.verified {
			t.Errorf("%+v: %v, %v", c, by, err)
		}
		if (level.Warning("extra") == "") != (level == Required) {
			t.Errorf("%s warns %q", level, level.Warning("extra"))
		}
	}
	if _, err := ParseLevel("maybe"); err == nil || !strings.Contains(err.Error(), `"maybe"`) {
		t.Errorf("maybe: %v", err)
	}
}

// TestMasters checks the table against itself and against Arch's keyring.
func TestMasters(t *testing.T) {
	serving := 0
	for _, m := range Masters() {
		if f, ok := parseFingerprint(string(m.Fingerprint)); !ok || f != m.Fingerprint || m.Name == "" || !m.Until.IsZero() && !m.Until.After(m.From) {
			t.Errorf("%+v", m)
		}
		if m.Until.IsZero() {
			serving++
		}
	}
	if serving != 5 {
		t.Errorf("%d masters serve; Arch has five", serving)
	}
	arch := openArch(t)
	for _, m := range Masters() {
		c := arch.find(m.Fingerprint)
		if c == nil {
			if m.From.Before(day(2023, 11, 1)) {
				t.Errorf("%s is not in Arch's keyring", m.Name)
			}
			continue
		}
		if face := c.users[0].String(); !strings.Contains(face, "Arch Linux Master Key") {
			t.Errorf("%s: Arch's keyring calls the key %s", m.Name, face)
		}
		if c.created.time().After(m.From.AddDate(0, 0, 1)) {
			t.Errorf("%s: in office before the key was made on %s", m.Name, date(c.created))
		}
	}
}
