package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"time"

	"devenv/layers/alpm"
)

// Spec says what a set-up layer is made of. TreeID, Over, Files, Depended, Locale and
// HostCA decide what comes out; the rest follows from them or only says how.
type Spec struct {
	TreeID   string   // of the flattened tree
	Over     []string // ids of what lies over it: other set-up layers, topmost first
	Files    []File   // what the user configured; sorted by target
	Depended []string // names of packages that only others asked for; sorted
	Locale   []string // to generate, "en_US.UTF-8"; sorted
	HostCA   []byte   // further certificates to trust, PEM

	// LocalesOnly makes a layer of locales and nothing else. They take seconds
	// and follow from the C library alone, so they are worth a layer that lasts
	// while other packages come and go. TreeID names the C library then.
	LocalesOnly bool

	Tree     string        // the tree's files, absolute and below the cache
	Packages []Package     // all that the tree is made of, in any order
	Limit    time.Duration // that one scriptlet or hook may take; two minutes if zero
	Report   func(Event)   // may be nil
	// Publish moves a finished layer to its place; nil for cache.Publish, which
	// waits for the disk.
	Publish func(made, id string) error

	copy bool // a test's way to do without an overlay
}

// Package is what must be known of a package that is in the tree.
type Package struct {
	Info      *alpm.PkgInfo
	Scriptlet string   // where its .INSTALL lies in the tree, "" if it has none
	Paths     []string // what it brought, as alpm lists it: a slash after directories
}

// File is a file that the user configured.
type File struct {
	Target string // absolute
	Data   []byte
	Mode   fs.FileMode // permission bits
}

// Event says how far it is.
type Event struct {
	Step        string // what begins: "post_install of glibc 2.40-1"
	Done, Total int    // steps
	Failed      *Outcome
	Skipped     string // a hook that makes no sense in a shell
}

// format is part of every layer's id. It changes when the same spec would come
// out differently.
const format = "devenv setup v1\n"

// ID is the id of the layer that the spec makes.
func (s *Spec) ID() string {
	type file struct {
		Target, Sum string
		Mode        fs.FileMode
	}
	key := struct {
		Tree     string
		Over     []string
		Files    []file
		Depended []string
		Locale   []string
		HostCA   []byte
		Only     bool
	}{Tree: s.TreeID, Over: s.Over, Depended: s.Depended, Locale: s.Locale, HostCA: s.HostCA, Only: s.LocalesOnly}
	for _, f := range s.Files {
		sum := sha256.Sum256(f.Data)
		key.Files = append(key.Files, file{f.Target, hex.EncodeToString(sum[:]), f.Mode})
	}
	text, err := json.Marshal(key)
	if err != nil {
		panic("setup: a spec of strings does not marshal: " + err.Error())
	}
	sum := sha256.Sum256(append([]byte(format), text...))
	return hex.EncodeToString(sum[:])
}

func (s *Spec) report(e Event) {
	if s.Report != nil {
		s.Report(e)
	}
}

// epoch is the time of all that set-up writes: when the newest package was built.
func (s *Spec) epoch() int64 {
	var newest int64
	for i := range s.Packages {
		newest = max(newest, s.Packages[i].Info.BuildDate)
	}
	return newest
}
