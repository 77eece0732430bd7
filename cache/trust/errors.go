package trust

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The reasons for which a package is refused; each [Error] wraps one.
var (
	ErrUnsigned    = errors.New("not signed")
	ErrMalformed   = errors.New("the signature cannot be read")
	ErrUnsupported = errors.New("the signature is of a kind that is not accepted")
	ErrMismatch    = errors.New("the signature does not match the file")
	ErrUnknownKey  = errors.New("signed with an unknown key")
	ErrUntrusted   = errors.New("signed with a key that was not trusted")
	ErrRetired     = errors.New("signed with a key that had been retired")
	ErrCompromised = errors.New("signed with a key that is compromised")
	ErrExpired     = errors.New("signed with a key that had expired")
	ErrLapsed      = errors.New("the signature itself has run out")
	ErrWeak        = errors.New("the signature rests on a broken digest")
	ErrFuture      = errors.New("the signature is dated in the future")
)

// hints say what to do about each.
var hints = map[error]string{
	ErrUnsigned:    `a repository that signs nothing needs siglevel = "optional" in devenv.toml`,
	ErrMalformed:   "fetch it again, or use another mirror",
	ErrUnsupported: "choose a version that is signed as makepkg --sign does",
	ErrMismatch:    "the file was altered, or the signature is another file's: fetch both again, or use another mirror",
	ErrUnknownKey:  "a newer keyring may hold the key; a repository that is not Arch's needs its own keyring = \"FILE\" in devenv.toml",
	ErrUntrusted:   "choose a version that somebody else built, or one from a day on which this key was trusted",
	ErrRetired:     "choose a version that was built before that day, or by somebody else",
	ErrCompromised: "choose a version that somebody else built",
	ErrExpired:     "a newer keyring may hold the prolonged key; else choose a version that somebody else built",
	ErrLapsed:      "choose a version that was signed since",
	ErrWeak:        "choose a version that was signed since",
	ErrFuture:      "set this machine's clock right, or use another mirror",
}

// An Error is a package that was not accepted.
type Error struct {
	Package string
	Reason  error       // one of the Err values of this package
	Key     Fingerprint // the key that made the signature, or as much of its name as it gives
	UserID  string      // whose that is; empty if the key is unknown
	Signed  time.Time   // when, as the signature says
	Why     string      // the particulars
	Keyring string      // the keyring that was asked
}

// Error tells what happened, to what, and what to do next.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v", e.Package, e.Reason)
	if e.Key != "" {
		fmt.Fprintf(&b, " (key %s", e.Key)
		if e.UserID != "" {
			fmt.Fprintf(&b, ", %s", e.UserID)
		}
		fmt.Fprintf(&b, ", on %s)", e.Signed.Format(time.DateOnly))
	}
	if e.Why != "" {
		fmt.Fprintf(&b, ": %s", e.Why)
	}
	fmt.Fprintf(&b, "; %s", e.Hint())
	return b.String()
}

// Hint is the last part of the message: what to do next.
func (e *Error) Hint() string { return hints[e.Reason] }

func (e *Error) Unwrap() error { return e.Reason }

// A flaw is why a key or a signature does not count.
type flaw struct {
	reason error
	why    string
}
