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
// into the layers, merged by pacman's own rules ([Store.Tree]). It can be made
// while the last layers are still being unpacked ([Store.Weave] of
// [Store.AddAll]), or of a tree that nobody needs any more ([Store.Reweave]).
//
// The main type is [Store]. It needs no privilege and no namespace: nothing is
// ever mounted, and the few things that the store's driver may only do as root
// are answered on one thread by a seccomp filter (see storethread.go).
//
// # On disk
//
// In the cache's store/: what containers/storage keeps (overlay/ID/diff is a
// layer's files), records/ID, fresh/BOOT (see fresh.go). In trees/ID: fs/ and
// spec.json.
//
// # Promises
//
// A Store is safe for concurrent use, and any number of processes may use one
// cache at once: each layer and each tree is made once, by whoever comes first,
// while the others wait for it.
//
// After kill -9 at any moment the cache is usable: a layer counts as there when
// the store's list names it and it has a record, and a tree when it has its
// final name. What was half made is swept by the next [Open].
//
// After a power cut it is, too. By default both happen only after one syncfs(2)
// has brought the files to the disk. With [Store.Later] nobody waits for that:
// what is made counts until the machine stops, and beyond it if [Store.Settle]
// has run, or if it turns out to be whole when the store is next opened.
//
// Directories of layers let their owner in whatever the package says, so that
// layers can be removed; trees have the packages' own modes. Owners are not
// kept. Files in layers and trees share inodes and must never be written to.
//
// It follows alpm's rules for files of several packages (pacman(8), --overwrite;
// pacman.conf(5), NoExtract).
package layers
