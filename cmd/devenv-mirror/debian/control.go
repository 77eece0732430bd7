package debian

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Package is one package version that apt would install, from its control
// fields.
type Package struct {
	Name        string
	Version     string
	Arch        string // Debian's word: amd64, all
	Source      string
	Depends     [][]Relation // Pre-Depends and Depends: all of these, any of each
	Recommends  [][]Relation
	Provides    []string
	Description string // the short one
	Homepage    string
	Size        int64  // bytes of the .deb
	SHA256      string // of the .deb
}

// Relation is one alternative of a dependency, such as "libc6 (>= 2.36)".
type Relation struct {
	Name    string
	Op      string // "", "=", ">=", "<<", …
	Version string
}

// Filename is the name apt-get download gives the package's file.
func (p *Package) Filename() string {
	return p.Name + "_" + strings.ReplaceAll(p.Version, ":", "%3a") + "_" + p.Arch + ".deb"
}

// parseControl calls each for every stanza of r. Continuation lines are
// dropped: no field that is wanted here has any.
func parseControl(r io.Reader, each func(map[string]string)) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 1<<20), 16<<20)
	fields := map[string]string{}
	for sc.Scan() {
		line := sc.Text()
		switch {
		case line == "":
			if len(fields) > 0 {
				each(fields)
				clear(fields)
			}
		case line[0] == ' ' || line[0] == '\t':
		default:
			if key, value, ok := strings.Cut(line, ":"); ok && wanted[key] {
				fields[key] = strings.TrimSpace(value)
			}
		}
	}
	if len(fields) > 0 {
		each(fields)
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("reading control fields: %w", err)
	}
	return nil
}

// wanted saves the time of keeping the other fields of 60,000 packages.
var wanted = map[string]bool{
	"Package": true, "Version": true, "Architecture": true, "Source": true, "Depends": true, "Pre-Depends": true,
	"Recommends": true, "Provides": true, "Description": true, "Description-en": true, "Homepage": true, "Size": true, "SHA256": true,
}

func newPackage(f map[string]string) *Package {
	p := &Package{
		Name: f["Package"], Version: f["Version"], Arch: f["Architecture"], Source: f["Package"],
		Description: f["Description"], Homepage: f["Homepage"], SHA256: f["SHA256"],
	}
	if p.Description == "" {
		p.Description = f["Description-en"]
	}
	if source, _, _ := strings.Cut(f["Source"], " "); source != "" {
		p.Source = source
	}
	p.Depends = append(parseRelations(f["Pre-Depends"]), parseRelations(f["Depends"])...)
	p.Recommends = parseRelations(f["Recommends"])
	for _, group := range parseRelations(f["Provides"]) {
		p.Provides = append(p.Provides, group[0].Name)
	}
	fmt.Sscan(f["Size"], &p.Size) // absent for installed packages that no source has
	return p
}

// parseRelations reads "a (>= 1) | b, c:any [amd64]".
func parseRelations(s string) [][]Relation {
	var all [][]Relation
	for group := range strings.SplitSeq(s, ",") {
		var alternatives []Relation
		for one := range strings.SplitSeq(group, "|") {
			if r := parseRelation(one); r.Name != "" {
				alternatives = append(alternatives, r)
			}
		}
		if len(alternatives) > 0 {
			all = append(all, alternatives)
		}
	}
	return all
}

func parseRelation(s string) Relation {
	s, _, _ = strings.Cut(s, "[")
	name, constraint, _ := strings.Cut(s, "(")
	name, _, _ = strings.Cut(strings.TrimSpace(name), ":")
	constraint = strings.TrimSuffix(strings.TrimSpace(constraint), ")")
	end := 0
	for end < len(constraint) && strings.IndexByte("<>=", constraint[end]) >= 0 {
		end++
	}
	return Relation{Name: name, Op: constraint[:end], Version: strings.TrimSpace(constraint[end:])}
}
