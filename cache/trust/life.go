package trust

// This file answers what a key's owner said of it, as of a day. Two rules hold
// throughout:
//
// The statement that counts is the latest one made by that day. Where there is
// none, the earliest one made later does: an owner who prolongs a key's life
// replaces the older signature, and keyrings keep the newest only.
//
// A revocation counts from its date if its reason says that nothing happened
// (superseded, retired, user id no longer valid). Any other, and one without a
// reason, says that the key may have been in other hands for who knows how long:
// it counts from the beginning (RFC 9580, section 5.2.3.31).

// Reasons for a revocation.
const (
	reasonNone        = 0x00
	reasonSuperseded  = 0x01
	reasonCompromised = 0x02
	reasonRetired     = 0x03
	reasonUserInvalid = 0x20
)

// hard tells whether a revocation reaches back to the key's first day.
func (s *signature) hard() bool {
	return s.reason != reasonSuperseded && s.reason != reasonRetired && s.reason != reasonUserInvalid
}

// inForce returns the statement among sigs (oldest first) that counts on a day,
// trying each only until one passes.
func inForce(sigs []*signature, at instant, passes func(*signature) bool) *signature {
	later := len(sigs)
	for later > 0 && sigs[later-1].created > at {
		later--
	}
	for i := later - 1; i >= 0; i-- {
		if passes(sigs[i]) {
			return sigs[i]
		}
	}
	for _, s := range sigs[later:] {
		if s.kind != revokesCert && passes(s) {
			return s
		}
	}
	return nil
}

// latest returns the newest statement made by a day, with no regard to later ones:
// what others certify counts from its date.
func latest(sigs []*signature, at instant, passes func(*signature) bool) *signature {
	for i := len(sigs) - 1; i >= 0; i-- {
		if sigs[i].created <= at && passes(sigs[i]) {
			return sigs[i]
		}
	}
	return nil
}

// selfGood checks an owner's statement about a user id.
func (c *certificate) selfGood(u *user) func(*signature) bool {
	return func(s *signature) bool { return s.good(c.publicKey, c.userCovers(u, s)...) }
}

func (c *certificate) userCovers(u *user, s *signature) [][]byte {
	return append([][]byte{c.material(), c.body}, userMaterial(u, s.version)...)
}

// userHolds returns the owner's statement in force on a user id, or nil if the user id is not the key's, was
// revoked, or the statement ran out.
func (c *certificate) userHolds(u *user, at instant) *signature {
	s := inForce(u.self, at, c.selfGood(u))
	if s == nil || s.kind == revokesCert || s.expired(at) {
		return nil
	}
	return s
}

// ownGood checks a statement on the key itself by its owner.
func (c *certificate) ownGood(s *signature) bool {
	return s.names(c.publicKey) && s.good(c.publicKey, c.material(), c.body)
}

// terms are what the owner says of the whole key: how long it lives and what it
// may do. A statement on the key itself goes before those on user ids, for each
// of the two questions apart.
type terms struct {
	expires instant // 0: never
	flags   byte
	claimed bool // the owner bound the key to something at all
}

func (c *certificate) terms(at instant) terms {
	var t terms
	var all []*signature
	of := map[*signature]*user{}
	for _, u := range c.users {
		for _, s := range u.self {
			all, of[s] = append(all, s), u
		}
	}
	sortByAge(all)
	main := inForce(all, at, func(s *signature) bool { return c.userHolds(of[s], at) == s })
	direct := inForce(c.own, at, func(s *signature) bool {
		return s.kind == overKey && !s.expired(at) && c.ownGood(s)
	})
	t.claimed = main != nil || direct != nil && c.version == 6
	life, use := pick(direct, main, func(s *signature) bool { return s.keyLifes }),
		pick(direct, main, func(s *signature) bool { return s.flagged })
	if life != nil && life.keyLife != 0 {
		t.expires = c.created + instant(life.keyLife)
	}
	t.flags = usage(use, c.publicKey)
	return t
}

// pick returns the first of two statements that says something of a matter.
func pick(a, b *signature, says func(*signature) bool) *signature {
	for _, s := range []*signature{a, b} {
		if s != nil && says(s) {
			return s
		}
	}
	return nil
}

// usage is what a key may be used for: without flags, whatever it can.
func usage(s *signature, k *publicKey) byte {
	switch {
	case s != nil && s.flagged:
		return s.flags
	case k.canSign():
		return mayCertify | maySign
	}
	return 0
}

// subkeyTerms are those of a subkey; claimed is false if the owner never bound it
// or the subkey, where it signs, never consented: without that, anybody could
// claim another's signatures by binding their subkey.
func (c *certificate) subkeyTerms(k *subkey, at instant) terms {
	bind := inForce(k.self, at, func(s *signature) bool {
		return s.kind == bindsSubkey && !s.expired(at) && s.good(c.publicKey, c.subkeyCovers(k)...)
	})
	if bind == nil {
		return terms{}
	}
	t := terms{flags: usage(bind, k.publicKey), claimed: true}
	if bind.keyLife != 0 {
		t.expires = k.created + instant(bind.keyLife)
	}
	if t.flags&maySign != 0 && !c.consents(k, bind) {
		t.claimed = false
	}
	return t
}

func (c *certificate) subkeyCovers(k *subkey) [][]byte {
	return [][]byte{c.material(), c.body, k.material(), k.body}
}

// consents checks the subkey's own signature on its binding.
func (c *certificate) consents(k *subkey, bind *signature) bool {
	back, err := parseSignature(bind.embedded)
	return err == nil && back.kind == bindsPrimary && back.good(k.publicKey, c.subkeyCovers(k)...)
}

// revocations returns the owner's good revocations of the key, and those of whom
// the owner named to do it.
func (c *certificate) revocations(find func(Fingerprint) *certificate) (found []*signature) {
	for _, s := range c.own {
		if s.kind == revokesKey && (c.ownGood(s) || c.revokedFor(s, find)) {
			found = append(found, s)
		}
	}
	return found
}

// revokedFor checks a revocation by a designated revoker.
func (c *certificate) revokedFor(s *signature, find func(Fingerprint) *certificate) bool {
	for _, own := range c.own {
		for _, by := range own.revokers {
			r := find(by)
			if r != nil && s.names(r.publicKey) && c.ownGood(own) && s.good(r.publicKey, c.material(), c.body) {
				return true
			}
		}
	}
	return false
}

// subkeyRevocations returns the owner's good revocations of a subkey.
func (c *certificate) subkeyRevocations(k *subkey) (found []*signature) {
	for _, s := range k.self {
		if s.kind == revokesSubkey && s.good(c.publicKey, c.subkeyCovers(k)...) {
			found = append(found, s)
		}
	}
	return found
}

// endedBy returns the revocation that counts on a day, the hardest first.
func endedBy(revocations []*signature, at instant) (by *signature) {
	for _, s := range revocations {
		switch {
		case s.hard():
			return s
		case s.created <= at && by == nil:
			by = s
		}
	}
	return by
}
