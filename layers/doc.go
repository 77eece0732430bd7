// Package layers turns package files into layers, and layers into trees.
//
// A layer is one package file, unpacked once into containers/storage and shared
// by every environment that wants it. It is content-addressed: its id is
// computed from the SHA-256 of the package file ([ID]), so a layer that is there
// never has to be asked for anything else. Beside its files each layer keeps a
// [Record] of what they are, which answers every later question (conflicts,
// links, sizes, needed libraries) without walking the disk again.
//
// A tree is what an environment is entered through: one directory of hard links
// into the layers, merged by pacman's own rules ([Store.Tree]).
//
// The main type is [Store]. It needs no privilege and no namespace: nothing is
// ever mounted, and the few things that the store's driver may only do as root
// are answered on one thread by a seccomp filter (see storethread.go).
//
// # Promises
//
// A Store is safe for concurrent use, and any number of processes may use one
// cache at once: each layer and each tree is made once, by whoever comes first,
// while the others wait for it.
//
// After kill -9 or a power cut at any moment the cache is usable. A layer counts
// as there when the store's own list names it, and a tree when it has its final
// name; both happen only after one syncfs(2) has brought their files to the
// disk. What was half-made is swept by the next [Open].
//
// Files in layers and trees share inodes and must never be written to.
//
// It follows alpm's rules for files of several packages (pacman(8), --overwrite;
// pacman.conf(5), NoExtract).
package layers
