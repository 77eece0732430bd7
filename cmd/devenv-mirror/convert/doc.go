// Package convert turns the files of Debian packages into the tree of one Arch
// package: a merged /usr whose only library directory is usr/lib, everything
// owned by root, Debian's documentation and init scripts left out, and the
// links that Debian's maintainer scripts would make (update-alternatives(1))
// made as plain links.
//
// Debian's multiarch directory usr/lib/TRIPLET becomes usr/lib itself, where
// Arch has its libraries; package filesystem has a link TRIPLET → "." there,
// so that every compiled-in multiarch path still holds. Symbolic links change
// depth by this and are rewritten relative to where they are now.
//
// The main type is Tree. It is built in memory, by one goroutine.
package convert
