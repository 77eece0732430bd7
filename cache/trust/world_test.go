package trust

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// The package that everybody signs here.
const file = "bash-5.2.037-1-x86_64.pkg.tar.zst\n\x00\r\nas it was built\n"

// A world is a small distribution made by the real gpg: masters, packagers to each
// of whom something happened, and what they signed before and, as gpg would not
// let them, after.
type world struct {
	gpg   *gpgHome
	fpr   map[string]Fingerprint
	files Files
	sigs  map[string][]byte // by case

	before []byte // public keys as they were before anything happened
	secret []byte // the same with their secrets
}

var (
	theWorld  world
	makeWorld sync.Once
)

// getWorld makes the world once: it takes gpg some seconds.
func getWorld(t *testing.T) *world {
	t.Helper()
	newGPG(t) // skips where there is none
	makeWorld.Do(func() { theWorld.create(t) })
	if theWorld.files.Keys == nil {
		t.Fatal("the world could not be made")
	}
	return &theWorld
}

// packagers are certified by the masters m1, m2 and m3 on 2020-02-01, if nothing
// else is said of them in certifications. Then something may happen to them.
var packagers = map[string]func(w *world, key Fingerprint){
	"anna": nil,
	"bert": nil, // only two masters certify him
	"carl": func(w *world, key Fingerprint) { w.gpg.withdraw(day(2022, 1, 1), key, 3) },
	"dora": revoked(reasonCompromised),
	"emil": revoked(reasonSuperseded),
	"fred": revoked(reasonRetired),
	"gina": revoked(reasonNone),
	"hans": func(w *world, key Fingerprint) {
		w.gpg.run(day(2020, 2, 2), "", "--quick-set-expire", string(key), "2021-06-01")
	},
	"ida":  nil, // signs with a subkey
	"kurt": nil, // nobody knows him
	"lena": nil, // RSA, for old digests; her key is of 2017
	"mona": nil, // one of her three masters is compromised
	"nils": nil, // one of his three masters retired on 2022-01-01
	"olga": nil, // three masters, but on two user ids
	"paul": nil, // one certification ran out on 2021-02-01
	"rosa": nil, // one certification is local
	"sven": nil, // his key may certify, not sign
	"tina": nil, // one master, who is trusted fully
	"ulla": func(w *world, key Fingerprint) { // the user id that was certified is revoked
		w.gpg.run(day(2020, 2, 2), "", "--quick-add-uid", string(key), "ulla <ulla@example.net>")
		w.gpg.run(day(2022, 1, 1), "", "--quick-revoke-uid", string(key), person("ulla"))
	},
	"vera": func(w *world, key Fingerprint) { // her signing subkey is retired
		w.gpg.edit(day(2022, 1, 1), "", key, "key 1", "revkey", "y", "3", "", "y")
	},
	"will": nil, // certified with SHA-1 in 2018
	"xena": nil, // certified with SHA-1 in 2020
	"yves": nil, // certified after all he signed
	"zoe":  nil, // revoked in the list alone
}

var mastersOfWorld = []string{"m1", "m2", "m3", "m4", "bad", "old", "full"}

func revoked(reason int) func(*world, Fingerprint) {
	return func(w *world, key Fingerprint) { w.gpg.revoke(day(2022, 1, 1), key, reason) }
}

func person(name string) string { return fmt.Sprintf("%s <%s@example.org>", name, name) }

func (w *world) create(t testing.TB) {
	w.gpg, w.fpr, w.sigs = newGPG(t), map[string]Fingerprint{}, map[string][]byte{}
	for _, m := range mastersOfWorld {
		w.fpr[m] = w.gpg.key(day(2017, 1, 1), person(m), "ed25519", "cert", "never")
	}
	for name := range packagers {
		algo, usage := "ed25519", "sign,cert"
		switch name {
		case "lena":
			algo = "rsa2048"
		case "sven", "ida", "vera":
			usage = "cert"
		}
		w.fpr[name] = w.gpg.key(day(2017, 1, 2), person(name), algo, usage, "never")
		if name == "ida" || name == "vera" {
			w.gpg.run(day(2017, 1, 3), "", "--quick-add-key", string(w.fpr[name]), "ed25519", "sign", "never")
		}
		w.certifications(name)
	}
	for _, c := range verifyCases {
		w.sigs[c.name] = c.sign(w)
	}
	w.secret = w.gpg.run(day(2021, 1, 1), "", "--export-secret-keys")
	w.before = w.gpg.export(w.keys()...)
	for name, happens := range packagers {
		if happens != nil {
			happens(w, w.fpr[name])
		}
	}
	w.gpg.revoke(day(2022, 1, 1), w.fpr["bad"], reasonCompromised)
	w.gpg.revoke(day(2022, 1, 1), w.fpr["old"], reasonRetired)
	w.files = w.keyring()
}

// certifications lets the masters say who is who.
func (w *world) certifications(name string) {
	at, key := day(2020, 2, 1), w.fpr[name]
	var args []string
	by := []string{"m1", "m2", "m3"}
	switch name {
	case "bert":
		by = by[:2]
	case "mona":
		by[2] = "bad"
	case "nils":
		by[2] = "old"
	case "tina":
		by = []string{"full"}
	case "olga":
		w.gpg.run(day(2020, 1, 3), "", "--quick-add-uid", string(key), "olga <olga@example.net>")
		w.gpg.certify(at, w.fpr["m1"], key)
		w.gpg.certify(at, w.fpr["m2"], key, "olga <olga@example.net>")
		w.gpg.certify(at, w.fpr["m3"], key, person("olga"))
		return
	case "paul":
		w.gpg.run(at, "", "--local-user", string(w.fpr["m4"]), "--default-cert-expire", "2021-02-01", "--no-ask-cert-expire", "--quick-sign-key", string(key))
		by = by[:2]
	case "rosa":
		w.gpg.run(at, "", "--local-user", string(w.fpr["m4"]), "--quick-lsign-key", string(key))
		by = by[:2]
	case "will":
		at, args = day(2018, 2, 1), []string{"--cert-digest-algo", "SHA1", "--allow-weak-key-signatures"}
	case "xena":
		args = []string{"--cert-digest-algo", "SHA1", "--allow-weak-key-signatures"}
	case "yves":
		at = day(2024, 1, 1)
	}
	for _, m := range by {
		w.gpg.run(at, "", append(append([]string{"--local-user", string(w.fpr[m])}, args...), "--quick-sign-key", string(key))...)
	}
}

// keys are all but kurt's.
func (w *world) keys() (keys []Fingerprint) {
	for name, fpr := range w.fpr {
		if name != "kurt" {
			keys = append(keys, fpr)
		}
	}
	return keys
}

func (w *world) keyring() Files {
	f := Files{Name: "world.gpg", Keys: w.gpg.export(w.keys()...), Revoked: []byte(w.fpr["zoe"] + "\n" + w.fpr["carl"] + "\n")}
	var trusted strings.Builder
	for _, m := range mastersOfWorld {
		level := 4
		if m == "full" {
			level = 5
		}
		fmt.Fprintf(&trusted, "%s:%d:\n", w.fpr[m], level)
	}
	f.Trusted = []byte(trusted.String())
	return f
}
