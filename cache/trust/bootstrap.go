package trust

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"devenv/layers/alpm"
)

// keyringDir is where a keyring package has its files (pacman-key(8)).
const keyringDir = "usr/share/pacman/keyrings/"

// maxKeyringPackage bounds what a keyring package unpacks to.
const maxKeyringPackage = 256 << 20

// FromPackage takes the keyring out of a package such as archlinux-keyring and
// accepts it if the package's signature counts: by the word of the built-in
// [Masters] on its signer's key, which is inside, or else by one of the keyrings
// accepted before. The masters vouch for Arch's own keyring alone. A signer whom
// any of them knows to be compromised is refused whoever vouches. name is the
// package file's.
//
// What is read before the signature is checked is read as hostile.
func FromPackage(name string, pkg io.Reader, sig []byte, before ...*Keyring) (*Keyring, *Verified, error) {
	content, err := readKeyringPackage(name, pkg, sig)
	if err != nil {
		return nil, nil, err
	}
	inside, err := Parse(content.files)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	judges := before
	if content.pkgname == "archlinux-keyring" {
		judges = append([]*Keyring{inside.underMasters()}, before...)
	}
	by, err := content.judge(judges)
	if err != nil {
		return nil, nil, err
	}
	return inside, by, nil
}

// judge asks keyrings whether the package's signature counts.
func (p *keyringPackage) judge(by []*Keyring) (accepted *Verified, err error) {
	refused := error(&Error{Package: p.files.Name, Reason: ErrUntrusted, Why: "no keyring is at hand that could vouch for it"})
	for i, k := range by {
		v, err := p.judgedBy(k)
		switch {
		case errors.Is(err, ErrCompromised):
			return nil, err
		case err == nil && accepted == nil:
			accepted = v
		case i == 0:
			refused = err
		}
	}
	if accepted == nil {
		return nil, refused
	}
	return accepted, nil
}

// underMasters is the same keyring with the built-in masters as the only ones who
// vouch.
func (k *Keyring) underMasters() *Keyring {
	strict := *k
	strict.owners = map[Fingerprint]int{}
	for _, m := range masters {
		if m.Until.IsZero() || k.owners[m.Fingerprint] != 0 {
			strict.owners[m.Fingerprint] = ownerMarginal
		}
	}
	strict.appoint()
	return &strict
}

// A keyringPackage is what was read of one, and the digests of all of it.
type keyringPackage struct {
	files   Files
	pkgname string
	built   time.Time
	claims  []*claim
}

// judgedBy asks a keyring whether the package's signatures count.
func (p *keyringPackage) judgedBy(k *Keyring) (*Verified, error) {
	v := &Verifier{keyring: k, pkg: p.files.Name}
	for _, c := range p.claims {
		c := &claim{sig: c.sig, closed: c.closed}
		if f := v.admit(c); f != nil {
			return nil, v.refuse(c, f)
		}
		v.claims = append(v.claims, c)
	}
	return v.Finish(p.built)
}

// readKeyringPackage reads a package once, for its files and its digests.
func readKeyringPackage(name string, pkg io.Reader, sig []byte) (*keyringPackage, error) {
	p := &keyringPackage{files: Files{Name: name}}
	sigs, err := parseSignatures(sig)
	if err != nil {
		return nil, &Error{Package: name, Reason: ErrMalformed, Why: err.Error()}
	}
	hashes := &Verifier{}
	for _, s := range sigs {
		c := &claim{sig: s}
		if f := c.open(); f != nil {
			return nil, &Error{Package: name, Reason: f.reason, Why: f.why}
		}
		hashes.claims = append(hashes.claims, c)
	}
	all := io.TeeReader(pkg, hashes)
	if err := p.unpack(all); err != nil {
		return nil, fmt.Errorf("%s: not a keyring package: %w", name, err)
	}
	if _, err := io.Copy(io.Discard, all); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, c := range hashes.claims {
		c.close()
	}
	p.claims = hashes.claims
	return p, nil
}

// unpack reads .PKGINFO and, named after the package, the keyring's three files.
func (p *keyringPackage) unpack(pkg io.Reader) error {
	plain, _, err := alpm.Decompress(pkg)
	if err != nil {
		return err
	}
	defer plain.Close()
	archive := tar.NewReader(io.LimitReader(plain, maxKeyringPackage))
	for {
		head, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := p.entry(path.Clean(head.Name), archive); err != nil {
			return err
		}
	}
	if len(p.files.Keys) == 0 {
		return fmt.Errorf("no %s.gpg in it", p.base())
	}
	if len(p.files.Trusted) == 0 { // then whoever is in it would be trusted
		return fmt.Errorf("no %s-trusted in it", p.base())
	}
	return nil
}

// base is what the package's keyring files are called, but for their endings.
func (p *keyringPackage) base() string {
	return keyringDir + strings.TrimSuffix(p.pkgname, "-keyring")
}

func (p *keyringPackage) entry(name string, data io.Reader) error {
	if name == ".PKGINFO" {
		info, err := alpm.ReadPkgInfo(data)
		if err != nil {
			return err
		}
		p.pkgname = info.Name
		if info.BuildDate != 0 {
			p.built = time.Unix(info.BuildDate, 0)
		}
		if n, v, _, ok := alpm.ParseFilename(p.files.Name); ok && (n != info.Name || v != info.Version) {
			return fmt.Errorf("it is %s %s by its own account", info.Name, info.Version)
		}
		return nil
	}
	file, ok := strings.CutPrefix(name, p.base())
	if !ok {
		return nil
	}
	into := map[string]*[]byte{".gpg": &p.files.Keys, "-trusted": &p.files.Trusted, "-revoked": &p.files.Revoked}[file]
	if into == nil {
		return nil
	}
	content, err := io.ReadAll(io.LimitReader(data, maxKeyring+1))
	if err != nil {
		return err
	}
	if len(content) > maxKeyring {
		return fmt.Errorf("%s is larger than %d MiB, which no keyring is", name, maxKeyring>>20)
	}
	*into = content
	return nil
}
