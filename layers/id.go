package layers

import (
	"crypto/sha256"
	"encoding/hex"
)

// format is part of every layer's id. It changes when an unpacked layer or its
// record would come out differently for the same package file; layers of an
// older format are then simply not found, and collected.
const format = "devenv layer v1\n"

// ID is the id of the layer of the package file with this SHA-256 (lower-case
// hexadecimal).
func ID(sha256sum string) string {
	sum := sha256.Sum256([]byte(format + sha256sum))
	return hex.EncodeToString(sum[:])
}
