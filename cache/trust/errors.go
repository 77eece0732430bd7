package trust

import "errors"

// The reasons for which a package is refused; each [Error] wraps one.
var (
	ErrUnsigned    = errors.New("not signed")
	ErrMalformed   = errors.New("signature is damaged")
	ErrMismatch    = errors.New("signature does not match the file")
	ErrUnknownKey  = errors.New("signed with an unknown key")
	ErrUntrusted   = errors.New("signed with a key that was not trusted")
	ErrRevoked     = errors.New("signed with a key that had been revoked")
	ErrCompromised = errors.New("signed with a compromised key")
	ErrExpired     = errors.New("signed with a key that had expired")
	ErrWeak        = errors.New("signature uses a broken digest")
	ErrFuture      = errors.New("signature is dated in the future")
)
