// Package table says which Arch packages a mirror has and what each is made
// of. packages.toml beside this file is the table itself, and the place to
// extend; its head explains every key. root/NAME holds files of our own that
// go into package NAME, install/NAME its scriptlet.
//
// Its main type is Plan: the table applied to what the host's apt can give,
// as one list of builds for each day of the archive. It promises that every
// build's dependencies are in the plan of each day on which the build is. A
// Debian dependency that no entry covers becomes a package of its own, named
// after its Debian source, so the table need name only what it knows better.
//
// Planning is a pure function of the table and apt's list; it touches no file.
package table
