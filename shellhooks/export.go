package shellhooks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// export writes d as statements, unset first.
func (x *syntax) export(d Diff) string {
	w := &strings.Builder{}
	for _, name := range slices.Sorted(maps.Keys(d.Before)) {
		if _, stays := d.After[name]; !stays && settable(name) {
			fmt.Fprintf(w, x.unset, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.After)) {
		if settable(name) {
			fmt.Fprintf(w, x.set, name, x.quote(d.After[name]))
		}
	}
	return w.String()
}

// hook fills in a hook's script.
func (x *syntax) hook(name string, self []string) string {
	data, err := scripts.ReadFile("scripts/" + name)
	if err != nil {
		panic(err) // the names are constants
	}
	words := make([]string, len(self))
	for i, w := range self {
		words[i] = x.quote(w)
	}
	return strings.ReplaceAll(string(data), "@SELF@", strings.Join(words, " "))
}
