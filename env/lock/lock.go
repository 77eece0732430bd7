package lock

import (
	"cmp"
	"errors"
	"slices"

	"devenv/env/manifest/tomlfile"
)

// FileName is the name of a lock in a project.
const FileName = "devenv.lock"

// formatVersion is what `version` is in a file of this form.
const formatVersion = 1

// Error is one fault of a lock: a command that meets one exits with 2.
type Error = tomlfile.Error

// What is wrong with a lock as a whole; errors.Is finds them in what Parse
// returns.
var (
	// ErrForeign: another tool wrote the file. It is to be left alone.
	ErrForeign = errors.New("another tool's lock")
	// ErrMerge: the markers of a merge are in it.
	ErrMerge = errors.New("an unfinished merge")
	// ErrEdited: it is not what devenv wrote.
	ErrEdited = errors.New("edited by hand")
	// ErrNewer: a newer devenv wrote it.
	ErrNewer = errors.New("a newer devenv's lock")
)

// Lock is what a devenv.lock says.
type Lock struct {
	Snapshot string // the day that was resolved against; "" for the mirrors of today
	Arch     string
	Inputs   string // manifest.ResolutionDigest of what was resolved
	// Hosts are the kinds of machines that were resolved for, sorted:
	// manifest.AnyHost and the names of [host.*] sections.
	Hosts    []string
	Trust    Trust
	Packages []Package // sorted as Marshal does
}

// Trust records what the packages were verified with.
type Trust struct {
	SigLevel string // required, optional or never; "" if nothing is recorded
	Keyring  string // what it was: "archlinux-keyring 20241203-1", or a file's name
	Digest   string // "sha256:…" of its keys; "" if there was none
}

// Package is one locked package.
type Package struct {
	Name    string
	Version string // full: [epoch:]pkgver-pkgrel
	Repo    string // "" for one of the archive alone
	Arch    string // "any" or a machine's
	Size    int64  // bytes of the package file
	SHA256  string // lower-case hexadecimal
	File    string // the package file's name; nothing that leads elsewhere
	// By is what pulled it in, sorted: names of locked packages, and of what
	// was asked for (a key of [packages], an item of base), which may be its
	// own name, a group or a virtual name.
	By    []string
	Hosts []string // kinds of machines that have it, sorted; nil for all
	Base  bool     // nothing but the base set leads to it
	From  string   // "" for the repositories of Snapshot; "archive", or the day ("2024-06-12") whose repositories have it
	// Compat is the package that a compatibility layer is for: only the
	// lib*.so.N files of this one are taken. "" for a whole package.
	Compat string
	Signer string // fingerprint of the key that signed it, hexadecimal; "" if no signature was verified
}

// Archive is the value of Package.From for a package of the archive's pool.
const Archive = "archive"

// ForHost is the packages of one kind of machine (Manifest.Host), in order.
func (l *Lock) ForHost(kind string) []Package {
	var out []Package
	for _, p := range l.Packages {
		if p.Hosts == nil || slices.Contains(p.Hosts, kind) {
			out = append(out, p)
		}
	}
	return out
}

// Whole is ForHost without compatibility layers.
func (l *Lock) Whole(kind string) []Package {
	return slices.DeleteFunc(l.ForHost(kind), func(p Package) bool { return p.Compat != "" })
}

// Compat is what ForHost gives of compatibility layers.
func (l *Lock) Compat(kind string) []Package {
	return slices.DeleteFunc(l.ForHost(kind), func(p Package) bool { return p.Compat == "" })
}

// compare is the order of packages in the file: by name, a whole package before
// a compatibility layer.
func compare(a, b *Package) int {
	return cmp.Or(
		cmp.Compare(a.Name, b.Name), cmp.Compare(a.Compat, b.Compat), cmp.Compare(a.Version, b.Version),
		slices.Compare(a.Hosts, b.Hosts), cmp.Compare(a.SHA256, b.SHA256),
	)
}
