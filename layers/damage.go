package layers

import "fmt"

// DamageError says that a layer is not as it was made. Delete it and add it
// again.
type DamageError struct {
	Layer   string // id
	Package string // name
	Path    string // in the layer
	Problem string // "is missing", "has other content", …
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("the layer of %s is damaged: /%s %s; run \"devenv cache verify\"", e.Package, e.Path, e.Problem)
}
