package convert

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// licensePath is where Arch has what Debian has as usr/share/doc/DEB/copyright.
// Other paths stay.
func licensePath(name, p string) string {
	deb, ok := strings.CutPrefix(p, "usr/share/doc/")
	if !ok {
		return p
	}
	if deb, ok = strings.CutSuffix(deb, "/copyright"); !ok || strings.Contains(deb, "/") {
		return p
	}
	return path.Join("usr/share/licenses", name, deb)
}

// Licenses reads a package's licenses out of its copyright files where they
// are machine-readable (Debian's copyright-format 1.0): those of the stanza
// for all files.
func Licenses(t Tree, name string) []string {
	var found []string
	for _, n := range t.Sorted() {
		if n.Kind == File && path.Dir(n.Path) == "usr/share/licenses/"+name {
			for _, l := range mainLicenses(string(n.Data)) {
				if !slices.Contains(found, l) {
					found = append(found, l)
				}
			}
		}
	}
	if found == nil {
		return []string{"custom"}
	}
	return found
}

var licenseWords = regexp.MustCompile(`,?\s+(?:and|or)\s+|\s*,\s*`)

func mainLicenses(text string) []string {
	if !strings.HasPrefix(text, "Format:") {
		return nil
	}
	for stanza := range strings.SplitSeq(text, "\n\n") {
		if !allFiles.MatchString(stanza) {
			continue
		}
		var names []string
		if m := licenseLine.FindStringSubmatch(stanza); m != nil {
			for _, word := range licenseWords.Split(strings.TrimSpace(m[1]), -1) {
				names = append(names, spdx(word))
			}
		}
		return names
	}
	return nil
}

var (
	allFiles    = regexp.MustCompile(`(?m)^Files:\s+\*`)
	licenseLine = regexp.MustCompile(`(?m)^License:\s*(\S.*)$`)
	gnu         = regexp.MustCompile(`^(L?GPL|AGPL|GFDL)-(\d+)(\.\d+)?(\+?)$`)
)

// spdx writes Debian's short names as SPDX does, which Arch uses; of others it
// keeps the words, joined.
func spdx(debian string) string {
	if debian == "Expat" {
		return "MIT"
	}
	m := gnu.FindStringSubmatch(debian)
	if m == nil {
		return strings.Join(strings.Fields(debian), "-")
	}
	minor, which := m[3], "-only"
	if minor == "" {
		minor = ".0"
	}
	if m[4] == "+" {
		which = "-or-later"
	}
	return m[1] + "-" + m[2] + minor + which
}
