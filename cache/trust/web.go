package trust

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A voucher is a key whose owner is believed about other people's keys.
type voucher struct {
	*certificate
	level  int
	listed bool // trusted by the keyring's own list
	master *Master
}

// appoint decides who vouches: whom the keyring's list of owner trust names. If
// that list, or without one the keyring itself, shows that this is Arch's, the
// masters of former days vouch as well, each for their own days.
func (k *Keyring) appoint() {
	k.direct = len(k.owners) == 0
	k.council = nil
	known := 0
	for _, m := range masters {
		if _, listed := k.owners[m.Fingerprint]; listed || k.direct && k.entries[m.Fingerprint] != nil {
			known++
		}
	}
	arch := known >= marginalsNeeded
	for fpr, level := range k.owners {
		v := &voucher{level: level, listed: true}
		if arch {
			v.master = masterNamed(fpr)
		}
		k.seat(v, fpr)
	}
	for _, m := range masters {
		if _, listed := k.owners[m.Fingerprint]; arch && !listed {
			k.seat(&voucher{level: ownerMarginal, listed: k.direct && m.Until.IsZero(), master: &m}, m.Fingerprint)
		}
	}
	slices.SortFunc(k.council, func(a, b *voucher) int { return cmp.Compare(a.fpr, b.fpr) })
}

// seat adds a voucher whose key is in the keyring.
func (k *Keyring) seat(v *voucher, fpr Fingerprint) {
	if v.certificate = k.find(fpr); v.certificate != nil {
		k.council = append(k.council, v)
	}
}

// inOffice tells whether a voucher's word counts on a day. The revocations of
// Arch's retired masters were made in advance and say nothing of when: the table
// of masters does. One that is revoked as compromised counts never.
func (v *voucher) inOffice(k *Keyring, at instant) bool {
	if at < v.created {
		return false
	}
	if v.master == nil {
		return v.listed && !k.revoked[v.fpr] && k.usable(v.certificate, at) == nil
	}
	if slices.ContainsFunc(v.revocations(k.find), func(s *signature) bool { return s.reason == reasonCompromised }) {
		return false
	}
	if retired := !v.master.Until.IsZero(); retired {
		return at < instant(v.master.Until.Unix())
	}
	return at < instant(mastersAsOf.Unix()) || v.listed && k.usable(v.certificate, at) == nil
}

// usable tells why a key cannot be used on a day; nil if it can.
func (k *Keyring) usable(c *certificate, at instant) *flaw {
	if by := endedBy(c.revocations(k.find), at); by != nil {
		return endedFlaw("key", by)
	}
	switch t := c.terms(at); {
	case at < c.created:
		return &flaw{ErrUntrusted, "the key was made later, on " + date(c.created)}
	case !t.claimed:
		return &flaw{ErrUntrusted, "no user id is confirmed by the key's owner"}
	case t.expires != 0 && at >= t.expires:
		return &flaw{ErrExpired, "the key expired on " + date(t.expires)}
	}
	return nil
}

// listed tells whether a key is one of those that the keyring names as trusted.
func (k *Keyring) listed(f Fingerprint) bool {
	return slices.ContainsFunc(k.council, func(v *voucher) bool { return v.fpr == f && v.listed })
}

// A standing says on whose word a key is trusted.
type standing struct {
	user *user      // nil if the key has none
	by   []*voucher // those it took; none if it was trusted directly
}

// stands tells whether a key is whom it says it is on a day, and if not, why.
func (k *Keyring) stands(c *certificate, at instant) (standing, *flaw) {
	if f := k.usable(c, at); f != nil {
		return standing{}, f
	}
	if k.listed(c.fpr) {
		return standing{user: c.face(at)}, nil
	}
	if k.revoked[c.fpr] && len(c.revocations(k.find)) == 0 && !k.said(c, func(s *signature) bool { return s.kind == revokesCert }) {
		return standing{}, &flaw{ErrRetired, "the keyring lists the key as revoked and does not say since when"}
	}
	if k.direct && !k.said(c, func(*signature) bool { return true }) {
		return standing{user: c.face(at)}, nil
	}
	for _, day := range k.hearings(c, at) {
		if s, ok := k.vouched(c, day); ok {
			return s, nil
		}
	}
	return standing{}, &flaw{ErrUntrusted, k.tooFew(c, at)}
}

// maxHearings bounds how many days are tried for one key; Arch's have a dozen.
const maxHearings = 256

// hearings lists the days, from the given one on, on which a key may have been
// trusted: that day itself, each later one on which a voucher certified it, and
// each on which one had not yet taken that back.
//
// Trust reaches back, because whoever says in 2023 that this key is that
// person's says so of what the person signed with it in 2016, too; GnuPG does not
// even ask when a certification was made. It has to: a keyring keeps only the
// newest certification by each master and drops those by masters who retired, so
// that most of what made a key trusted ten years ago is gone from the keyring
// of today. It never reaches forward past a withdrawal.
func (k *Keyring) hearings(c *certificate, at instant) []instant {
	days := []instant{at}
	for _, u := range c.users {
		for _, s := range u.others {
			i := slices.IndexFunc(k.council, func(v *voucher) bool { return s.names(v.publicKey) })
			if i < 0 || s.created <= at {
				continue
			}
			if s.kind == revokesCert {
				days = append(days, max(at, s.created-1), max(at, k.council[i].created))
			} else {
				days = append(days, s.created)
			}
		}
	}
	slices.Sort(days)
	days = slices.Compact(days)
	return days[:min(len(days), maxHearings)]
}

// vouched tells whether enough vouchers in office agreed, on a day, that one user
// id is the key's. It checks no more signatures than it takes to know.
func (k *Keyring) vouched(c *certificate, day instant) (standing, bool) {
	for _, u := range c.users {
		spoke := k.speakers(u, day)
		if u.attribute || weight(spoke) < marginalsNeeded || c.userHolds(u, day) == nil {
			continue
		}
		var by []*voucher
		for _, v := range spoke {
			if !c.certified(v, u, day) {
				continue
			}
			if by = append(by, v); weight(by) >= marginalsNeeded {
				return standing{u, by}, true
			}
		}
	}
	return standing{}, false
}

// speakers are the vouchers in office on a day who seem to have said something,
// at whatever time, of a user id.
func (k *Keyring) speakers(u *user, day instant) (spoke []*voucher) {
	for _, v := range k.council {
		if slices.ContainsFunc(u.others, func(s *signature) bool { return s.names(v.publicKey) }) && v.inOffice(k, day) {
			spoke = append(spoke, v)
		}
	}
	return spoke
}

// weight is what some vouchers' words are worth together, in marginal ones.
func weight(of []*voucher) (sum int) {
	for _, v := range of {
		switch v.level {
		case ownerMarginal:
			sum++
		case ownerFull, ownerUltimate:
			sum += marginalsNeeded / completesNeeded
		}
	}
	return sum
}

// certified tells what a voucher's word was on a day: the latest by then. If
// there is none and the next one takes a certification back, there was one, which
// the keyring has dropped: GnuPG, for one, keeps only the revocation.
func (c *certificate) certified(v *voucher, u *user, day instant) bool {
	isWord := c.wordOf(v, u)
	if s := latest(u.others, day, isWord); s != nil {
		return s.kind != revokesCert && !s.expired(day)
	}
	for _, s := range u.others {
		if s.created > day && isWord(s) {
			return s.kind == revokesCert
		}
	}
	return false
}

// wordOf checks whether a statement on a user id is a voucher's. A certification
// with a weak digest is none, nor is one that was not meant to leave the
// voucher's own keyring; a revocation counts in any case.
func (c *certificate) wordOf(v *voucher, u *user) func(*signature) bool {
	return func(s *signature) bool {
		if !s.names(v.publicKey) || s.kind != revokesCert && (s.weak() != "" || s.local) {
			return false
		}
		return s.good(v.publicKey, c.userCovers(u, s)...)
	}
}

// said tells whether any voucher made a statement of some kind on the key, on
// whatever day.
func (k *Keyring) said(c *certificate, which func(*signature) bool) bool {
	for _, u := range c.users {
		for _, v := range k.council {
			if slices.ContainsFunc(u.others, func(s *signature) bool { return which(s) && c.wordOf(v, u)(s) }) {
				return true
			}
		}
	}
	return false
}

// tooFew explains how many vouch for a key, and whether more once did.
func (k *Keyring) tooFew(c *certificate, at instant) string {
	have, withdrawn := 0, 0
	var last instant
	for _, u := range c.users {
		n := 0
		for _, v := range k.speakers(u, at) {
			if c.certified(v, u, at) && c.userHolds(u, at) != nil {
				n++
			}
		}
		have = max(have, n)
	}
	for _, v := range k.council {
		for _, u := range c.users {
			if s := latest(u.others, at, c.wordOf(v, u)); s != nil && s.kind == revokesCert {
				withdrawn, last = withdrawn+1, max(last, s.created)
				break
			}
		}
	}
	why := fmt.Sprintf("%d master keys vouched for it on %s, and %d must", have, date(at), marginalsNeeded)
	if withdrawn > 0 {
		why += fmt.Sprintf("; %d had taken their word back, the last on %s", withdrawn, date(last))
	}
	return why
}

// face is the user id that stands for a key: the one its owner marked as
// primary, else the first that holds.
func (c *certificate) face(at instant) (face *user) {
	for _, u := range c.users {
		s := c.userHolds(u, at)
		switch {
		case s == nil || u.attribute:
		case s.primary:
			return u
		case face == nil:
			face = u
		}
	}
	return face
}

// endedFlaw explains a revocation of a key or subkey.
func endedFlaw(what string, by *signature) *flaw {
	switch {
	case by.reason == reasonCompromised:
		return &flaw{ErrCompromised, "the " + what + " was revoked as compromised on " + date(by.created)}
	case by.hard():
		return &flaw{ErrCompromised, "the " + what + " was revoked on " + date(by.created) + " without saying that nobody else had it"}
	}
	return &flaw{ErrRetired, "the " + what + " was retired on " + date(by.created)}
}

func date(at instant) string { return at.time().Format(time.DateOnly) }

func (s standing) userID() string {
	if s.user == nil {
		return ""
	}
	return s.user.String()
}

func (s standing) vouchers() (by []Fingerprint) {
	for _, v := range s.by {
		by = append(by, v.fpr)
	}
	return by
}
