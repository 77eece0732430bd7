package trust

import (
	"bytes"
	"crypto"
	"testing"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// newEntity makes a key without gpg, for what gpg cannot make.
func newEntity(t testing.TB, at time.Time, config packet.Config) *openpgp.Entity {
	t.Helper()
	config.Time = func() time.Time { return at }
	e, err := openpgp.NewEntity("Test", "", "test@example.org", &config)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func serialized(t testing.TB, e *openpgp.Entity) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := e.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func newTestKey(t testing.TB, at time.Time) ([]byte, Fingerprint) {
	e := newEntity(t, at, packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	return serialized(t, e), newFingerprint(e.PrimaryKey.Fingerprint)
}

// signAnyway signs with a key that is not for signing, which gpg would not.
func signAnyway(w *world) []byte {
	return signWith(w.gpg.t, w.gpg.secretKey(w.fpr["sven"]), day(2021, 1, 1), file)
}

// secretKey takes a primary key out of gpg.
func (g *gpgHome) secretKey(key Fingerprint) *packet.PrivateKey {
	g.t.Helper()
	p, err := packet.Read(bytes.NewReader(g.run(day(2021, 1, 1), "", "--export-secret-keys", string(key))))
	if err != nil {
		g.t.Fatal(err)
	}
	return p.(*packet.PrivateKey)
}

// signWith makes a detached signature without gpg.
func signWith(t testing.TB, key *packet.PrivateKey, at time.Time, file string) []byte {
	t.Helper()
	sig := &packet.Signature{Version: key.Version, SigType: packet.SigTypeBinary, PubKeyAlgo: key.PubKeyAlgo,
		Hash: crypto.SHA256, CreationTime: at, IssuerKeyId: &key.KeyId, IssuerFingerprint: key.Fingerprint, IssuerKeyVersion: uint8(key.Version)}
	config := &packet.Config{Time: func() time.Time { return at }}
	h, err := sig.PrepareSign(config)
	if err != nil {
		t.Fatal(err)
	}
	h.Write([]byte(file))
	if err := sig.Sign(h, key, config); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := sig.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
