package resolve

import "devenv/layers/alpm"

// Solution is a set of packages that meets every want and every dependency, and
// in which nothing is in conflict.
type Solution struct {
	Packages []Chosen // sorted by name
	Deferred []Deferred
}

// Chosen is one package of a solution, and why it is there.
type Chosen struct {
	*alpm.Package
	Repo  string   // the repository's name; empty for a package of the archive
	Day   string   // the repository's day; empty for today's mirrors and the archive
	From  Source   // where it comes from
	By    []string // names of the chosen packages that need it, sorted
	Wants []string // names, as asked for, of the wants it meets, in the request's order
	Base  bool     // nothing but the base set leads to it
	Moved string   // the version that is in view, where a constraint or a pin took another
}

// Deferred is a soname dependency of a package that was rolled back, which no
// package of the solution meets without breaking others. The package gets the
// library from a compatibility layer, or is refused when that is built.
type Deferred struct {
	Package string   // the package that was rolled back
	Dep     alpm.Dep // "libfoo.so=5-64"
	Owners  []string // packages that provide another version of the library today
}
