// Package unpack puts the files of one package archive into one directory.
//
// Its one function is Unpack. The archive is hostile until proved otherwise: an
// entry that would leave the directory, pass through a symbolic link, make a
// device, come twice or be absurdly large is refused by name with an
// *EntryError. Owners are not kept, since layers have one owner; modes, times,
// links and hard links are. The files that describe the package (.PKGINFO,
// .MTREE, …) are returned and not unpacked, as pacman does it.
//
// Decompression, reading the archive and writing files overlap. Nothing is
// fsynced and nothing undone: on an error, and after a crash, the directory is
// the caller's to remove. Unpack may run many times at once, on different
// directories.
package unpack
