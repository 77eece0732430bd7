package manifest

// Pin is the set of versions that a devenv.toml allows of one package. The
// zero Pin allows every one.
type Pin struct {
	text  string
	terms []term
}

// term is one condition; all of a pin's must hold.
type term struct {
	op      op
	epoch   string // "" if none was written
	version string // pkgver as written
	rel     string // pkgrel, "" if none was written
}

type op uint8

const (
	same   op = iota // a bare version, = or ==
	prefix           // 18.*
	not              // !=
	less
	atMost
	greater
	atLeast
)

// String is the pin as it was written; "*" for the zero Pin.
func (p Pin) String() string {
	if p.text == "" {
		return "*"
	}
	return p.text
}
