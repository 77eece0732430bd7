// Package elf knows what the programs and libraries of a layer need in order to
// start, and finds out what of it a tree does not give.
//
// A Recorder looks at files while a package is unpacked and makes a Record, a
// few kilobytes that are kept with the layer. Check puts the records of all
// layers of a tree together and follows ld.so(8): RPATH, RUNPATH, $ORIGIN,
// ld.so.conf, the default directories, classes, and symbol versions; and
// execve(2) for interpreters. It reads no library again.
//
// ELF files are read as the dynamic linker reads them, by program headers, and
// are hostile: what is damaged is an error, never a panic or much memory. A
// Recorder is safe for concurrent use; Check changes nothing that it is given.
package elf
