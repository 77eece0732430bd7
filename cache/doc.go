// Package cache knows where everything lies that devenv keeps on disk, and how
// to put it there so that it is whole or absent.
//
// [Cache] is the main type: [Open] makes or checks the directory, [Cache.Path]
// and its named relatives say where a thing lies, [Cache.Temp] and
// [Cache.Publish] make it there, [Cache.Lock] and [Cache.Hold] keep others
// away, [Cache.RecordUse] and [Cache.GC] decide what may go.
//
// # Promises
//
// Any number of processes may use one cache at once, and any of them may die at
// any moment, by kill -9 or by a power cut:
//
//   - A name outside tmp/ appears by one rename(2), after its bytes are on disk.
//     Whoever finds it finds all of it.
//   - Half-made things live in tmp/, each beside a file that its maker holds by
//     flock(2). The kernel drops the lock with the process, so [Cache.Sweep]
//     throws away what no living process holds, and nothing else.
//   - Locks are flock(2) alone: no lock outlives its holder, none needs cleaning.
//   - A full disk is an error that says how much is missing and what to do
//     ([FullError]); what was half made is thrown away.
//
// Presence is no proof: whoever reads a file that others must be able to trust
// checks its hash (see package fetch and layers).
//
// # The directory
//
// It is made with mode 0700. What it holds is nobody's secret, but the names
// of a person's projects are in it, no other user has any business there (inside an
// environment it is reached through mounts, which need no search permission on
// it), and the XDG base directory specification asks for that mode. A directory that the
// user made themselves keeps its mode, unless others may write to it: then
// it is refused, as is one that belongs to another user, since whoever can write
// to the cache decides what the user runs. CACHEDIR.TAG (bford.info/cachedir)
// keeps backups away from it, and the file "format" says which devenv can read it.
package cache
