package shellhooks

import "strings"

// Direnv is the text for direnv's direnvrc: the function behind `use devenv`.
func Direnv(self ...string) string { return posixSyntax.hook("direnvrc", self) }

// ExportDirenv gives the statements that `use devenv` evaluates, in bash:
// direnv itself puts back what was before.
func ExportDirenv(d Diff, watch []string) string {
	w := &strings.Builder{}
	for _, f := range watch {
		w.WriteString("watch_file " + quote(f) + "\n")
	}
	w.WriteString(posixSyntax.export(d))
	return w.String()
}
