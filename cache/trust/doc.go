// Package trust decides whether a package was made by whom its signature says,
// and whether Arch Linux (or the owner of another keyring) trusted that person
// when it was made.
//
// Its main type is [Keyring]: the three files that pacman knows as
// archlinux.gpg, archlinux-trusted and archlinux-revoked. [Open] reads one from
// disk, [FromPackage] takes one out of an archlinux-keyring package and accepts
// it only if the built-in [Masters] vouch for its signer, which is how a host
// that never saw an Arch key begins. [Keyring.Verifier] then checks a package
// against its detached signature while the package's bytes pass by, so that they
// are read once.
//
// Validity follows GnuPG's web of trust as pacman-key sets it up (pacman-key(8),
// "PROVIDING A KEYRING FOR IMPORT"; GnuPG's marginals-needed 3,
// completes-needed 1) with one difference: every question is asked for a day,
// the day on which the package was built and signed. Arch retires a packager by
// revoking what the masters signed, and what that packager built before stays
// good. docs/trust.md has the rules and their reasons.
//
// Packets, signatures and what they cover follow RFC 4880 and RFC 9580. The
// arithmetic is ProtonMail/go-crypto's; its own key model (openpgp/v2) is not
// used, since it remembers the answer to the first date it is asked about,
// may not be shared between goroutines, and knows nothing of what others certify.
//
// Promises: a Keyring never changes after it was made and serves any number of
// goroutines; keys are parsed and their certifications checked when they are
// first asked for. Input is hostile until a signature says otherwise: nothing
// panics, and memory stays within a small multiple of the input's size, which is
// bounded. Nothing is written anywhere.
package trust
