// Package mirror makes and keeps a mirror with Arch's layout in a directory:
//
//	REPO/os/ARCH/              the repositories of today
//	archive/repos/Y/M/D/…      the same for each day of the archive
//	archive/packages/g/gcc/    every package, with its signature
//	archive/packages/.all/index.0.xz
//	keyring.gpg, keyring-trusted
//
// Databases come from repo-add(8) and signatures from gpg(1), so that what is
// tested against the mirror is tested against what Arch's own tools write.
//
// Its main function is FromDebian. One run at a time holds a directory (a
// lock file says so). Packages are written aside and renamed; repositories are
// made aside and exchanged at the end, so that a reader, or a run that was
// killed, leaves either the old mirror or the new one. A run reuses every
// package that was made from the same files by the same rules.
package mirror
