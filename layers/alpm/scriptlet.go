package alpm

import "regexp"

// ScriptletFunctions are the functions that an .INSTALL file defines and that
// pacman calls (PKGBUILD(5)), in the order they stand there. It reads shell by
// its looks, for information: only a shell knows for sure.
func ScriptletFunctions(install []byte) []string {
	var names []string
	seen := make(map[string]bool)
	for _, m := range scriptletFunction.FindAllSubmatch(install, -1) {
		name := string(m[1]) + string(m[2])
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

var scriptletFunction = regexp.MustCompile(`(?m)^[ \t]*(?:((?:pre|post)_(?:install|upgrade|remove))[ \t]*\([ \t]*\)|function[ \t]+((?:pre|post)_(?:install|upgrade|remove))\b)`)
