package resolve

// Conflict says why there is no answer, and what would help.
type Conflict struct {
	Reasons []Reason `json:"reasons"`           // the shortest chain found, from what was asked for to what clashes
	Changes []Change `json:"changes,omitempty"` // each one verified by solving again; the nearest first
}

// Reason is one link of the chain.
type Reason struct {
	Text    string `json:"text"`             // "gcc 14.2.1-1 needs gcc-libs=14.2.1-1"
	Origin  string `json:"origin,omitempty"` // the line that asked for it
	Package string `json:"package,omitempty"`
	Version string `json:"version,omitempty"`
	Needs   string `json:"needs,omitempty"` // the dependency, or the name that it is in conflict with
}

// ChangeKind says what a Change changes.
type ChangeKind string

const (
	ChangeSnapshot ChangeKind = "snapshot" // another day for everything
	ChangeVersion  ChangeKind = "version"  // another version for one pin
	ChangeRelax    ChangeKind = "relax"    // no pin on one package
	ChangeRemove   ChangeKind = "remove"   // do without one want
)

// Change is a change of the request under which it can be met.
type Change struct {
	Kind   ChangeKind `json:"kind"`
	Text   string     `json:"text"`             // for people
	Name   string     `json:"name,omitempty"`   // the want it changes
	Value  string     `json:"value,omitempty"`  // the day or version to write
	Origin string     `json:"origin,omitempty"` // the line it changes
}

// Nearest returns the first of the changes that work, or nil.
func (c *Conflict) Nearest() *Change {
	if len(c.Changes) == 0 {
		return nil
	}
	return &c.Changes[0]
}

// NotFound says that wants name nothing that is known.
type NotFound struct {
	Names []Unknown `json:"names"`
}

// Unknown is one name that nothing has.
type Unknown struct {
	Name     string   `json:"name"`
	Origin   string   `json:"origin,omitempty"`
	Similar  []string `json:"similar,omitempty"`  // names that may have been meant, likeliest first
	Archived string   `json:"archived,omitempty"` // the newest version the archive has, where the repositories dropped it
	Repos    []string `json:"repos,omitempty"`    // repositories that have it, where the want named another
}
