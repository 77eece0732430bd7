package lock

// Lock is what a devenv.lock says: the exact packages of an environment.
type Lock struct {
	Snapshot string // the day that was resolved against; "" for the mirrors of today
	Arch     string
	Inputs   string // "sha256:…" of all that decides resolution
	// Hosts are the kinds of machines that were resolved for, sorted:
	// manifest.AnyHost and the names of [host.*] sections.
	Hosts    []string
	Trust    Trust
	Packages []Package // sorted by name, then hosts
}

// Package is one locked package.
type Package struct {
	Name    string
	Version string // full: [epoch:]pkgver-pkgrel
	Repo    string
	Arch    string   // "any" or a machine's
	Size    int64    // bytes of the package file
	SHA256  string   // lower-case hexadecimal
	File    string   // the package file's name
	By      []string // sorted: what pulled it in; "devenv.toml" is written as the key that asked
	Hosts   []string // kinds of machines that have it; nil for all
	Base    bool     // it is of the base set, or was pulled in by it alone
	From    string   // "" for the mirrors; "archive", or the day ("2024-06-12") whose repositories hold it
	Compat  string   // the package for which only its lib*.so.N files are taken; "" for a whole package
	Signer  string   // fingerprint of the key that signed it; "" if nothing was verified
}

// Trust records what the packages were verified with.
type Trust struct {
	SigLevel string // required, optional or never
	Keyring  string // what it was: "archlinux-keyring 20241203-1", a path's base name
	Digest   string // "sha256:…" of its keys; "" if there was none
}

// Kind is what happened to a package between two locks.
type Kind string

const (
	Added      Kind = "added"
	Removed    Kind = "removed"
	Upgraded   Kind = "upgraded"
	Downgraded Kind = "downgraded"
	Rebuilt    Kind = "rebuilt" // same version, another file
)

// Change is one package that differs between two locks.
type Change struct {
	Kind Kind
	Name string
	Old  *Package // nil if added
	New  *Package // nil if removed
}
