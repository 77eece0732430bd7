package alpm

// Package is what a sync database or a .PKGINFO says of one package version
// (repo-add(8), PKGBUILD(5)). It is plain data and, once read, never changed.
type Package struct {
	Name     string
	Base     string // pkgbase; empty where the package does not say
	Version  string // full: [epoch:]pkgver-pkgrel
	Arch     string // "any" or a machine's
	Desc     string
	URL      string
	Packager string
	Licenses []string
	Groups   []string

	Depends    []Dep
	OptDepends []string // as written: "name: why"
	Provides   []Dep
	Conflicts  []Dep
	Replaces   []Dep

	BuildDate     int64 // Unix seconds
	Size          int64 // bytes of the package file (%CSIZE%)
	InstalledSize int64 // bytes unpacked (%ISIZE%)

	Filename string // the package file's name; not escaped for URLs
	SHA256   string // lower-case hexadecimal
	PGPSig   string // base64, where the database has it
}

// Op is how a dependency compares versions.
type Op uint8

const (
	Any Op = iota // no version asked
	EQ            // =
	LT            // <
	LE            // <=
	GT            // >
	GE            // >=
)

// Dep is one entry of depends, provides, conflicts or replaces: "glibc",
// "gcc-libs=14.2.1-3", "libz.so=1-64". A soname dependency is a Dep like any
// other whose name ends in ".so" and whose version is "SONAME-BITS".
type Dep struct {
	Name    string
	Op      Op
	Version string
}
