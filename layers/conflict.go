package layers

import (
	"fmt"
	"strings"
)

// Conflict is one path that two packages both want.
type Conflict struct {
	Path   string // without a leading slash
	First  string // names of the two packages, in the order of the layers
	Second string
	Reason string // set when it is not simply a file in both: "a directory in one, …"
}

// ConflictError is the refusal of a tree whose packages do not fit together.
type ConflictError struct {
	Conflicts []Conflict // sorted by path
}

// shownConflicts is how many an error message spells out.
const shownConflicts = 10

func (e *ConflictError) Error() string {
	var b strings.Builder
	b.WriteString("packages have conflicting files")
	for i, c := range e.Conflicts {
		if i == shownConflicts {
			fmt.Fprintf(&b, "\n  … and %d more", len(e.Conflicts)-i)
			break
		}
		fmt.Fprintf(&b, "\n  /%s: in %s and in %s", c.Path, c.First, c.Second)
		if c.Reason != "" {
			fmt.Fprintf(&b, " (%s)", c.Reason)
		}
	}
	c := e.Conflicts[0]
	fmt.Fprintf(&b, "\nremove one of the packages, or let one win: [packages.%s] overwrite = [%q]", c.Second, c.Path)
	return b.String()
}
