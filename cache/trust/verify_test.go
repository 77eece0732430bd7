package trust

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// A verifyCase is one signature and what must become of it.
type verifyCase struct {
	name string
	by   string    // who signs
	at   time.Time // when
	args []string  // how, for gpg
	own  func(w *world) []byte

	built time.Time // the package's build date, if it is not that of the signature
	file  string    // what is checked, if it is not what was signed
	want  error
	why   string // part of the message
	// gpg says why GnuPG, told to trust as pacman-key tells it, may decide
	// otherwise; where it is empty, GnuPG must agree.
	gpg string
}

const (
	today       = "it judges by today, and so refuses what was good then"
	revokedEver = "it takes a revoked key for bad from the beginning"
)

var verifyCases = []verifyCase{
	{name: "good", by: "anna", at: day(2021, 1, 1)},
	{name: "good, before she was certified", by: "anna", at: day(2019, 1, 1)},
	{name: "good, certified long after", by: "yves", at: day(2021, 1, 1)},
	{name: "good, armored", by: "anna", at: day(2021, 1, 1), args: []string{"--armor"}},
	{name: "good, by a subkey", by: "ida", at: day(2021, 1, 1)},
	{name: "good, RSA", by: "lena", at: day(2021, 1, 1)},
	{name: "good, SHA-512", by: "lena", at: day(2021, 1, 1), args: []string{"--digest-algo", "SHA512"}},
	{name: "good, SHA-224", by: "lena", at: day(2021, 1, 1), args: []string{"--digest-algo", "SHA224"}},
	{name: "good, SHA-1 while it was sound", by: "lena", at: day(2018, 1, 1), args: []string{"--digest-algo", "SHA1"}},
	{name: "SHA-1 since it is broken", by: "lena", at: day(2021, 1, 1), args: []string{"--digest-algo", "SHA1"},
		want: ErrWeak, why: "SHA-1", gpg: "GnuPG 2.2 accepts SHA-1 for data"},
	{name: "MD5", by: "lena", at: day(2017, 6, 1), args: []string{"--digest-algo", "MD5", "--allow-weak-digest-algos"}, want: ErrWeak, why: "MD5"},
	{name: "RIPEMD-160", by: "lena", at: day(2017, 6, 1), args: []string{"--digest-algo", "RIPEMD160"},
		want: ErrWeak, why: "RIPEMD-160", gpg: "GnuPG 2.2 accepts RIPEMD-160"},

	{name: "only two masters", by: "bert", at: day(2021, 1, 1), want: ErrUntrusted, why: "2 master keys vouched for it on 2021-01-01, and 3 must"},
	{name: "one fully trusted master", by: "tina", at: day(2021, 1, 1)},
	{name: "masters on two user ids", by: "olga", at: day(2021, 1, 1), want: ErrUntrusted},
	{name: "a compromised master", by: "mona", at: day(2021, 1, 1), want: ErrUntrusted},
	{name: "a master before he retired", by: "nils", at: day(2021, 1, 1), gpg: today},
	{name: "a master after he retired", by: "nils", at: day(2023, 1, 1), want: ErrUntrusted},
	{name: "a certification before it ran out", by: "paul", at: day(2021, 1, 1), gpg: today},
	{name: "a certification that ran out", by: "paul", at: day(2021, 3, 1), want: ErrUntrusted},
	{name: "a local certification", by: "rosa", at: day(2021, 1, 1), want: ErrUntrusted},
	{name: "certified with SHA-1 while it was sound", by: "will", at: day(2021, 1, 1)},
	{name: "certified with SHA-1 since it is broken", by: "xena", at: day(2021, 1, 1), want: ErrUntrusted},
	{name: "listed as revoked, and nothing says why", by: "zoe", at: day(2021, 1, 1), want: ErrRetired,
		why: "does not say since when", gpg: "being disabled is pacman's business, not GnuPG's"},
	{name: "not a key for signing", by: "sven", at: day(2021, 1, 1), own: signAnyway, want: ErrUntrusted, why: "does not use it for signing"},

	{name: "before he left", by: "carl", at: day(2021, 12, 31), gpg: today},
	{name: "after he left", by: "carl", at: day(2022, 1, 2), want: ErrUntrusted, why: "3 had taken their word back, the last on 2022-01-01"},
	{name: "dated before he left, built after", by: "carl", at: day(2021, 12, 31), built: day(2022, 6, 1), want: ErrUntrusted},
	{name: "dated after he left, built before", by: "carl", at: day(2022, 6, 1), built: day(2021, 6, 1), want: ErrUntrusted},
	{name: "before the user id was revoked", by: "ulla", at: day(2021, 6, 1), gpg: today},
	{name: "after the user id was revoked", by: "ulla", at: day(2022, 6, 1), want: ErrUntrusted},

	{name: "compromised, before", by: "dora", at: day(2021, 1, 1), want: ErrCompromised, why: "revoked as compromised on 2022-01-01"},
	{name: "compromised, after", by: "dora", at: day(2023, 1, 1), want: ErrCompromised},
	{name: "superseded, before", by: "emil", at: day(2021, 1, 1), gpg: revokedEver},
	{name: "superseded, after", by: "emil", at: day(2023, 1, 1), want: ErrRetired, why: "retired on 2022-01-01"},
	{name: "retired, before", by: "fred", at: day(2021, 1, 1), gpg: revokedEver},
	{name: "retired, after", by: "fred", at: day(2023, 1, 1), want: ErrRetired},
	{name: "revoked for no reason, before", by: "gina", at: day(2021, 1, 1), want: ErrCompromised, why: "without saying"},
	{name: "before the key expired", by: "hans", at: day(2021, 5, 1), gpg: today},
	{name: "after the key expired", by: "hans", at: day(2021, 7, 1), want: ErrExpired, why: "expired on 2021-06-01"},
	{name: "built after the key expired", by: "hans", at: day(2021, 5, 1), built: day(2021, 7, 1), want: ErrExpired},
	{name: "before the subkey was retired", by: "vera", at: day(2021, 1, 1), gpg: revokedEver},
	{name: "after the subkey was retired", by: "vera", at: day(2023, 1, 1), want: ErrRetired, why: "subkey"},

	{name: "unknown key", by: "kurt", at: day(2021, 1, 1), want: ErrUnknownKey, why: "not in keyring world.gpg"},
	{name: "tampered file", by: "anna", at: day(2021, 1, 1), file: file + "\n", want: ErrMismatch},
	{name: "cut file", by: "anna", at: day(2021, 1, 1), file: file[:len(file)-1], want: ErrMismatch},
	{name: "empty file", by: "anna", at: day(2021, 1, 1), file: "-", want: ErrMismatch},
	{name: "signature of another file", by: "anna", at: day(2021, 1, 1), file: strings.Replace(file, "bash", "dash", 1), want: ErrMismatch},
	{name: "tampered file by an untrusted key", by: "bert", at: day(2021, 1, 1), file: file + "\n", want: ErrUntrusted},
	{name: "dated in the future", by: "anna", at: day(2090, 1, 1), want: ErrFuture, gpg: "it does not care"},
	{name: "ran out itself", by: "anna", at: day(2021, 1, 1), args: []string{"--default-sig-expire", "2021-02-01"},
		want: ErrLapsed, why: "it was good until 2021-02-01"},
	{name: "over text", by: "anna", at: day(2021, 1, 1), args: []string{"--textmode"}, want: ErrUnsupported, why: "as text",
		gpg: "it takes a changed line end for the same text"},
	{name: "with a critical demand", by: "anna", at: day(2021, 1, 1), args: []string{"--sig-notation", "!demand@example.org=1"}, want: ErrUnsupported},
	{name: "with a harmless remark", by: "anna", at: day(2021, 1, 1), args: []string{"--sig-notation", "remark@example.org=1"}},
	{name: "by two", by: "anna", at: day(2021, 1, 1), args: []string{"--local-user", "tina@example.org"}},
	{name: "by two, of whom one is unknown", by: "anna", at: day(2021, 1, 1), args: []string{"--local-user", "kurt@example.org"}, want: ErrUnknownKey},
	{name: "by two, of whom one is not trusted", by: "anna", at: day(2021, 1, 1), args: []string{"--local-user", "bert@example.org"},
		want: ErrUntrusted, gpg: "pacman refuses it; this test looks for one good signature in gpg's status alone"},
	{name: "a signed message instead", by: "anna", at: day(2021, 1, 1), own: signedMessage, want: ErrMalformed, why: "no detached signature"},
	{name: "empty", own: func(*world) []byte { return nil }, want: ErrMalformed},
	{name: "a web page", own: func(*world) []byte { return []byte("<html>404 not found</html>") }, want: ErrMalformed},
	{name: "a public key instead", by: "anna", own: func(w *world) []byte { return w.gpg.export(w.fpr["anna"]) }, want: ErrMalformed},
}

// sign makes the case's signature.
func (c *verifyCase) sign(w *world) []byte {
	if c.own != nil {
		return c.own(w)
	}
	return w.gpg.sign(c.at, file, append([]string{"--local-user", string(w.fpr[c.by])}, c.args...)...)
}

// signedMessage is the file and its signature in one, as gpg --sign makes it.
func signedMessage(w *world) []byte {
	return w.gpg.run(day(2021, 1, 1), file, "--local-user", string(w.fpr["anna"]), "--compress-algo", "none", "--sign")
}

// checked is the file that is verified.
func (c *verifyCase) checked() string {
	switch c.file {
	case "":
		return file
	case "-":
		return ""
	}
	return c.file
}

func TestVerify(t *testing.T) {
	w := getWorld(t)
	k, err := Parse(w.files)
	if err != nil {
		t.Fatal(err)
	}
	peer := populate(t, day(2025, 1, 1), w.files)
	agreed, differed := 0, 0
	for _, c := range verifyCases {
		t.Run(c.name, func(t *testing.T) {
			built := c.built
			if built.IsZero() {
				built = c.at
			}
			by, err := k.Verify("bash", strings.NewReader(c.checked()), w.sigs[c.name], built)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil && (by.Fingerprint != w.fpr[c.by] || by.UserID != person(c.by) || by.SignedAt.Sub(c.at).Abs() > time.Minute || by.Keyring != k.ID()) {
				t.Errorf("signed by %+v, want %s on %s", by, c.by, c.at)
			}
			if err != nil {
				c.checkMessage(t, w, err)
			}
			theirs := peer.accepts(day(2025, 1, 1), c.checked(), w.sigs[c.name])
			switch {
			case (err == nil) == theirs:
				agreed++
			case c.gpg != "":
				differed++
			case c.built.IsZero():
				t.Errorf("gpg accepts it: %v", theirs)
			}
		})
	}
	t.Logf("of %d signatures gpg decides %d alike and, for the reasons that each case names, %d otherwise", len(verifyCases), agreed, differed)
}

// checkMessage wants the package, the key and the reason named.
func (c *verifyCase) checkMessage(t *testing.T, w *world, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Package != "bash" || e.Hint() == "" || !strings.Contains(e.Error(), e.Hint()) {
		t.Fatalf("%v: not an Error that names the package and what to do", err)
	}
	if !strings.Contains(err.Error(), c.why) {
		t.Errorf("%v: does not say %q", err, c.why)
	}
	if c.own != nil || strings.HasPrefix(c.name, "by two") {
		return
	}
	known := string(w.fpr[c.by])
	if c.want == ErrUnknownKey {
		if string(e.Key) != known || e.UserID != "" {
			t.Errorf("%v: names key %s (%s), want %s", err, e.Key, e.UserID, known)
		}
	} else if string(e.Key) != known || !strings.Contains(e.UserID, c.by) {
		t.Errorf("%v: names key %s (%s), want %s", err, e.Key, e.UserID, known)
	}
}
