package alpm

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// LocalVersion is what /var/lib/pacman/local/ALPM_DB_VERSION holds.
const LocalVersion = "9\n"

// LocalPackage is one entry of pacman's local database: the package, and how it
// came to be installed. Its files go into a directory of LocalDir's name: desc
// (WriteLocalDesc), files (WriteLocalFiles), mtree and, where the package has
// them, install and changelog, which are .MTREE, .INSTALL and .CHANGELOG as they
// are in the package.
type LocalPackage struct {
	PkgInfo
	InstallDate int64 // Unix seconds
	Reason      Reason
	Validation  []Validation
}

// Reason is why a package is installed.
type Reason uint8

// The reasons, as %REASON% has them.
const (
	Explicit Reason = 0 // asked for
	Depended Reason = 1 // pulled in
)

// Validation is a check that a package passed before it was installed.
type Validation string

// The checks, in the order that pacman writes them.
const (
	ValidatedNone   Validation = "none"
	ValidatedMD5    Validation = "md5"
	ValidatedSHA256 Validation = "sha256"
	ValidatedPGP    Validation = "pgp"
)

var validationOrder = []Validation{ValidatedNone, ValidatedMD5, ValidatedSHA256, ValidatedPGP}

// LocalDir is what the directory of a package in the local database is called.
func (p *Package) LocalDir() string { return p.Name + "-" + p.Version }

// WriteLocalDesc writes p's desc, byte for byte as pacman does.
func WriteLocalDesc(w io.Writer, p *LocalPackage) error {
	d := descWriter{bufio.NewWriter(w)}
	d.one("NAME", p.Name)
	d.one("VERSION", p.Version)
	d.one("BASE", p.Base)
	d.one("DESC", p.Desc)
	d.one("URL", p.URL)
	d.one("ARCH", p.Arch)
	d.number("BUILDDATE", p.BuildDate)
	d.number("INSTALLDATE", p.InstallDate)
	d.one("PACKAGER", p.Packager)
	d.number("SIZE", p.InstalledSize)
	d.number("REASON", int64(p.Reason))
	d.list("GROUPS", p.Groups)
	d.list("LICENSE", p.Licenses)
	var checks []string
	for _, v := range validationOrder {
		if slices.Contains(p.Validation, v) {
			checks = append(checks, string(v))
		}
	}
	d.list("VALIDATION", checks)
	d.deps("REPLACES", p.Replaces)
	d.deps("DEPENDS", p.Depends)
	d.list("OPTDEPENDS", p.OptDepends)
	d.deps("CONFLICTS", p.Conflicts)
	d.deps("PROVIDES", p.Provides)
	d.list("XDATA", p.XData)
	return d.w.Flush()
}

// Backup is a configuration file that the package says to keep, and the MD5 of
// what the package brought.
type Backup struct {
	Path string
	MD5  string // lower-case hexadecimal
}

// WriteLocalFiles writes a files file, byte for byte as pacman does, but for the
// order of paths, which it sorts. Directories end in a slash, nothing begins
// with one.
func WriteLocalFiles(w io.Writer, files []string, backup []Backup) error {
	d := descWriter{bufio.NewWriter(w)}
	d.list("FILES", slices.Sorted(slices.Values(files)))
	lines := make([]string, len(backup))
	for i, b := range backup {
		lines[i] = b.Path + "\t" + b.MD5
	}
	d.list("BACKUP", lines)
	return d.w.Flush()
}

// descWriter writes the fields of desc files; an empty value leaves its field
// out, and so does a zero.
type descWriter struct{ w *bufio.Writer }

func (d descWriter) one(field, value string) {
	if value != "" {
		fmt.Fprintf(d.w, "%%%s%%\n%s\n\n", field, value)
	}
}

func (d descWriter) number(field string, n int64) {
	if n != 0 {
		d.one(field, strconv.FormatInt(n, 10))
	}
}

func (d descWriter) list(field string, values []string) {
	if len(values) > 0 {
		d.one(field, strings.Join(values, "\n"))
	}
}

func (d descWriter) deps(field string, deps []Dep) {
	values := make([]string, len(deps))
	for i, dep := range deps {
		values[i] = dep.String()
	}
	d.list(field, values)
}

// ReadLocalDesc reads a desc of the local database, pacman's or one of
// WriteLocalDesc.
func ReadLocalDesc(r io.Reader) (*LocalPackage, error) {
	text, err := readText(r, "desc", maxInfo)
	if err != nil {
		return nil, err
	}
	var p LocalPackage
	var f fieldReader
	err = f.each(text, func(field string) {
		first := f.values[0]
		switch field {
		case "%NAME%":
			p.Name = first
		case "%VERSION%":
			p.Version = first
		case "%SIZE%":
			p.InstalledSize = decimal(first)
		case "%INSTALLDATE%":
			p.InstallDate = decimal(first)
		case "%REASON%":
			if first != "0" {
				p.Reason = Depended
			}
		case "%VALIDATION%":
			for _, v := range f.values {
				p.Validation = append(p.Validation, Validation(v))
			}
		case "%XDATA%":
			p.XData = f.list(nil)
		default:
			f.store(field, &p.Package)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("desc: %w", err)
	}
	if p.Name == "" || p.Version == "" {
		return nil, fmt.Errorf("desc: no name or no version: it is damaged")
	}
	return &p, nil
}

// ReadLocalFiles reads a files file of the local database.
func ReadLocalFiles(r io.Reader) (files []string, backup []Backup, err error) {
	text, err := readText(r, "files", maxFileList)
	if err != nil {
		return nil, nil, err
	}
	var f fieldReader
	err = f.each(text, func(field string) {
		switch field {
		case "%FILES%":
			files = append(files, f.values...)
		case "%BACKUP%":
			for _, v := range f.values {
				path, md5, _ := strings.Cut(v, "\t")
				backup = append(backup, Backup{path, md5})
			}
		}
	})
	if err != nil {
		return nil, nil, fmt.Errorf("files: %w", err)
	}
	return files, backup, nil
}
