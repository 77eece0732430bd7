// Package setup makes of unpacked packages what pacman would have made of them
// by installing: it puts configured files in, runs the packages' scriptlets
// and alpm hooks, and keeps all that came of it as one set-up layer, which lies
// over the flattened tree when an environment is entered.
//
// The main type is [Spec]; [Run] makes its layer, once for each set of packages,
// files and locales, and [Find] tells whether it is there. docs/setup.md says
// what runs, in which order, and what does not.
//
// # Where it runs
//
// In a process of its own with user, mount, pid, network, ipc and uts namespaces,
// as root of one mapped id, oneself. It sees an overlay whose upper directory
// becomes the layer, a /dev with five devices, empty /tmp and /run, and nothing
// of the host: no home, no network, no terminal. Scriptlets cannot write
// anywhere else. Each has a time limit and is killed with all it has started.
//
// One mapped id cannot give files away: the chown family, attributes and
// devices that the kernel refuses are answered with success by a seccomp filter
// with a listener, which writes down what was pretended ([Record]).
//
// # Promises
//
// Equal specs make equal layers: what was written has a fixed time, what holds
// times or random numbers is removed. Functions are safe for concurrent use by
// any number of processes; a layer appears whole, after its bytes are on disk.
// The tree below is never written to.
//
// It follows PKGBUILD(5) for scriptlets, alpm-hooks(5), sysusers.d(5),
// tmpfiles.d(5), and the kernel's overlayfs documentation for whiteouts.
package setup
