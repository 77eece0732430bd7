package trust

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// A certificate is a key with all that is known of it: user ids, subkeys, and
// what its owner and others say of them.
type certificate struct {
	*publicKey
	own     []*signature // on the key itself: overKey, revokesKey
	users   []*user
	subkeys []*subkey
}

// A user is one user id (or attribute: a picture) of a key.
type user struct {
	raw       []byte
	attribute bool
	self      []*signature // the owner's own statements, oldest first
	others    []*signature // everybody else's, oldest first
}

// A subkey is bound to its certificate by the owner's statements.
type subkey struct {
	*publicKey
	self []*signature
}

// assemble builds a certificate of the packets that follow one primary key, in
// one or several runs: a keyring put together of two exports has two.
func assemble(key *publicKey, runs [][]byte) *certificate {
	a := &assembler{cert: &certificate{publicKey: key}, users: map[string]*user{}, subkeys: map[string]*subkey{}}
	for _, run := range runs {
		a.gather(run)
	}
	c := a.cert
	sortByAge(c.own)
	for _, u := range c.users {
		sortByAge(u.self)
		sortByAge(u.others)
	}
	for _, s := range c.subkeys {
		sortByAge(s.self)
	}
	return c
}

// sortByAge puts the oldest first, and of one second a revocation after what it
// may revoke.
func sortByAge(sigs []*signature) {
	slices.SortStableFunc(sigs, func(a, b *signature) int {
		return cmp.Or(cmp.Compare(a.created, b.created), cmp.Compare(a.kind, b.kind))
	})
}

// An assembler files packets, which come in order: a signature is about the key
// or user id before it.
type assembler struct {
	cert    *certificate
	users   map[string]*user // by tag and text
	subkeys map[string]*subkey
}

// gather files the packets of one run. Whatever cannot be read is left out, as
// if it were not there: a keyring is a collection, and one odd signature on one
// key is no reason to distrust the rest.
func (a *assembler) gather(run []byte) {
	file := a.fileOwn
	for len(run) > 0 {
		p, rest, err := splitPacket(run)
		if err != nil {
			return
		}
		run = rest
		switch p.tag {
		case tagUserID, tagUserAttribute:
			u := a.user(p)
			file = func(s *signature) { a.fileUser(u, s) }
		case tagPublicSubkey:
			k := a.subkey(p.body)
			file = func(s *signature) { k.file(s) }
		case tagSignature:
			if s, err := parseSignature(p.body); err == nil {
				file(s)
			}
		}
	}
}

func (a *assembler) fileOwn(s *signature) {
	if s.kind == overKey || s.kind == revokesKey {
		a.cert.own = append(a.cert.own, s)
	}
}

func (a *assembler) fileUser(u *user, s *signature) {
	switch {
	case s.kind != revokesCert && (s.kind < certGeneric || s.kind > certPositive):
	case s.names(a.cert.publicKey):
		u.self = append(u.self, s)
	default:
		u.others = append(u.others, s)
	}
}

// user finds or adds the user id of a packet.
func (a *assembler) user(p rawPacket) *user {
	name := string(rune(p.tag)) + string(p.body)
	u := a.users[name]
	if u == nil {
		u = &user{raw: p.body, attribute: p.tag == tagUserAttribute}
		a.users[name] = u
		a.cert.users = append(a.cert.users, u)
	}
	return u
}

// subkey finds or adds a subkey; nil if its packet cannot be read.
func (a *assembler) subkey(body []byte) *subkey {
	if k := a.subkeys[string(body)]; k != nil {
		return k
	}
	key, err := newPublicKey(body)
	if err != nil {
		return nil
	}
	k := &subkey{publicKey: key}
	a.subkeys[string(body)] = k
	a.cert.subkeys = append(a.cert.subkeys, k)
	return k
}

func (k *subkey) file(s *signature) {
	if k != nil && (s.kind == bindsSubkey || s.kind == revokesSubkey) {
		k.self = append(k.self, s)
	}
}

// subkeyNamed finds a subkey; nil if the certificate has none of that name.
func (c *certificate) subkeyNamed(f Fingerprint) *subkey {
	for _, k := range c.subkeys {
		if k.fpr == f {
			return k
		}
	}
	return nil
}

// names tells whether a signature says that a key made it.
func (s *signature) names(k *publicKey) bool {
	if s.issuerFpr != "" {
		return s.issuerFpr == k.fpr
	}
	return s.issuer == k.id
}

func (u *user) String() string {
	if u.attribute {
		return "(picture)"
	}
	return printable(string(u.raw))
}

// printable makes a user id safe to print: it comes from a stranger and goes to
// a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
