// Package tomlfile reads a TOML file (toml.io, v1.1) into a tree in which
// every key and value knows where it stands, so that whoever reads meaning
// into the file can point at what is wrong, and can change it in place.
//
// Its main type is Document. Faults are *Error values whose text has
// file:line:column, the source line and a caret. The parser underneath reads
// one expression at a time and knows no more; that a key is set once, that a
// table is opened once, that an inline table is closed, is checked here.
//
// A Document is not changed after Parse and may be read by any number of
// goroutines.
package tomlfile
