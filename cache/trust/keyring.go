package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of a keyring. Arch's has 1.7 MB and 3,400 packets.
const (
	maxKeyring = 64 << 20
	maxPackets = 250_000
)

// Files are the three files of a pacman keyring (pacman-key(8)). Trusted and
// Revoked may be empty.
type Files struct {
	Name    string // for messages and the lock: a path, or a package's name
	Keys    []byte // public keys, binary or ASCII armored; kept, not copied
	Trusted []byte // FINGERPRINT:LEVEL: lines; where there are none, every key is trusted
	Revoked []byte // fingerprints, one a line
}

// A Keyring holds public keys and knows which of them are trusted, on any day.
// It does not change and is safe for concurrent use.
type Keyring struct {
	name    string
	id      string
	entries map[Fingerprint]*entry
	order   []*entry
	byID    map[uint64][]candidate // primary keys and subkeys
	owners  map[Fingerprint]int
	revoked map[Fingerprint]bool
	direct  bool       // no one was named to vouch: being in the file is enough
	council []*voucher // those who vouch and whose keys are here, by fingerprint
	now     func() time.Time
}

// An entry is a key whose packets were found but, until it is needed, not read.
type entry struct {
	key  *publicKey
	runs [][]byte
	once sync.Once
	cert *certificate
}

func (e *entry) certificate() *certificate {
	e.once.Do(func() { e.cert = assemble(e.key, e.runs) })
	return e.cert
}

// A candidate is a key that may have made a signature: subkey is empty for the
// primary key itself.
type candidate struct {
	entry  *entry
	subkey Fingerprint
}

// Open reads a keyring file and, where they are beside it, the two files that
// say whom to trust: for keys.gpg, keys-trusted (or keys.gpg-trusted) and
// keys-revoked. Without the former every key in the file is trusted.
func Open(path string) (*Keyring, error) {
	f := Files{Name: path}
	var err error
	if f.Keys, err = readLimited(path, maxKeyring); err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	if f.Trusted, err = beside(path, "-trusted"); err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	if f.Revoked, err = beside(path, "-revoked"); err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	return Parse(f)
}

// beside reads a companion of a keyring file; nil if there is none.
func beside(path, suffix string) ([]byte, error) {
	for _, p := range []string{strings.TrimSuffix(path, filepath.Ext(path)) + suffix, path + suffix} {
		data, err := readLimited(p, maxKeyring)
		if !os.IsNotExist(err) {
			return data, err
		}
	}
	return nil, nil
}

func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: larger than %d MiB, which no keyring is", path, limit>>20)
	}
	return data, nil
}

// Parse reads a keyring that is in memory.
func Parse(f Files) (*Keyring, error) {
	k := &Keyring{name: f.Name, id: f.digest(), now: time.Now,
		entries: map[Fingerprint]*entry{}, byID: map[uint64][]candidate{}}
	packets, err := unwrap(f.Keys, "PUBLIC KEY BLOCK")
	if err == nil {
		err = k.index(packets)
	}
	if err != nil {
		return nil, fmt.Errorf("keyring %s: %w", f.Name, explainKeys(f, err))
	}
	if k.owners, err = parseOwners(f.Trusted); err != nil {
		return nil, fmt.Errorf("keyring %s: owner trust, %w", f.Name, err)
	}
	if k.revoked, err = parseRevoked(f.Revoked); err != nil {
		return nil, fmt.Errorf("keyring %s: revoked keys, %w", f.Name, err)
	}
	k.appoint()
	return k, nil
}

// explainKeys says what a file that is no keyring may be instead.
func explainKeys(f Files, err error) error {
	switch {
	case len(f.Keys) >= 12 && bytes.Equal(f.Keys[8:12], []byte("KBXf")):
		return fmt.Errorf("it is a GnuPG keybox; write its keys to a file with: gpg --no-default-keyring --keyring %s --export >keys.gpg", f.Name)
	case bytes.Contains(f.Keys, []byte("PRIVATE KEY BLOCK")):
		return fmt.Errorf("it holds secret keys; export the public ones with: gpg --export")
	}
	return fmt.Errorf("%w; it must hold public keys as gpg --export writes them", err)
}

// digest names the keyring by its content.
func (f Files) digest() string {
	h := sha256.New()
	for _, part := range [][]byte{f.Keys, f.Trusted, f.Revoked} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// index finds where each key begins and ends, and what it and its subkeys are
// called.
func (k *Keyring) index(in []byte) error {
	var e *entry
	start := in
	end := func(rest []byte) {
		if e != nil {
			run := start[:len(start)-len(rest)]
			e.runs = append(e.runs, run)
			k.enterSubkeys(e, run)
		}
	}
	for n := 0; len(in) > 0; n++ {
		if n == maxPackets {
			return fmt.Errorf("it holds more than %d packets", maxPackets)
		}
		p, rest, err := splitPacket(in)
		if err != nil {
			return err
		}
		switch p.tag {
		case tagSecretKey:
			return fmt.Errorf("it holds a secret key")
		case tagPublicKey:
			end(in)
			start, e = rest, nil
			if key, err := newPublicKey(p.body); err == nil { // else of a kind that is not known
				e = k.enter(key)
			}
		}
		in = rest
	}
	end(nil)
	if len(k.order) == 0 {
		return fmt.Errorf("it holds no key")
	}
	return nil
}

// enter adds a primary key, or finds it if the keyring holds it already.
func (k *Keyring) enter(key *publicKey) *entry {
	e := k.entries[key.fpr]
	if e == nil {
		e = &entry{key: key}
		k.entries[key.fpr] = e
		k.order = append(k.order, e)
		k.byID[key.id] = append(k.byID[key.id], candidate{entry: e})
	}
	return e
}

// enterSubkeys adds the names of the subkeys in a run of packets.
func (k *Keyring) enterSubkeys(e *entry, run []byte) {
	for len(run) > 0 {
		p, rest, err := splitPacket(run)
		if err != nil {
			return
		}
		run = rest
		if p.tag != tagPublicSubkey {
			continue
		}
		key, err := newPublicKey(p.body)
		if err != nil {
			continue
		}
		if c := (candidate{e, key.fpr}); !slices.Contains(k.byID[key.id], c) {
			k.byID[key.id] = append(k.byID[key.id], c)
		}
	}
}

func (k *Keyring) find(f Fingerprint) *certificate {
	if e := k.entries[f]; e != nil {
		return e.certificate()
	}
	return nil
}

// Name returns where the keyring came from.
func (k *Keyring) Name() string { return k.name }

// ID returns a digest of the keyring's content, for the lock.
func (k *Keyring) ID() string { return k.id }

// Len returns how many keys the keyring holds, trusted or not.
func (k *Keyring) Len() int { return len(k.order) }

// A Key is one entry of a keyring, as people need to see it.
type Key struct {
	Fingerprint Fingerprint
	UserID      string
	Vouchers    []Fingerprint // as many as it took; none if trusted directly
	Vouches     bool          // it is a master key: its own word counts for others
}

// Trusted lists the keys whose signatures count on a day.
func (k *Keyring) Trusted(at time.Time) (keys []Key) {
	for _, e := range k.order {
		c := e.certificate()
		if s, flaw := k.stands(c, instant(at.Unix())); flaw == nil {
			keys = append(keys, Key{c.fpr, s.userID(), s.vouchers(), k.listed(c.fpr)})
		}
	}
	return keys
}
