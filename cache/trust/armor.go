package trust

import (
	"bytes"
	"encoding/base64"
	"fmt"
)

// unwrap returns the binary packets in data, which may be binary already, in one
// or more ASCII armored blocks of the given kind, or (bare base64) as %PGPSIG% in
// a sync database holds a signature.
func unwrap(data []byte, kind string) ([]byte, error) {
	if len(data) > 0 && data[0]&0x80 != 0 {
		return data, nil
	}
	if bytes.Contains(data, []byte("-----BEGIN PGP ")) {
		return dearmor(data, kind)
	}
	packets, err := unbase64(data)
	if err != nil || len(packets) == 0 {
		return nil, fmt.Errorf("neither binary nor ASCII armored OpenPGP data")
	}
	return packets, nil
}

// dearmor joins all blocks of one kind ("PUBLIC KEY BLOCK", "SIGNATURE") in text.
// What stands outside of blocks is ignored, as is the checksum: RFC 9580 section
// 6.1 forbids to reject a block for it, and it protects against nobody.
func dearmor(text []byte, kind string) ([]byte, error) {
	var packets []byte
	begin, end := []byte("-----BEGIN PGP "+kind+"-----"), []byte("-----END PGP "+kind+"-----")
	found := false
	for {
		_, rest, ok := bytes.Cut(text, begin)
		if !ok {
			break
		}
		block, after, ok := bytes.Cut(rest, end)
		if !ok {
			return nil, fmt.Errorf("an armored block has no end line")
		}
		data, err := unbase64(armorBody(block))
		if err != nil {
			return nil, fmt.Errorf("an armored block: %w", err)
		}
		packets, text, found = join(packets, data), after, true
	}
	if !found {
		return nil, fmt.Errorf("armored, but holds no PGP %s", kind)
	}
	return packets, nil
}

// join is append that does not copy for the first block, which most often is all.
func join(all, block []byte) []byte {
	if all == nil {
		return block
	}
	return append(all, block...)
}

// armorBody cuts the headers (lines with a colon, and blank ones) and the checksum
// (the line that begins with =) off an armored block.
func armorBody(block []byte) []byte {
	for {
		line, rest, ok := bytes.Cut(block, []byte("\n"))
		if !ok || len(bytes.TrimSpace(line)) > 0 && !bytes.ContainsRune(line, ':') {
			break
		}
		block = rest
	}
	if i := bytes.LastIndex(block, []byte("\n=")); i >= 0 {
		block = block[:i]
	}
	return block
}

// unbase64 decodes base64. Line ends in it are no matter to the decoder; other
// white space is rare.
func unbase64(text []byte) ([]byte, error) {
	if bytes.IndexByte(text, ' ') >= 0 || bytes.IndexByte(text, '\t') >= 0 {
		text = bytes.Join(bytes.Fields(text), nil)
	}
	packets := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(packets, text)
	return packets[:n], err
}
