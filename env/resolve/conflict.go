package resolve

import "strings"

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
	Needs   string `json:"needs,omitempty"` // the dependency, or what it is in conflict with

	subject string // what Text begins with and Origin says better
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
	Value  string     `json:"value,omitempty"`  // the day or version to write, or what giving up a pin leads to
	Origin string     `json:"origin,omitempty"` // the line it changes
	And    []Change   `json:"and,omitempty"`    // what else must change, where one change is not enough
}

// Nearest returns the first of the changes that work, or nil.
func (c *Conflict) Nearest() *Change {
	if len(c.Changes) == 0 {
		return nil
	}
	return &c.Changes[0]
}

// Error tells the whole story: the reasons, then what would work.
func (c *Conflict) Error() string {
	var b strings.Builder
	b.WriteString("these cannot be had together:")
	for _, r := range c.Reasons {
		b.WriteString("\n  " + r.String())
	}
	if len(c.Changes) > 0 {
		b.WriteString("\nwhat would work:")
	}
	for _, change := range c.Changes {
		b.WriteString("\n  " + change.String())
	}
	return b.String()
}

// String names the line that asked for it, where there is one.
func (r Reason) String() string {
	if r.Origin == "" {
		return r.Text
	}
	return r.Origin + strings.TrimPrefix(r.Text, r.subject)
}

// String puts the line to change last.
func (c Change) String() string {
	text := c.Text
	if c.Origin != "" {
		text += " (" + c.Origin + ")"
	}
	for _, more := range c.And {
		text += ", and " + more.String()
	}
	return text
}
