// Package resolve chooses packages: wants and repositories in, one consistent
// set out, or an explanation why there is none and what would help.
//
// The main function is Solve. It first answers as pacman does in an empty root
// (pacman(8), libalpm's dependency, provider, group and conflict rules): the
// first that fits, everywhere. If that answer holds all that was asked, pins
// included, it is the answer. If not, everything that could have a part in an
// answer becomes a problem of requirements and exclusions, and a complete
// search goes through it, making choices in pacman's order of preference,
// learning from every contradiction. What the repositories in view do not hold,
// but a pin or a constraint names, comes from other views and the archive, and
// only if nothing in view does.
//
// The same request gets the same answer, always. A refusal, too, is data: a
// *NotFound for names that mean nothing, a *Conflict with the fewest reasons
// that already exclude each other and with changes that have been tried.
//
// Functions are safe for concurrent use as far as a request's Archive and
// History are. Nothing is written anywhere. docs/resolver.md says more.
package resolve
