package alpm

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// PkgInfo is a package's .PKGINFO: what a database says of it and a little more.
type PkgInfo struct {
	Package
	Backup       []string // configuration files, relative to the root
	MakeDepends  []string
	CheckDepends []string
	XData        []string // "NAME=VALUE", since pacman 6.1
}

// maxInfo bounds the small text files of a package. The .BUILDINFO of 2026 with
// 3,000 installed packages has 100 KiB.
const maxInfo = 8 << 20

// ReadPkgInfo reads a .PKGINFO. As libalpm does, it passes over keys that it
// does not know and lines that are no "key = value"; a name and a version there
// must be.
func ReadPkgInfo(r io.Reader) (*PkgInfo, error) {
	text, err := readText(r, ".PKGINFO", maxInfo)
	if err != nil {
		return nil, err
	}
	var p PkgInfo
	if err := eachKey(text, p.set); err != nil {
		return nil, fmt.Errorf(".PKGINFO: %w", err)
	}
	switch {
	case p.Name == "":
		return nil, fmt.Errorf(".PKGINFO: no pkgname: it is damaged, or of no package")
	case p.Version == "":
		return nil, fmt.Errorf(".PKGINFO of %s: no pkgver: it is damaged", p.Name)
	}
	if err := p.validate(); err != nil {
		return nil, fmt.Errorf(".PKGINFO: %w", err)
	}
	return &p, nil
}

func readText(r io.Reader, what string, limit int64) (string, error) {
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	if n > limit {
		return "", &LimitError{What: "bytes of " + what, Limit: limit}
	}
	return b.String(), nil
}

// eachKey gives set every "key = value" of text.
func eachKey(text string, set func(key, value string)) error {
	for n := 0; text != ""; {
		var line string
		line, text = cutLine(text)
		key, value, ok := strings.Cut(line, " = ")
		if !ok || key == "" || key[0] == '#' || strings.Contains(key, " ") {
			continue
		}
		if n++; n > maxListValues {
			return &LimitError{What: "keys", Limit: maxListValues}
		}
		set(key, value)
	}
	return nil
}

func (p *PkgInfo) set(key, value string) {
	switch key {
	case "pkgname":
		p.Name = value
	case "pkgbase":
		p.Base = value
	case "pkgver":
		p.Version = value
	case "pkgdesc":
		p.Desc = value
	case "url":
		p.URL = value
	case "arch":
		p.Arch = value
	case "packager":
		p.Packager = value
	case "builddate":
		p.BuildDate = decimal(value)
	case "size":
		p.InstalledSize = decimal(value)
	case "license":
		p.Licenses = append(p.Licenses, value)
	case "group":
		p.Groups = append(p.Groups, value)
	case "depend":
		p.Depends = append(p.Depends, splitDep(value))
	case "optdepend":
		p.OptDepends = append(p.OptDepends, value)
	case "provides":
		p.Provides = append(p.Provides, splitDep(value))
	case "conflict":
		p.Conflicts = append(p.Conflicts, splitDep(value))
	case "replaces":
		p.Replaces = append(p.Replaces, splitDep(value))
	case "makedepend":
		p.MakeDepends = append(p.MakeDepends, value)
	case "checkdepend":
		p.CheckDepends = append(p.CheckDepends, value)
	case "backup":
		p.Backup = append(p.Backup, value)
	case "xdata":
		p.XData = append(p.XData, value)
	}
}
