package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"
)

// Join returns a keyring that knows what several know together: the newest says
// who vouches, the older ones add what was certified and has since been dropped.
//
// It is for packages of years ago: Arch's keyring of today no longer holds what
// its early masters certified, the one of that day does not know who was
// compromised since. Joined, they hold both.
func Join(newest *Keyring, older ...*Keyring) *Keyring {
	k := &Keyring{entries: map[Fingerprint]*entry{}, byID: map[uint64][]candidate{},
		owners: newest.owners, revoked: map[Fingerprint]bool{}, now: newest.now}
	all := append([]*Keyring{newest}, older...)
	names := make([]string, len(all))
	digest := sha256.New()
	for i, from := range all {
		names[i] = from.name
		digest.Write([]byte(from.id + "\n"))
		maps.Copy(k.revoked, from.revoked)
		for _, e := range from.order {
			k.adopt(e)
		}
	}
	k.name, k.id = strings.Join(names, " and "), hex.EncodeToString(digest.Sum(nil))
	k.appoint()
	return k
}

// adopt adds another keyring's entry, which stays that keyring's own.
func (k *Keyring) adopt(from *entry) {
	e := k.enter(from.key)
	for _, run := range from.runs {
		e.runs = append(e.runs, run)
		k.enterSubkeys(e, run)
	}
}
