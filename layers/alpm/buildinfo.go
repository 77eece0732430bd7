package alpm

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// BuildInfo is a package's .BUILDINFO (BUILDINFO(5)): where and with what it was
// built.
type BuildInfo struct {
	Format       int
	Name         string
	Base         string
	Version      string
	Arch         string
	PkgbuildHash string // sha256 in hexadecimal
	Packager     string
	BuildDate    int64
	BuildDir     string
	StartDir     string
	BuildTool    string
	BuildToolVer string
	BuildEnv     []string
	Options      []string
	Installed    []Installed // as written
}

// Installed is one package that was there when another was built. Arch is empty
// in files of format 1 before pacman 5.1 wrote it.
type Installed struct {
	Name    string
	Version string
	Arch    string
}

// ReadBuildInfo reads a .BUILDINFO; keys it does not know it passes over.
func ReadBuildInfo(r io.Reader) (*BuildInfo, error) {
	text, err := readText(r, ".BUILDINFO", maxInfo)
	if err != nil {
		return nil, err
	}
	var b BuildInfo
	if err := eachKey(text, b.set); err != nil {
		return nil, fmt.Errorf(".BUILDINFO: %w", err)
	}
	if b.Name == "" {
		return nil, fmt.Errorf(".BUILDINFO: no pkgname: it is damaged, or of no package")
	}
	return &b, nil
}

func (b *BuildInfo) set(key, value string) {
	switch key {
	case "format":
		b.Format = int(min(decimal(value), 1<<30))
	case "pkgname":
		b.Name = value
	case "pkgbase":
		b.Base = value
	case "pkgver":
		b.Version = value
	case "pkgarch":
		b.Arch = value
	case "pkgbuild_sha256sum":
		b.PkgbuildHash = value
	case "packager":
		b.Packager = value
	case "builddate":
		b.BuildDate = decimal(value)
	case "builddir":
		b.BuildDir = value
	case "startdir":
		b.StartDir = value
	case "buildtool":
		b.BuildTool = value
	case "buildtoolver":
		b.BuildToolVer = value
	case "buildenv":
		b.BuildEnv = append(b.BuildEnv, value)
	case "options":
		b.Options = append(b.Options, value)
	case "installed":
		if in, ok := parseInstalled(value); ok {
			b.Installed = append(b.Installed, in)
		}
	}
}

// parseInstalled reads NAME-VERSION-RELEASE-ARCH, and the form without ARCH.
// Only in the latter does the last part begin with a digit: no architecture
// does, and every pkgrel.
func parseInstalled(s string) (Installed, bool) {
	dash := strings.LastIndexByte(s, '-')
	if dash < 0 || dash+1 == len(s) {
		return Installed{}, false
	}
	in := Installed{}
	if !isDigit(s[dash+1]) {
		s, in.Arch = s[:dash], s[dash+1:]
	}
	var ok bool
	in.Name, in.Version, ok = SplitNameVersion(s)
	return in, ok
}

// Find is what version of name was installed, if any.
func (b *BuildInfo) Find(name string) (Installed, bool) {
	i := slices.IndexFunc(b.Installed, func(in Installed) bool { return in.Name == name })
	if i < 0 {
		return Installed{}, false
	}
	return b.Installed[i], true
}
