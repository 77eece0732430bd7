package alpm

import (
	"fmt"
	"strings"
)

// Names that lead out of a directory would be made into paths: of the local
// database, of package files. libalpm refuses the same.

// maxDirName is how long a name in a directory can be.
const maxDirName = 255

// validate refuses names and versions that no directory of the local database
// could be called by, or that would be taken for another's.
func (p *Package) validate() error {
	switch {
	case p.Name == "" || p.Name[0] == '-' || p.Name[0] == '.' || !isWord(p.Name):
		return fmt.Errorf("impossible package name %q: it is damaged or hostile", p.Name)
	case p.Version == "" || strings.Count(p.Version, "-") > 1 || !isWord(p.Version):
		return fmt.Errorf("impossible version %q of package %s: it is damaged or hostile", p.Version, p.Name)
	case len(p.Name)+len("-")+len(p.Version) > maxDirName:
		return fmt.Errorf("name and version of package %.40s… are longer than %d bytes together", p.Name, maxDirName-1)
	}
	return nil
}

// validateFilename refuses what is no name of a file in a mirror's directory.
func (p *Package) validateFilename() error {
	if f := p.Filename; f != "" && (f[0] == '.' || !isWord(f) || len(f) > maxDirName) {
		return fmt.Errorf("impossible file name %q of package %s: it is damaged or hostile", f, p.Name)
	}
	return nil
}

// isWord says whether s has neither slashes nor blanks nor control characters.
func isWord(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f })
}
