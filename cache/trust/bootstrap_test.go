package trust

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A member is a file of a package.
type member struct{ name, data string }

// packed makes a package file.
func packed(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.data))}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m.data)
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pkginfo(name, version string, built time.Time) member {
	return member{".PKGINFO", fmt.Sprintf("pkgname = %s\npkgver = %s\nbuilddate = %d\n", name, version, built.Unix())}
}

func (f Files) members(name string) []member {
	return []member{{keyringDir + name + ".gpg", string(f.Keys)}, {keyringDir + name + "-trusted", string(f.Trusted)},
		{keyringDir + name + "-revoked", string(f.Revoked)}, {"usr/share/doc/x", "x"}}
}

// withMasters makes the test world's masters the built-in ones.
func withMasters(t *testing.T, w *world, names ...string) {
	was := masters
	t.Cleanup(func() { masters = was })
	masters = nil
	for _, n := range names {
		masters = append(masters, Master{Fingerprint: w.fpr[n], Name: n, From: day(2017, 1, 1)})
	}
}

func TestFromPackage(t *testing.T) {
	w := getWorld(t)
	withMasters(t, w, "m1", "m2", "m3", "m4")
	home := newGPG(t)
	home.run(day(2021, 1, 1), string(w.secret), "--import")
	at := day(2021, 1, 1)
	const name = "archlinux-keyring-20210101-1-any.pkg.tar.zst"
	keyring := append([]member{pkginfo("archlinux-keyring", "20210101-1", at)}, w.files.members("archlinux")...)

	// An attacker's keyring: masters of their own, listed as trusted.
	rogue := w.files
	rogue.Trusted = []byte(w.fpr["full"] + ":6:\n")
	world, err := Parse(w.files)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		by      string
		members []member
		before  []*Keyring
		alter   bool
		want    error
		why     string
	}{
		{name: "three masters", by: "anna", members: keyring},
		{name: "two masters", by: "bert", members: keyring, want: ErrUntrusted},
		{name: "retired later", by: "carl", members: keyring},
		{name: "compromised later", by: "dora", members: keyring, want: ErrCompromised},
		{name: "not in it", by: "kurt", members: keyring, want: ErrUnknownKey},
		{name: "altered", by: "anna", members: keyring, alter: true, want: ErrMismatch},
		{name: "vouched for by its own choice of masters", by: "tina",
			members: append([]member{keyring[0]}, rogue.members("archlinux")...), want: ErrUntrusted},
		{name: "vouched for by a keyring accepted before", by: "tina", members: keyring, before: []*Keyring{world}},
		{name: "another package with a keyring in it", by: "anna",
			members: append([]member{pkginfo("bash", "5.2-1", at)}, w.files.members("archlinux")...), why: "bash 5.2-1 by its own account"},
		{name: "an older package under a newer name", by: "anna",
			members: append([]member{pkginfo("archlinux-keyring", "20190101-1", at)}, keyring[1:]...), why: "20190101-1 by its own account"},
		{name: "no keyring in it", by: "anna", members: keyring[:1], why: "no usr/share/pacman/keyrings/archlinux.gpg in it"},
		{name: "no owner trust in it", by: "anna", members: keyring[:2], why: "no usr/share/pacman/keyrings/archlinux-trusted in it"},
		{name: "a keyring that is none", by: "anna", members: []member{keyring[0], {keyringDir + "archlinux.gpg", "hello"}, keyring[2]}, why: "must hold public keys"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pkg := packed(t, c.members...)
			sig := home.sign(at, string(pkg), "--local-user", string(w.fpr[c.by]))
			if c.alter {
				pkg = append(pkg, 0)
			}
			k, by, err := FromPackage(name, bytes.NewReader(pkg), sig, c.before...)
			switch {
			case c.want == nil && c.why == "":
				if err != nil || by.Fingerprint != w.fpr[c.by] || k.Name() != name || k.Len() != len(packagers)+len(mastersOfWorld)-1 {
					t.Errorf("got %v, %+v, %v; want it accepted, by %s", k, by, err, c.by)
				}
			case k != nil || err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.why):
				t.Errorf("got %v, want %v %s", err, c.want, c.why)
			}
		})
	}
}

// TestFromPackageOfOthers: another repository's keyring package is not the
// masters' business; a keyring that is trusted already may vouch for it.
func TestFromPackageOfOthers(t *testing.T) {
	w := getWorld(t)
	withMasters(t, w, "m1", "m2", "m3", "m4")
	world, err := Parse(w.files)
	if err != nil {
		t.Fatal(err)
	}
	home := newGPG(t)
	home.run(day(2021, 1, 1), string(w.secret), "--import")
	pkg := packed(t, append([]member{pkginfo("team-keyring", "1-1", day(2021, 1, 1))}, w.files.members("team")...)...)
	sig := home.sign(day(2021, 1, 1), string(pkg), "--local-user", string(w.fpr["anna"]))
	if _, _, err := FromPackage("team-keyring-1-1-any.pkg.tar.zst", bytes.NewReader(pkg), sig); !errors.Is(err, ErrUntrusted) {
		t.Errorf("without anybody to vouch: %v", err)
	}
	if _, _, err := FromPackage("team-keyring-1-1-any.pkg.tar.zst", bytes.NewReader(pkg), sig, world); err != nil {
		t.Errorf("vouched for: %v", err)
	}
}

// TestFromPackageBomb: what unpacks to much more than a keyring is given up.
func TestFromPackageBomb(t *testing.T) {
	w := getWorld(t)
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	a := tar.NewWriter(z)
	const size = maxKeyringPackage + 1<<20
	a.WriteHeader(&tar.Header{Name: "usr/zeros", Size: size})
	io.CopyN(a, zeros{}, size)
	a.Close()
	z.Close()
	_, _, err = FromPackage("archlinux-keyring-1-1-any.pkg.tar.zst", &b, w.sigs["good"])
	if err == nil || !strings.Contains(err.Error(), "not a keyring package") {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
