// Package lock reads and writes devenv.lock: the exact packages of an
// environment, for every kind of machine that its devenv.toml names. The file
// is TOML and belongs into version control; the manual's page on devenv.lock
// describes it.
//
// Its main type is Lock, plain data. The same Lock always gives the same bytes,
// sorted and one value a line, so that a change of one package is a change of
// few lines. A checksum over the text finds what was edited by hand; markers of
// a merge are found, too, and Salvage gives what both sides agree on or one of
// them had. A lock that another tool of devenv's name wrote is ErrForeign and
// is nobody's here to change.
//
// Parse trusts nothing: names, hashes and file names are checked before anybody
// makes a path of them. Faults are *Error values with file:line:column.
//
// Write replaces the file by renaming a finished one onto it, so a crash leaves
// the old lock or the new one, and leaves a file alone whose bytes would not
// change. All functions may be called by any number of goroutines.
package lock
