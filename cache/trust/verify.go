package trust

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// Bounds of a signature file. pacman's own files hold one signature of some
// hundred bytes.
const (
	maxSignatureFile = 256 << 10
	maxSignatures    = 16
)

// clockSkew is how far a signature may be dated into the future: clocks differ.
const clockSkew = 24 * 60 * 60

// Verified says who signed a package, for the lock and for people.
type Verified struct {
	Fingerprint Fingerprint   // of the packager's primary key
	Subkey      Fingerprint   // the subkey that signed; empty if the primary key did
	UserID      string        // the one that is vouched for
	SignedAt    time.Time     // as the signature says
	Vouchers    []Fingerprint // as many as it took to trust the key; none if it is trusted directly
	Keyring     string        // the keyring's ID
}

// A Verifier checks one package against its signatures while its bytes are
// written to it. It is for one goroutine.
type Verifier struct {
	keyring *Keyring // nil: nothing is to be checked
	pkg     string
	claims  []*claim
}

// A claim is one signature and the keys that may have made it: most often one.
type claim struct {
	sig     *signature
	digest  *digest
	closed  closedDigest // once the digest is closed
	signers []signer
	by      signer // whom to name: the one who made it, or the last who may have
}

// A signer is a key, or one of its subkeys.
type signer struct {
	cert   *certificate
	subkey *subkey
}

func (s signer) key() *publicKey {
	if s.subkey != nil {
		return s.subkey.publicKey
	}
	return s.cert.publicKey
}

// Verifier begins to check a package (named for messages) against its detached
// signature: binary, ASCII armored, or base64 as %PGPSIG% holds it. Several
// signatures in one file must all count, as for pacman. What can be told without
// the package is told at once: that no such key is known, or that it was not
// trusted on the day of the signature.
func (k *Keyring) Verifier(pkg string, sig []byte) (*Verifier, error) {
	v := &Verifier{keyring: k, pkg: pkg}
	sigs, err := parseSignatures(sig)
	if err != nil {
		return nil, &Error{Package: pkg, Reason: ErrMalformed, Why: err.Error(), Keyring: k.name}
	}
	for _, s := range sigs {
		c := &claim{sig: s}
		f := v.admit(c)
		if f == nil {
			f = c.open()
		}
		if f != nil {
			return nil, v.refuse(c, f)
		}
		v.claims = append(v.claims, c)
	}
	return v, nil
}

// parseSignatures reads a signature file.
func parseSignatures(data []byte) (sigs []*signature, err error) {
	if len(data) > maxSignatureFile {
		return nil, fmt.Errorf("%d bytes are too many for a signature", len(data))
	}
	if data, err = unwrap(data, "SIGNATURE"); err != nil {
		return nil, err
	}
	for len(data) > 0 {
		p, rest, err := splitPacket(data)
		if err != nil {
			return nil, err
		}
		data = rest
		switch p.tag {
		case tagMarker, tagPadding:
			continue
		case tagSignature:
		default:
			return nil, fmt.Errorf("it is no detached signature: it holds a packet of type %d", p.tag)
		}
		s, err := parseSignature(p.body)
		if err != nil {
			return nil, err
		}
		if sigs = append(sigs, s); len(sigs) > maxSignatures {
			return nil, fmt.Errorf("more than %d signatures in one file", maxSignatures)
		}
	}
	if len(sigs) == 0 {
		return nil, fmt.Errorf("it holds no signature")
	}
	return sigs, nil
}

// unfit tells what is wrong with a signature whoever made it.
func (s *signature) unfit(now instant) *flaw {
	switch weak := s.weak(); {
	case s.kind == overText:
		return &flaw{ErrUnsupported, "it covers the file as text, and so does not tell apart files that differ in line ends"}
	case s.kind != overBinary:
		return &flaw{ErrUnsupported, fmt.Sprintf("a signature of type 0x%02x covers no file", s.kind)}
	case weak != "":
		return &flaw{ErrWeak, weak}
	case s.critical:
		return &flaw{ErrUnsupported, "it demands something that is not understood"}
	case s.created > now+clockSkew:
		return &flaw{ErrFuture, "today is " + date(now)}
	case s.expired(now):
		return &flaw{ErrLapsed, "it was good until " + date(s.created+instant(s.lifetime))}
	}
	return nil
}

// admit tells what is wrong with a claim that shows without the package, and
// looks up who may have made it.
func (v *Verifier) admit(c *claim) (f *flaw) {
	k := v.keyring
	for _, cand := range k.byID[c.sig.issuerID()] {
		cert := cand.entry.certificate()
		if s := (signer{cert: cert, subkey: cert.subkeyNamed(cand.subkey)}); c.sig.names(s.key()) {
			c.signers, c.by = append(c.signers, s), s
		}
	}
	if f := c.sig.unfit(instant(k.now().Unix())); f != nil {
		return f
	}
	if len(c.signers) == 0 {
		return &flaw{ErrUnknownKey, "it is not in keyring " + k.name}
	}
	c.by, _, f = k.choose(c.signers, c.sig, c.sig.created)
	return f
}

func (c *claim) open() *flaw {
	var err error
	if c.digest, err = c.sig.newDigest(); err != nil {
		return &flaw{ErrUnsupported, err.Error()}
	}
	return nil
}

// close ends the digest, if it was not ended before.
func (c *claim) close() closedDigest {
	if c.digest != nil {
		c.closed, c.digest = c.digest.close(), nil
	}
	return c.closed
}

// choose returns the first of some keys whose signature counts on a day, and its
// standing; if none does, the last of them, and what is wrong with it.
func (k *Keyring) choose(from []signer, sig *signature, at instant) (by signer, st standing, f *flaw) {
	for _, by = range from {
		if st, f = k.counts(by, sig, at); f == nil {
			break
		}
	}
	return by, st, f
}

// counts tells whether a signature by a key counts, judged on a day.
func (k *Keyring) counts(s signer, sig *signature, at instant) (standing, *flaw) {
	if made := s.key().created; sig.created < made {
		return standing{}, &flaw{ErrUntrusted, "the key was made later, on " + date(made)}
	}
	if _, err := s.key().numbers(); err != nil {
		return standing{}, &flaw{ErrUnsupported, "the key cannot be computed with: " + err.Error()}
	}
	st, f := k.stands(s.cert, at)
	if f != nil {
		return st, f
	}
	use := s.cert.terms(at)
	if s.subkey != nil {
		if by := endedBy(s.cert.subkeyRevocations(s.subkey), at); by != nil {
			return st, endedFlaw("subkey", by)
		}
		use = s.cert.subkeyTerms(s.subkey, at)
	}
	switch {
	case !use.claimed:
		return st, &flaw{ErrUntrusted, "its owner and the subkey do not confirm each other"}
	case use.expires != 0 && at >= use.expires:
		return st, &flaw{ErrExpired, "the key expired on " + date(use.expires)}
	case use.flags&maySign == 0:
		return st, &flaw{ErrUntrusted, "its owner does not use it for signing"}
	}
	return st, nil
}

// Write adds bytes of the package. It never fails.
func (v *Verifier) Write(p []byte) (int, error) {
	for _, c := range v.claims {
		c.digest.Write(p)
	}
	return len(p), nil
}

// Finish tells who signed what was written. built is the package's build date
// (from .PKGINFO or %BUILDDATE%; zero if it is not known): a key must have been
// trusted then as well, if that is later than the signature says, so that neither
// of two dates a forger can choose reaches past the other.
//
// It returns nil and no error where the policy was to check nothing.
func (v *Verifier) Finish(built time.Time) (*Verified, error) {
	var first *Verified
	for _, c := range v.claims {
		by, f := v.finish(c, built)
		if f != nil {
			return nil, v.refuse(c, f)
		}
		if first == nil {
			first = by
		}
	}
	return first, nil
}

func (v *Verifier) finish(c *claim, built time.Time) (*Verified, *flaw) {
	at := c.sig.created
	if !built.IsZero() {
		at = max(at, instant(built.Unix()))
	}
	sum := c.close()
	made := slices.DeleteFunc(c.signers, func(s signer) bool { return !sum.signedBy(s.key()) })
	if len(made) == 0 {
		return nil, &flaw{reason: ErrMismatch}
	}
	var st standing
	var f *flaw
	if c.by, st, f = v.keyring.choose(made, c.sig, at); f != nil {
		return nil, f
	}
	r := &Verified{Fingerprint: c.by.cert.fpr, UserID: st.userID(), Vouchers: st.vouchers(),
		SignedAt: c.sig.created.time(), Keyring: v.keyring.id}
	if c.by.subkey != nil {
		r.Subkey = c.by.subkey.fpr
	}
	return r, nil
}

// refuse turns a flaw into an error that names the package and the key.
func (v *Verifier) refuse(c *claim, f *flaw) error {
	e := &Error{Package: v.pkg, Reason: f.reason, Why: f.why, Signed: c.sig.created.time(), Keyring: v.keyring.name}
	if cert := c.by.cert; cert != nil {
		e.Key, e.UserID = cert.fpr, standing{user: cert.face(c.sig.created)}.userID()
	} else if e.Key = c.sig.issuerFpr; e.Key == "" {
		e.Key = Fingerprint(fmt.Sprintf("%016X", c.sig.issuer))
	}
	return e
}

// Verify checks a package that is read from r, in one call.
func (k *Keyring) Verify(pkg string, r io.Reader, sig []byte, built time.Time) (*Verified, error) {
	v, err := k.Verifier(pkg, sig)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(v, r); err != nil {
		return nil, fmt.Errorf("%s: %w", pkg, err)
	}
	return v.Finish(built)
}
