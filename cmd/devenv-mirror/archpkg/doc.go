// Package archpkg writes Arch packages, byte for byte the same for the same
// input: a tar in zstd with .BUILDINFO, .INSTALL, .MTREE and .PKGINFO before
// the files, which come in the order of their names, as makepkg writes it.
//
// Its main type is Meta, what .PKGINFO says. It follows makepkg(8),
// BUILDINFO(5) and mtree(5).
package archpkg
