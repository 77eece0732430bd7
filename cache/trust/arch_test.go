package trust

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// debianKeyring is Arch's own keyring as Debian packages it (archlinux-keyring).
const debianKeyring = "/usr/share/keyrings/archlinux.gpg"

func openArch(t testing.TB) *Keyring {
	t.Helper()
	if _, err := os.Stat(debianKeyring); err != nil {
		t.Skip("Arch's keyring is not installed (Debian: archlinux-keyring): nothing real to judge")
	}
	k, err := Open(debianKeyring)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestArchTrusted compares the keys that are trusted with those that GnuPG calls
// valid once pacman-key has set it up. The days are later than the keyring, which
// shows who expires when; on earlier days GnuPG is no peer, since it counts what
// masters certified later and not what they have taken back since.
func TestArchTrusted(t *testing.T) {
	k := openArch(t)
	f := Files{Name: debianKeyring}
	f.Keys, _ = os.ReadFile(debianKeyring)
	f.Trusted, _ = beside(debianKeyring, "-trusted")
	newest := k.newest()
	g := populate(t, newest, f)
	for _, at := range []time.Time{newest, newest.AddDate(0, 6, 0), newest.AddDate(1, 0, 0), newest.AddDate(1, 6, 0), newest.AddDate(2, 0, 0)} {
		if last := day(2026, 2, 1); at.After(last) {
			t.Logf("not compared on %s: two of this keyring's masters are known to have retired before", at.Format(time.DateOnly))
			continue
		}
		var ours []string
		for _, key := range k.Trusted(at) {
			ours = append(ours, string(key.Fingerprint))
		}
		theirs := g.valid(at)
		slices.Sort(ours)
		slices.Sort(theirs)
		if !slices.Equal(ours, theirs) {
			t.Errorf("%s: trusted here %d, valid for gpg %d\nhere only: %v\ngpg only: %v", at.Format(time.DateOnly),
				len(ours), len(theirs), missing(ours, theirs), missing(theirs, ours))
		}
		t.Logf("%s: %d of %d keys are trusted, as for gpg", at.Format(time.DateOnly), len(ours), k.Len())
	}
}

// newest is the day after the last certification in a keyring: its own date.
func (k *Keyring) newest() time.Time {
	var last instant
	for _, e := range k.order {
		for _, u := range e.certificate().users {
			for _, s := range append(slices.Clone(u.self), u.others...) {
				last = max(last, s.created)
			}
		}
	}
	return last.time().AddDate(0, 0, 1)
}

func missing(from, in []string) (m []string) {
	for _, s := range from {
		if !slices.Contains(in, s) {
			m = append(m, s)
		}
	}
	return m
}

// TestArchRetired holds real people's careers against the keyring: trusted until
// the day they left, and not after.
func TestArchRetired(t *testing.T) {
	k := openArch(t)
	for _, c := range []struct {
		name        string
		key         Fingerprint
		left        time.Time // the third-last master had taken its word back, or the key was retired
		compromised bool
	}{
		{"Thorsten Töpper, resigned 2017", "39F880E50E49A4D11341E8F939E4F17F295AFBF4", day(2017, 9, 14), false},
		{"Gaetan Bisson's DSA key, replaced 2018", "5A2257D19FF7E1E0E415968CE62F853100F0D0F0", day(2018, 10, 7), false},
		{"Nicola Squartini, retired the key 2022-08-14", "A667E8A1B61D07A50FC430DF69DF1F2EB44B05BE", day(2022, 8, 14), false},
		{"Remi Gacogne's first key, compromised", "A4CBEA7974898599195E4FEC46EC46F39F3E2EF1", time.Time{}, true},
	} {
		cert := k.find(c.key)
		if cert == nil {
			t.Errorf("%s: not in the keyring", c.name)
			continue
		}
		if c.compromised {
			for y := 2015; y < 2024; y++ {
				if _, f := k.stands(cert, instant(day(y, 1, 1).Unix())); f == nil || f.reason != ErrCompromised {
					t.Errorf("%s: in %d: %v, want compromised", c.name, y, f)
				}
			}
			continue
		}
		if _, f := k.stands(cert, instant(c.left.AddDate(0, 0, -3).Unix())); f != nil {
			t.Errorf("%s: not trusted before: %v", c.name, f)
		}
		if _, f := k.stands(cert, instant(c.left.AddDate(0, 1, 0).Unix())); f == nil {
			t.Errorf("%s: trusted afterwards", c.name)
		} else if !strings.Contains(f.why, "2017") && !strings.Contains(f.why, "2018") && !strings.Contains(f.why, "2022") {
			t.Errorf("%s: the reason names no date: %v", c.name, f)
		}
	}
}

// TestArchWithoutOwnerTrust: a copy of Arch's keyring alone must not become one in
// which whoever is listed is trusted; keys of others beside it are.
func TestArchWithoutOwnerTrust(t *testing.T) {
	arch := openArch(t)
	keys, err := os.ReadFile(debianKeyring)
	if err == nil {
		keys, err = unwrap(keys, "PUBLIC KEY BLOCK")
	}
	if err != nil {
		t.Fatal(err)
	}
	other, fpr := newTestKey(t, day(2020, 1, 1))
	k, err := Parse(Files{Name: "copy", Keys: append(slices.Clone(keys), other...)})
	if err != nil {
		t.Fatal(err)
	}
	at := day(2023, 12, 9)
	trusted := map[Fingerprint]bool{}
	for _, key := range k.Trusted(at) {
		trusted[key.Fingerprint] = true
	}
	if !trusted[fpr] {
		t.Error("a key that Arch's masters never spoke of is not trusted for being there")
	}
	for _, e := range arch.order {
		_, f := arch.stands(e.certificate(), instant(at.Unix()))
		if f != nil && trusted[e.key.fpr] && arch.said(e.certificate(), func(*signature) bool { return true }) {
			t.Errorf("%s is trusted for being there, though Arch does not: %s", e.key.fpr, f.why)
		}
	}
}
