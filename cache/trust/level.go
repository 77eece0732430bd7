package trust

import "fmt"

// A Level says how much a repository's packages must prove: siglevel in
// devenv.toml.
type Level int

// The levels, with pacman's names for the first and second of them (pacman.conf(5),
// SigLevel). What a signature must be is the same wherever one is checked.
const (
	Required Level = iota // every package is signed and trusted
	Optional              // a signature that is there must be good
	Never                 // signatures are not looked at
)

var levelNames = [...]string{Required: "required", Optional: "optional", Never: "never"}

func (l Level) String() string { return levelNames[l] }

// ParseLevel reads a level; empty means Required.
func ParseLevel(s string) (Level, error) {
	if s == "" {
		return Required, nil
	}
	for l, name := range levelNames {
		if s == name {
			return Level(l), nil
		}
	}
	return Required, fmt.Errorf(`%q is not a siglevel: use "required", "optional" or "never"`, s)
}

// Warning is what must be said, once and loudly, wherever a level below Required
// is in force; empty for Required.
func (l Level) Warning(repo string) string {
	switch l {
	case Optional:
		return fmt.Sprintf(`packages of %s need not be signed (siglevel = "optional")`, repo)
	case Never:
		return fmt.Sprintf(`signatures of packages of %s are not checked (siglevel = "never")`, repo)
	}
	return ""
}

// Verifier begins to check a package as a level demands. With nothing to check
// (no signature and Optional, or Never) the Verifier accepts everything and names
// no signer; k may be nil then.
func (l Level) Verifier(k *Keyring, pkg string, sig []byte) (*Verifier, error) {
	switch {
	case l == Never, l == Optional && len(sig) == 0:
		return &Verifier{pkg: pkg}, nil
	case len(sig) == 0:
		return nil, &Error{Package: pkg, Reason: ErrUnsigned}
	case k == nil:
		return nil, &Error{Package: pkg, Reason: ErrUnknownKey, Why: "there is no keyring to look in"}
	}
	return k.Verifier(pkg, sig)
}
