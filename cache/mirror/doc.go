// Package mirror asks Arch's mirrors and its archive, or directories laid out
// like them, for databases and packages, and keeps the answers.
//
// [Mirror] is the main type: [Mirror.Sync] gives a repository as it is today or
// was on a day, [Mirror.Package] a package file, [Mirror.Signature] its signature.
// [Archive] answers what lies outside the repositories in view: which versions of a
// package are kept, what one of them says of itself, on which days it was current.
//
// The layout is Arch's own: REPO/os/ARCH/REPO.db and REPO.files on mirrors; in
// the archive repos/YYYY/MM/DD/ before that, packages/g/gcc/ with every version
// kept, and packages/.all/index.0.xz with their names. Everything works alike
// with http(s) URLs, file:// URLs and plain directories; in a directory the
// listing takes the place of the HTML index.
//
// # Promises
//
//   - What never changes, an old day's database or a package's head, is
//     asked for once and then kept. In a directory on this machine it is looked at
//     each time, which costs nothing there.
//   - A database is parsed once: beside it lies an index ([alpm.Index]), used in place.
//   - What is damaged is thrown away when it is found, and asked of the next mirror.
//   - With the network refused (fetch.Options.Offline), what is there is used.
//
// All of it is safe for concurrent use, by processes too. Indexes are mapped
// into memory and stay so until the process ends.
package mirror
