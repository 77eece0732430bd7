// Package alpm reads and writes pacman's formats: sync databases, package
// heads, hooks, the local database, and the order of versions. It is pure data:
// it touches no disk of its own accord and starts nothing.
//
// The main type is Package. ReadDatabase gives the packages of a repository,
// Index finds among many in microseconds and travels as a file. Versions and
// dependencies mean what libalpm makes of them (vercmp(8)).
//
// Everything read is taken for hostile: what is damaged or out of proportion is
// an error, never a panic and never unbounded memory. All functions are safe
// for concurrent use, and so is an Index; other values are like any Go value.
package alpm
