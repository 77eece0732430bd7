package trust

import (
	"encoding/binary"
	"fmt"
)

// Packet tags of RFC 9580, section 5, as far as a keyring or a signature file
// holds them.
const (
	tagSignature     = 2
	tagSecretKey     = 5
	tagPublicKey     = 6
	tagMarker        = 10
	tagUserID        = 13
	tagPublicSubkey  = 14
	tagUserAttribute = 17
	tagPadding       = 21
)

// A rawPacket aliases the bytes it was split from.
type rawPacket struct {
	tag  byte
	body []byte
}

// splitPacket takes one packet off the front of in. Lengths that are not known
// beforehand are for encrypted and literal data alone, and refused here.
func splitPacket(in []byte) (p rawPacket, rest []byte, err error) {
	if len(in) == 0 || in[0]&0x80 == 0 {
		return p, nil, fmt.Errorf("not an OpenPGP packet")
	}
	var size uint64
	var head int
	if in[0]&0x40 != 0 {
		p.tag = in[0] & 0x3f
		size, head, err = packetLength(in[1:])
		head++
	} else {
		p.tag = in[0] >> 2 & 0x0f
		size, head, err = oldPacketLength(in)
	}
	if err != nil {
		return p, nil, err
	}
	if size > uint64(len(in)-head) {
		return p, nil, fmt.Errorf("a packet of %d bytes is cut short after %d", size, len(in)-head)
	}
	p.body = in[head : head+int(size)]
	return p, in[head+int(size):], nil
}

// oldPacketLength reads the length of a packet whose tag byte in[0] has the old
// form, and says how many bytes stand before the body.
func oldPacketLength(in []byte) (size uint64, head int, err error) {
	head = 1 + 1<<(in[0]&3)
	if in[0]&3 == 3 {
		return 0, 0, fmt.Errorf("a packet of unknown length")
	}
	if len(in) < head {
		return 0, 0, fmt.Errorf("a packet's header is cut short")
	}
	for _, b := range in[1:head] {
		size = size<<8 | uint64(b)
	}
	return size, head, nil
}

// packetLength reads a length in the new form, which subpackets use as well.
func packetLength(in []byte) (size uint64, head int, err error) {
	switch {
	case len(in) >= 1 && in[0] < 192:
		return uint64(in[0]), 1, nil
	case len(in) >= 2 && in[0] < 224:
		return uint64(in[0]-192)<<8 + uint64(in[1]) + 192, 2, nil
	case len(in) >= 5 && in[0] == 255:
		return uint64(binary.BigEndian.Uint32(in[1:])), 5, nil
	case len(in) >= 1 && in[0] >= 224 && in[0] < 255:
		return 0, 0, fmt.Errorf("a packet of unknown length")
	}
	return 0, 0, fmt.Errorf("a packet's header is cut short")
}
