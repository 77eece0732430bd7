package manifest

import (
	"fmt"
	"path"
	"strings"
	"unicode"
)

// A check says what is wrong with a word, "" if nothing is, and what to do.
type check func(word string) (msg, hint string)

// checkPackage accepts the names of packages, groups and virtual names
// (PKGBUILD(5)), sonames among them.
func checkPackage(name string) (msg, hint string) {
	if at := strings.IndexAny(name, "<>="); at > 0 {
		return fmt.Sprintf("%q is no name of a package", name), fmt.Sprintf("a version stands apart: %s = %q", name[:at], name[at:])
	}
	return checkName(name, "a package", "@._+-:")
}

func checkRepo(name string) (msg, hint string) {
	return checkName(name, "a repository", "@._+-")
}

// checkName accepts ASCII letters, digits and the given signs; no hyphen or
// dot at the beginning.
func checkName(name, what, signs string) (msg, hint string) {
	if name == "" {
		return "the name of " + what + " is missing", ""
	}
	for i, r := range name {
		if !isAlnum(r) && (i == 0 && strings.ContainsRune("-.", r) || !strings.ContainsRune(signs, r)) {
			return fmt.Sprintf("%q is no name of %s: %q cannot be there", name, what, r),
				"such a name has letters, digits and " + strings.Join(strings.Split(signs, ""), " ")
		}
	}
	return "", ""
}

func checkCommand(name string) (msg, hint string) {
	if name == "" || name == "." || name == ".." || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Sprintf("%q is no command", name), ""
	}
	if strings.Contains(name, "/") {
		return fmt.Sprintf("%q is no command", name), "write the command's name alone: " + path.Base(name)
	}
	return "", ""
}

// checkGlob accepts a pattern for paths of packages, which begin without a
// slash.
func checkGlob(glob string) (msg, hint string) {
	if glob == "" {
		return "a pattern is missing", `write, for example, "usr/share/x/*"`
	}
	if strings.HasPrefix(glob, "/") {
		return fmt.Sprintf("the pattern %q begins with /", glob), fmt.Sprintf("write %q: paths in packages have no / at the beginning", strings.TrimLeft(glob, "/"))
	}
	if _, err := path.Match(glob, ""); err != nil {
		return fmt.Sprintf("the pattern %q has a [ without its ]", glob), `write \[ for the character itself`
	}
	return "", ""
}

// checkNoExtract accepts a pattern that may begin with !.
func checkNoExtract(glob string) (msg, hint string) {
	return checkGlob(strings.TrimPrefix(glob, "!"))
}

// checkKeep accepts a path inside home.
func checkKeep(p string) (msg, hint string) {
	switch {
	case p == "":
		return "a path is missing", `write, for example, ".cache/ccache"`
	case strings.HasPrefix(p, "~/"):
		return fmt.Sprintf("%q begins with ~", p), fmt.Sprintf("write %q: the path is inside home anyway", path.Clean(p[2:]))
	case path.IsAbs(p):
		return fmt.Sprintf("%q is no path inside home", p), "write the path as it goes on from home, without / at the beginning"
	case path.Clean(p) != p || p == "." || p == ".." || strings.HasPrefix(p, "../"):
		return fmt.Sprintf("%q is no plain path inside home", p), "write it without . and .. and doubled or trailing slashes"
	}
	return "", ""
}

// checkLocale accepts names such as en_US.UTF-8, de_DE@euro and C.UTF-8.
func checkLocale(name string) (msg, hint string) {
	const example = `write, for example, "en_US.UTF-8"`
	if first, _, blank := strings.Cut(name, " "); blank {
		return fmt.Sprintf("%q is no locale", name), fmt.Sprintf("write %q: the character set is in the name", first)
	}
	rest, modifier, modified := strings.Cut(name, "@")
	rest, charset, dotted := strings.Cut(rest, ".")
	language, territory, under := strings.Cut(rest, "_")
	switch {
	case !isWord(language, 1, 8) || modified && !isWord(modifier, 1, 16) || under && !isWord(territory, 2, 3):
		return fmt.Sprintf("%q is no locale", name), example
	case dotted && !isWord(strings.ReplaceAll(charset, "-", ""), 1, 16):
		return fmt.Sprintf("%q is no locale", name), example
	}
	return "", ""
}

// isWord reports whether s has least to most ASCII letters and digits alone.
func isWord(s string, least, most int) bool {
	return len(s) >= least && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return !isAlnum(r) })
}

// checkAlias accepts what bash, zsh and fish all take as the name of an alias.
func checkAlias(name string) (msg, hint string) {
	return checkName(name, "an alias", "@._+-:!%,")
}

// checkTask accepts what can be told from an option and typed without quotes.
func checkTask(name string) (msg, hint string) {
	return checkName(name, "a task", "@._+-:/")
}

// archAliases are names that other systems give to Arch's architectures.
var archAliases = map[string]string{
	"amd64": "x86_64", "x64": "x86_64", "x86-64": "x86_64", "arm64": "aarch64", "i386": "i686", "x86": "i686", "armhf": "armv7h", "armv7": "armv7h", "ppc64le": "powerpc64le",
}

func checkArch(name string) (msg, hint string) {
	if real := archAliases[strings.ToLower(name)]; real != "" {
		return fmt.Sprintf("%q is no architecture of Arch Linux", name), "did you mean `" + real + "`?"
	}
	if name == "any" || !isWord(strings.ReplaceAll(name, "_", ""), 1, 32) {
		return fmt.Sprintf("%q is no architecture", name), `write, for example, "x86_64" or "aarch64"`
	}
	return "", ""
}
