package trust

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A Fingerprint names a key beyond doubt: upper-case hexadecimal without spaces,
// 40 digits, or 64 for a version 6 key.
type Fingerprint string

func newFingerprint(b []byte) Fingerprint {
	return Fingerprint(strings.ToUpper(hex.EncodeToString(b)))
}

// parseFingerprint accepts what people write: any case, spaces, a leading 0x.
func parseFingerprint(s string) (Fingerprint, bool) {
	s = strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(s), "0x"), " ", ""))
	if _, err := hex.DecodeString(s); err != nil || len(s) != 40 && len(s) != 64 {
		return "", false
	}
	return Fingerprint(s), true
}

// A publicKey is one key or subkey. Its numbers are read when they are first
// needed: most keys in a keyring never sign anything in a build.
type publicKey struct {
	body    []byte
	version byte
	algo    byte
	created instant
	fpr     Fingerprint
	id      uint64

	once   sync.Once
	parsed *packet.PublicKey
	err    error
}

// newPublicKey reads the head of a key packet and computes its name.
func newPublicKey(body []byte) (*publicKey, error) {
	if len(body) < 6 || body[0] != 4 && body[0] != 6 || len(body) > 1<<16 {
		return nil, fmt.Errorf("a key packet of an unknown version or size")
	}
	k := &publicKey{body: body, version: body[0], algo: body[5]}
	k.created = instant(binary.BigEndian.Uint32(body[1:]))
	h, idAt := sha1.New(), 12 // the fingerprint's definition, not our choice
	if k.version == 6 {
		h, idAt = sha256.New(), 0
	}
	h.Write(k.material())
	h.Write(k.body)
	sum := h.Sum(nil)
	k.fpr, k.id = newFingerprint(sum), binary.BigEndian.Uint64(sum[idAt:])
	return k, nil
}

// material is what stands before a key's body wherever it is hashed.
func (k *publicKey) material() []byte {
	if k.version == 6 {
		return binary.BigEndian.AppendUint32([]byte{0x9b}, uint32(len(k.body)))
	}
	return binary.BigEndian.AppendUint16([]byte{0x99}, uint16(len(k.body)))
}

// numbers parses the key for arithmetic.
func (k *publicKey) numbers() (*packet.PublicKey, error) {
	k.once.Do(func() {
		p, err := (&packet.OpaquePacket{Tag: tagPublicKey, Contents: k.body}).Parse()
		if err != nil {
			k.err = err
			return
		}
		k.parsed, _ = p.(*packet.PublicKey)
	})
	return k.parsed, k.err
}

// canSign tells whether the key's algorithm makes signatures at all, which is
// what a key may do that says nothing of its use.
func (k *publicKey) canSign() bool {
	return packet.PublicKeyAlgorithm(k.algo).CanSign()
}
