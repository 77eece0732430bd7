package trust

import "time"

// A Master is a key that certifies packagers and signs nothing else.
type Master struct {
	Fingerprint Fingerprint
	Name        string
	// From is the day its certificate entered Arch's keyring, Until the day it
	// left: zero while it serves.
	From, Until time.Time
}

// mastersAsOf is the day for which the table below was last checked: who is in
// office there certainly was until then. It matters when such a key retires
// later, because the revocation that is published then was made in advance, when
// the key was new, and its date says nothing.
var mastersAsOf = day(2026, 8, 1)

// masters are Arch Linux's master keys ("main signing keys") from the first to
// those of today, out of the history of archlinux-keyring and
// https://archlinux.org/master-keys/. None was ever reported as compromised: all
// that left were retired with their owners. The last day of Jonas Witschel's key
// is not public record; it had left by 2026-02, and a later day than the true one
// harms nobody, since a retired key signs nothing more.
var masters = []Master{
	{"2AC0A42EFB0B5CBC7A0402ED4DC95B6D7BE9892E", "David Runge", day(2021, 6, 16), time.Time{}},
	{"3572FA2A1B067F22C58AF155F8B821B42A6FDCD7", "Leonidas Spyropoulos", day(2023, 10, 12), time.Time{}},
	{"69E6471E3AE065297529832E6BA0F5A2037F4F41", "Johannes Löthberg", day(2022, 11, 10), time.Time{}},
	{"99B6618472A3B3B814185BAED7D3D823B88BDB9B", "Christian Heusel", day(2026, 1, 17), time.Time{}},
	{"D8AFDDA07A5B6EDFA7D8CCDAD6D055F927843F1C", "Levente Polyak", day(2019, 1, 23), time.Time{}},

	{"91FFE0700E80619CEB73235CA88E23E377514E00", "Florian Pritz", day(2016, 1, 23), day(2026, 2, 10)},
	{"75BD80E4D834509F6E740257B1B73B02CC52A02A", "Jonas Witschel", day(2022, 7, 13), day(2026, 2, 10)},
	{"0E8B644079F599DFC1DDC3973348882F6AC6A4C2", "Pierre Schmitz", day(2012, 2, 13), day(2023, 1, 30)},
	{"159F3A43AEB246C5746C033814BC4F30B3B92EBA", "Giancarlo Razzolini", day(2022, 2, 24), day(2022, 11, 23)},
	{"AB19265E5D7D20687D303246BA1DFB64FFF979E7", "Allan McRae", day(2012, 2, 13), day(2022, 7, 13)},
	{"DDB867B92AA789C165EEFA799B729B06A680C281", "Bartłomiej Piotrowski", day(2017, 6, 11), day(2022, 1, 13)},
	{"684148BB25B49E986A4944C55184252D824B18E8", "Thomas Bächler", day(2012, 2, 13), day(2019, 10, 11)},
	{"44D4A033AC140143927397D47EFD567D4C7EA887", "Ionuț Bîru", day(2012, 2, 13), day(2017, 11, 30)},
	{"27FFC4769E19F096D41D9265A04F9397CDFD6BB0", "Dan McGee", day(2012, 2, 13), day(2017, 3, 20)},
}

func day(y int, m time.Month, d int) time.Time {
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Masters returns the built-in master keys, those in office first.
func Masters() []Master { return append([]Master(nil), masters...) }

// masterNamed finds a master in the table; nil if it is none.
func masterNamed(f Fingerprint) *Master {
	for i := range masters {
		if masters[i].Fingerprint == f {
			return &masters[i]
		}
	}
	return nil
}
