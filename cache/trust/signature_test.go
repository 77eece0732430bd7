package trust

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// rebuilt writes a packet.
func rebuilt(p rawPacket) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0xc0 | p.tag, 255}, uint32(len(p.body))), p.body...)
}

// bound is a key to which a subkey is bound, with the subkey's consent or without.
func bound(t *testing.T, e *openpgp.Entity, k *packet.PublicKey, consent *packet.Signature) []byte {
	t.Helper()
	at := e.PrimaryKey.CreationTime
	bind := &packet.Signature{Version: 4, SigType: packet.SigTypeSubkeyBinding, PubKeyAlgo: e.PrimaryKey.PubKeyAlgo,
		Hash: crypto.SHA256, CreationTime: at, IssuerKeyId: &e.PrimaryKey.KeyId, FlagsValid: true, FlagSign: true,
		EmbeddedSignature: consent}
	if err := bind.SignKey(k, e.PrivateKey, &packet.Config{Time: func() time.Time { return at }}); err != nil {
		t.Fatal(err)
	}
	e.Subkeys = []openpgp.Subkey{{PublicKey: k, Primary: e, Bindings: []*packet.VerifiableSignature{{Packet: bind}}}}
	return serialized(t, e)
}

// TestSubkeyConsent: a subkey signs only for a key that it agreed to belong to.
// Else anybody could claim another's signatures by binding the other's subkey.
func TestSubkeyConsent(t *testing.T) {
	at := day(2021, 1, 1)
	config := packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return at }}
	owner, thief := newEntity(t, at, config), newEntity(t, at, config)
	if err := owner.AddSigningSubkey(&config); err != nil {
		t.Fatal(err)
	}
	sub := owner.Subkeys[len(owner.Subkeys)-1]
	consent := sub.Bindings[0].Packet.EmbeddedSignature
	sig := signWith(t, sub.PrivateKey, at, file)
	owned, ownedFpr := serialized(t, owner), newFingerprint(owner.PrimaryKey.Fingerprint)
	stolen, thiefFpr := bound(t, thief, sub.PublicKey, consent), newFingerprint(thief.PrimaryKey.Fingerprint)
	silent := bound(t, owner, sub.PublicKey, nil)
	for _, c := range []struct {
		name string
		keys []byte
		by   Fingerprint // whom gpg is told to trust
		want error
		gpg  bool
	}{
		{"with consent", owned, ownedFpr, nil, true},
		{"without", silent, ownedFpr, ErrUntrusted, false},
		{"bound by a thief", stolen, thiefFpr, ErrUntrusted, false},
		// gpg looks at the first of the two alone, and so lets a thief lock the owner out
		{"bound by a thief, then by the owner", append(bytes.Clone(stolen), owned...), ownedFpr, nil, false},
	} {
		f := Files{Name: "keys", Keys: c.keys, Trusted: []byte(c.by + ":4:\n")}
		by, err := mustParse(t, f).Verify("bash", strings.NewReader(file), sig, time.Time{})
		if !errors.Is(err, c.want) || err == nil && (by.Fingerprint != ownedFpr || by.Subkey != newFingerprint(sub.PublicKey.Fingerprint)) {
			t.Errorf("%s: %+v, %v; want %v", c.name, by, err, c.want)
		}
		if theirs := populate(t, at, f).accepts(day(2022, 1, 1), file, sig); theirs != c.gpg {
			t.Errorf("%s: gpg accepts it: %v", c.name, theirs)
		}
	}
}

// TestVersion6: keys and signatures of RFC 9580, which GnuPG does not make.
func TestVersion6(t *testing.T) {
	at := day(2025, 1, 1)
	for name, config := range map[string]packet.Config{
		"Ed25519": {V6Keys: true, Algorithm: packet.PubKeyAlgoEd25519},
		"Ed448":   {V6Keys: true, Algorithm: packet.PubKeyAlgoEd448},
	} {
		e := newEntity(t, at, config)
		k := mustParse(t, Files{Name: "keys", Keys: serialized(t, e)})
		sig := signWith(t, e.PrivateKey, at, file)
		by, err := k.Verify("bash", strings.NewReader(file), sig, time.Time{})
		if err != nil || len(by.Fingerprint) != 64 || by.UserID != "Test <test@example.org>" {
			t.Errorf("%s: %+v, %v", name, by, err)
		}
		if _, err := k.Verify("bash", strings.NewReader(file+"x"), sig, time.Time{}); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s, tampered: %v", name, err)
		}
	}
}

// TestVersion3: the form of signature that GnuPG wrote for files when it was told
// to please PGP 5.
func TestVersion3(t *testing.T) {
	at := day(2012, 1, 1)
	e := newEntity(t, day(2011, 1, 1), packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048})
	k := mustParse(t, Files{Name: "keys", Keys: serialized(t, e)})
	hashed := binary.BigEndian.AppendUint32([]byte{overBinary}, uint32(at.Unix()))
	digest := crypto.SHA1.New()
	digest.Write([]byte(file))
	digest.Write(hashed)
	sum := digest.Sum(nil)
	number, err := e.PrivateKey.PrivateKey.(crypto.Signer).Sign(nil, sum, crypto.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	body := append([]byte{3, 5}, hashed...)
	body = binary.BigEndian.AppendUint64(body, e.PrimaryKey.KeyId)
	body = append(body, 1, hashSHA1, sum[0], sum[1])
	bits := len(number) * 8
	for b := number[0]; b&0x80 == 0; b <<= 1 {
		bits--
	}
	body = append(binary.BigEndian.AppendUint16(body, uint16(bits)), number...)
	sig := rebuilt(rawPacket{tagSignature, body})

	by, err := k.Verify("bash", strings.NewReader(file), sig, time.Time{})
	if err != nil || !by.SignedAt.Equal(at) {
		t.Errorf("%+v, %v", by, err)
	}
	if _, err := k.Verify("bash", strings.NewReader(file+"x"), sig, time.Time{}); !errors.Is(err, ErrMismatch) {
		t.Errorf("tampered: %v", err)
	}
}

// TestDesignatedRevoker: whom an owner lets revoke a key may do so, nobody else.
func TestDesignatedRevoker(t *testing.T) {
	g := newGPG(t)
	owner := g.key(day(2020, 1, 1), "owner", "ed25519", "sign,cert", "never")
	friend := g.key(day(2020, 1, 1), "friend", "ed25519", "sign,cert", "never")
	stranger := g.key(day(2020, 1, 1), "stranger", "ed25519", "sign,cert", "never")
	g.edit(day(2020, 1, 2), "", owner, "addrevoker", string(friend), "y")
	sig := g.sign(day(2021, 1, 1), file, "--local-user", string(owner))
	verify := func(extra []byte) error {
		keys := g.run(day(2021, 1, 1), "", "--export-options", "export-sensitive-revkeys", "--export", string(owner))
		first, rest, err := splitPacket(keys)
		if err != nil {
			t.Fatal(err)
		}
		all := append(append(append(rebuilt(first), extra...), rest...), g.export(friend, stranger)...)
		_, err = mustParse(t, Files{Name: "keys", Keys: all}).Verify("bash", strings.NewReader(file), sig, time.Time{})
		return err
	}
	if err := verify(nil); err != nil {
		t.Errorf("before: %v", err)
	}
	out, errs, err := g.try(day(2022, 1, 1), "y\n1\n\ny\n", "--no-batch", "--command-fd", "0", "--no-tty", "--desig-revoke", string(owner))
	if err != nil {
		t.Fatalf("gpg --desig-revoke: %v\n%s", err, errs)
	}
	cert, err := dearmor(out, "PUBLIC KEY BLOCK")
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(revocationIn(t, cert)); !errors.Is(err, ErrCompromised) {
		t.Errorf("by the friend: %v", err)
	}
	forged := &packet.Signature{Version: 4, SigType: packet.SigTypeKeyRevocation, PubKeyAlgo: packet.PubKeyAlgoEdDSA, Hash: crypto.SHA256, CreationTime: day(2022, 1, 1)}
	s, p := g.secretKey(stranger), g.secretKey(owner)
	forged.IssuerKeyId = &s.KeyId
	if err := forged.RevokeKey(&p.PublicKey, s, nil); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	forged.Serialize(&b)
	if err := verify(b.Bytes()); err != nil {
		t.Errorf("by a stranger: %v", err)
	}
}

// revocationIn finds the key revocation in what gpg prints.
func revocationIn(t *testing.T, in []byte) []byte {
	for len(in) > 0 {
		p, rest, err := splitPacket(in)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := parseSignature(p.body); p.tag == tagSignature && err == nil && s.kind == revokesKey {
			return in[:len(in)-len(rest)]
		}
		in = rest
	}
	t.Fatal("no revocation")
	return nil
}

// TestLife: the latest statement by a day counts, the earliest one after it where
// there is none.
func TestLife(t *testing.T) {
	at := func(d int) *signature { return &signature{created: instant(d)} }
	all := []*signature{at(10), at(20), at(20), at(30)}
	all[2].kind = revokesCert
	yes := func(*signature) bool { return true }
	for _, c := range []struct {
		day  instant
		want *signature
	}{{5, all[0]}, {10, all[0]}, {19, all[0]}, {20, all[2]}, {29, all[2]}, {30, all[3]}, {99, all[3]}} {
		if got := inForce(all, c.day, yes); got != c.want {
			t.Errorf("in force on day %d: %+v", c.day, got)
		}
	}
	if got := inForce(all[2:], 5, yes); got != all[3] {
		t.Errorf("a later revocation counts before its day: %+v", got)
	}
	if got := inForce(all, 25, func(s *signature) bool { return s.created != 20 }); got != all[0] {
		t.Errorf("what does not pass counts: %+v", got)
	}
	if got := latest(all, 5, yes); got != nil {
		t.Errorf("a later statement is the latest by an earlier day: %+v", got)
	}
}
