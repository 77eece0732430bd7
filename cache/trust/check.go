package trust

import (
	_ "crypto/sha1"   // what old signatures use
	_ "crypto/sha256" // registers SHA-224 as well
	_ "crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	_ "golang.org/x/crypto/sha3" // what version 6 keys may use
)

// sha1Ends is the day from which a SHA-1 digest carries no signature any more:
// GnuPG's own limit for certifications, a year before the first chosen-prefix
// collision was shown. The date is part of what is signed, so a collision found
// today cannot be dated back. Nearly every Arch package of 2014 is signed so.
const sha1Ends instant = 1547856000 // 2019-01-19

// Hash algorithms of RFC 9580, section 9.5.
const hashSHA1 = 2

var hashNames = map[byte]string{1: "MD5", hashSHA1: "SHA-1", 3: "RIPEMD-160", 8: "SHA-256", 9: "SHA-384",
	10: "SHA-512", 11: "SHA-224", 12: "SHA3-256", 14: "SHA3-512"}

// weak tells why a signature's digest is not accepted, or "".
func (s *signature) weak() string {
	name, known := hashNames[s.hashAlgo]
	switch {
	case !known:
		return fmt.Sprintf("digest algorithm %d", s.hashAlgo)
	case s.hashAlgo == 1 || s.hashAlgo == 3:
		return name
	case s.hashAlgo == hashSHA1 && s.created >= sha1Ends:
		return name + " in a signature made after 2019-01-18"
	}
	return ""
}

// numbers parses the signature for arithmetic.
func (s *signature) numbers() (*packet.Signature, error) {
	body := s.body
	if s.version == 3 {
		body = s.asV4()
	}
	p, err := (&packet.OpaquePacket{Tag: tagSignature, Contents: body}).Parse()
	if err != nil {
		return nil, err
	}
	sig, ok := p.(*packet.Signature)
	if !ok {
		return nil, fmt.Errorf("not a signature")
	}
	if s.version == 3 {
		sig.HashSuffix = s.body[2:7] // its type and date are all that is hashed
	}
	return sig, nil
}

// asV4 dresses a version 3 signature as version 4, which go-crypto reads; the
// numbers are the same.
func (s *signature) asV4() []byte {
	head := []byte{4, s.kind, s.body[15], s.hashAlgo, 0, 6, 5, subCreated}
	head = binary.BigEndian.AppendUint32(head, uint32(s.created))
	return append(append(head, 0, 0), s.body[17:]...)
}

// A digest gathers what one signature covers.
type digest struct {
	hash.Hash
	sig *packet.Signature
}

func (s *signature) newDigest() (*digest, error) {
	sig, err := s.numbers()
	if err != nil {
		return nil, err
	}
	h, err := sig.PrepareVerify()
	if err != nil {
		return nil, err
	}
	return &digest{h, sig}, nil
}

// close ends the digest; what it returns can be checked against several keys.
func (d *digest) close() closedDigest {
	d.Write(d.sig.HashSuffix)
	return closedDigest{sum: d.Sum(nil), sig: d.sig}
}

// A closedDigest is a hash that is finished: go-crypto, which wants to finish it
// itself, adds nothing to it.
type closedDigest struct {
	hash.Hash
	sum []byte
	sig *packet.Signature
}

func (closedDigest) Write(p []byte) (int, error) { return len(p), nil }
func (d closedDigest) Sum(b []byte) []byte       { return append(b, d.sum...) }

func (d closedDigest) signedBy(k *publicKey) bool {
	key, err := k.numbers()
	return err == nil && key.VerifySignature(d, d.sig) == nil
}

// good checks a signature on keys and user ids, and remembers the answer. A
// signature is only ever checked against the one key that it names, so there is
// one answer; two goroutines that ask at once both compute it.
func (s *signature) good(by *publicKey, covers ...[]byte) bool {
	if v := s.verdict.Load(); v != 0 {
		return v > 0
	}
	verdict := int32(-1)
	if !s.critical && s.created >= by.created {
		if d, err := s.newDigest(); err == nil {
			for _, b := range covers {
				d.Write(b)
			}
			if d.close().signedBy(by) {
				verdict = 1
			}
		}
	}
	s.verdict.Store(verdict)
	return verdict > 0
}

// expired tells whether the signature itself has run out.
func (s *signature) expired(at instant) bool {
	return s.lifetime != 0 && at >= s.created+instant(s.lifetime)
}

// userMaterial is what a certification covers besides the key.
func userMaterial(u *user, version byte) [][]byte {
	if version == 3 {
		return [][]byte{u.raw}
	}
	head := byte(0xb4)
	if u.attribute {
		head = 0xd1
	}
	return [][]byte{binary.BigEndian.AppendUint32([]byte{head}, uint32(len(u.raw))), u.raw}
}
