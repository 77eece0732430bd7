package trust

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// Signature types of RFC 9580, section 5.2.1.
const (
	overBinary    = 0x00
	overText      = 0x01
	certGeneric   = 0x10 // to 0x13: someone says that a user id belongs to a key
	certPositive  = 0x13
	bindsSubkey   = 0x18
	bindsPrimary  = 0x19 // the subkey's own consent, embedded in bindsSubkey
	overKey       = 0x1f
	revokesKey    = 0x20
	revokesSubkey = 0x28
	revokesCert   = 0x30
)

// mayCertify and maySign are key flags of RFC 9580, section 5.2.3.29.
const (
	mayCertify = 0x01
	maySign    = 0x02
)

// An instant is a time in seconds since 1970, as OpenPGP counts.
type instant int64

func (i instant) time() time.Time { return time.Unix(int64(i), 0).UTC() }

// A signature is one signature packet, read as far as the rules of trust need
// it. The bytes stay where they are.
type signature struct {
	body     []byte
	version  byte
	kind     byte
	hashAlgo byte

	created   instant
	lifetime  uint32 // seconds; 0 for ever
	keyLife   uint32 // of the key it is about; 0 for ever
	keyLifes  bool   // whether it says anything about that
	flags     byte   // what the key may be used for
	flagged   bool
	issuer    uint64 // 0 if it names none
	issuerFpr Fingerprint
	reason    int  // for a revocation; -1 if none is given
	local     bool // not exportable: meant for another keyring than this
	primary   bool // marks the user id that stands for the key
	embedded  []byte
	revokers  []Fingerprint // whom the owner lets revoke the key as well
	critical  bool          // holds something critical that is not understood

	verdict atomic.Int32 // of checking it against its issuer's key: 0 unknown, 1 good, -1 bad
}

// parseSignature reads a signature packet's body.
func parseSignature(body []byte) (*signature, error) {
	s := &signature{body: body, reason: -1}
	if len(body) == 0 {
		return nil, fmt.Errorf("empty signature packet")
	}
	switch s.version = body[0]; s.version {
	case 3:
		return s, s.parseV3()
	case 4:
		return s, s.parseV4(2)
	case 6:
		return s, s.parseV4(4)
	}
	return nil, fmt.Errorf("signature packet of version %d", s.version)
}

// parseV3 reads the fixed form that GnuPG wrote until 2014 when it was told to.
func (s *signature) parseV3() error {
	b := s.body
	if len(b) < 19 || b[1] != 5 {
		return fmt.Errorf("signature packet is cut short")
	}
	s.kind, s.hashAlgo = b[2], b[16]
	s.created = instant(binary.BigEndian.Uint32(b[3:]))
	s.issuer = binary.BigEndian.Uint64(b[7:])
	return nil
}

// parseV4 reads versions 4 and 6, which differ in the width of two lengths.
func (s *signature) parseV4(width int) error {
	b := s.body
	if len(b) < 4+width {
		return fmt.Errorf("signature packet is cut short")
	}
	s.kind, s.hashAlgo = b[1], b[3]
	hashed, rest, err := sized(b[4:], width)
	if err != nil {
		return err
	}
	unhashed, _, err := sized(rest, width)
	if err != nil {
		return err
	}
	if err := s.subpackets(hashed, true); err != nil {
		return err
	}
	if s.created == 0 {
		return fmt.Errorf("signature without a date")
	}
	return s.subpackets(unhashed, false)
}

// sized splits off a byte string whose length stands before it in width bytes.
func sized(b []byte, width int) (field, rest []byte, err error) {
	if len(b) < width {
		return nil, nil, fmt.Errorf("signature packet is cut short")
	}
	size := 0
	for _, d := range b[:width] {
		size = size<<8 | int(d)
	}
	if b = b[width:]; size > len(b) {
		return nil, nil, fmt.Errorf("signature packet is cut short")
	}
	return b[:size], b[size:], nil
}

func (s *signature) subpackets(area []byte, hashed bool) error {
	for len(area) > 0 {
		size, head, err := subpacketLength(area)
		if err != nil || size == 0 || size > uint64(len(area)-head) {
			return fmt.Errorf("signature with a broken subpacket")
		}
		sub := area[head : head+int(size)]
		area = area[head+int(size):]
		if err := s.subpacket(sub[0]&0x7f, sub[1:], sub[0]&0x80 != 0, hashed); err != nil {
			return err
		}
	}
	return nil
}

func subpacketLength(b []byte) (size uint64, head int, err error) {
	if len(b) >= 2 && b[0] >= 192 && b[0] < 255 {
		return uint64(b[0]-192)<<8 + uint64(b[1]) + 192, 2, nil
	}
	return packetLength(b)
}

// Subpacket types of RFC 9580, section 5.2.3.7.
const (
	subCreated     = 2
	subLifetime    = 3
	subExportable  = 4
	subKeyLife     = 9
	subRevoker     = 12
	subIssuer      = 16
	subPrimaryUser = 25
	subKeyFlags    = 27
	subReason      = 29
	subEmbedded    = 32
	subIssuerFpr   = 33
)

// atLeast is how many bytes a subpacket of each kind must have.
var atLeast = [128]int{subCreated: 4, subLifetime: 4, subExportable: 1, subKeyLife: 4, subRevoker: 22,
	subIssuer: 8, subPrimaryUser: 1, subReason: 1, subIssuerFpr: 21}

// harmless lists the subpackets that may be marked critical and change nothing
// here: preferences, trust depth, policies, the signer's user id and the like.
// A notation is not among them: a critical one asks for what we do not know.
var harmless = [128]bool{5: true, 6: true, 7: true, 11: true, 21: true, 22: true, 23: true, 24: true,
	26: true, 28: true, 30: true, 34: true, 35: true, 39: true}

func (s *signature) subpacket(kind byte, b []byte, critical, hashed bool) error {
	if !hashed && kind != subIssuer && kind != subIssuerFpr && kind != subEmbedded {
		return nil // anybody could have written it there
	}
	if len(b) < atLeast[kind] {
		return fmt.Errorf("signature with a broken subpacket")
	}
	switch kind {
	case subCreated:
		s.created = instant(binary.BigEndian.Uint32(b))
	case subLifetime:
		s.lifetime = binary.BigEndian.Uint32(b)
	case subExportable:
		s.local = b[0] == 0
	case subKeyLife:
		s.keyLife, s.keyLifes = binary.BigEndian.Uint32(b), true
	case subRevoker:
		if b[0]&0x80 != 0 {
			s.revokers = append(s.revokers, newFingerprint(b[2:22]))
		}
	case subIssuer:
		if s.issuer == 0 { // else the hashed area has spoken
			s.issuer = binary.BigEndian.Uint64(b)
		}
	case subPrimaryUser:
		s.primary = b[0] != 0
	case subKeyFlags:
		s.flagged = true
		if len(b) > 0 {
			s.flags = b[0]
		}
	case subReason:
		s.reason = int(b[0])
	case subEmbedded:
		s.embedded = b
	case subIssuerFpr:
		if s.issuerFpr == "" {
			s.issuerFpr = newFingerprint(b[1:])
		}
	default:
		s.critical = s.critical || critical && !harmless[kind]
	}
	return nil
}

// issuerID is the short name of the key that made the signature; 0 if it gives
// none.
func (s *signature) issuerID() uint64 {
	name := string(s.issuerFpr)
	switch len(name) {
	case 40:
		name = name[24:]
	case 64:
		name = name[:16]
	default:
		return s.issuer
	}
	id, _ := strconv.ParseUint(name, 16, 64) // it was formatted as hexadecimal
	return id
}
