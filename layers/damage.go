package layers

import "fmt"

// DamageError says that a layer or tree is not as it was made. A tree is
// removed and made again; a layer is deleted and added again.
type DamageError struct {
	Layer   string // id; or
	Tree    string // id
	Package string // name of the layer's
	Path    string // in the layer or tree
	Problem string // "is missing", "has other content", …
}

func (e *DamageError) Error() string {
	what := "the layer of " + e.Package
	if e.Tree != "" {
		what = "tree " + e.Tree[:min(12, len(e.Tree))]
	}
	return fmt.Sprintf("%s is damaged: /%s %s; \"devenv cache verify\" mends it", what, e.Path, e.Problem)
}
