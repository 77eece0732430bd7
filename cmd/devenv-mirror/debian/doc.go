// Package debian asks the host's own apt and dpkg what can be had and fetches
// it: no server's name is known here, whatever sources.list says is used.
//
// Its main type is Package, one version that apt would install. The formats
// are deb-control(5), deb-shlibs(5) and deb(5); the archives themselves are
// opened by dpkg-deb, which is wherever apt is and knows every compression
// that the host's packages use.
//
// All functions are safe for concurrent use. Downloads land in a directory of
// their own and are renamed when complete, so that a killed run leaves no
// half a package behind.
package debian
