package resolve

import (
	"context"

	"devenv/layers/alpm"
)

// Source says what kind of place a package comes from.
type Source string

const (
	FromRepo    Source = "repo"    // a repository in view
	FromArchive Source = "archive" // the archive, package by package
	FromFile    Source = "file"    // a local package file
)

// Repo is one repository of one day, or a set of local package files.
type Repo struct {
	Name  string // "core"
	Day   string // "2026-11-20"; empty for the mirrors of today
	From  Source // empty means FromRepo
	Index *alpm.Index
}

// Archive offers what the repositories in view do not hold. Solve asks it only
// when it must and never twice for the same thing, but for several packages at
// once: it must be safe for concurrent use.
type Archive interface {
	// Versions lists every full version kept of a package, newest first; none,
	// and no error, where the archive does not know the name.
	Versions(ctx context.Context, name string) ([]string, error)
	// Package reads one version from the package's own head.
	Package(ctx context.Context, name, version string) (*alpm.Package, error)
}

// History opens the repositories of other days. It is used to find the nearest
// change that works, never to find an answer.
type History struct {
	Days func(ctx context.Context) ([]string, error)            // oldest first
	At   func(ctx context.Context, day string) ([]*Repo, error) // in preference order
}

// Want is one thing asked for.
type Want struct {
	Name   string                    // package, group, virtual name, soname dependency, or any of these after "repo/"
	Pin    string                    // text of the pin, for people
	Accept func(version string) bool // whether a full version meets the pin; nil = any does
	Exact  string                    // the one full version that the pin names, where it names just one
	Repo   string                    // only from the repository of this name
	Repos  []*Repo                   // a view of its own (a snapshot for this package alone); else the request's
	Origin string                    // `devenv.toml:12:1: gcc = "14.2.1"`, for explanations
	Base   bool                      // asked for by the base set, not by name
	With   []string                  // further dependencies, which come and go with it

	number int // tells it from the others, also in a changed request
}

// Request is everything an answer depends on.
type Request struct {
	Arch    string            // packages of this architecture and "any" can be chosen
	Wants   []Want            // in the order of their importance
	Repos   []*Repo           // in the order of preference
	Archive Archive           // nil where there is none
	History *History          // nil where there is none
	Locked  map[string]string // name to full version: preferred wherever it is possible
}
