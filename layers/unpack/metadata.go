package unpack

import (
	"archive/tar"
	"bytes"
	"io"

	"devenv/layers/alpm"
)

// maxMetadata bounds the files that are kept in memory. The largest .MTREE of
// 2026 has 4 MiB.
const maxMetadata = 64 << 20

// metadata keeps a file that describes the package. Other names with a dot at
// the start are pacman's for the future, and skipped as it does.
func (u *unpacker) metadata(p string, header *tar.Header, r io.Reader) error {
	switch p {
	case ".PKGINFO", ".BUILDINFO", ".INSTALL", ".MTREE", ".CHANGELOG":
	default:
		return nil
	}
	if header.Typeflag != tar.TypeReg {
		return ErrSpecial
	}
	if err := u.ledger.add(p, file); err != nil {
		return err
	}
	if header.Size > maxMetadata {
		return &alpm.LimitError{What: "bytes of " + p, Limit: maxMetadata}
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	switch p {
	case ".PKGINFO":
		u.result.Info, err = alpm.ReadPkgInfo(bytes.NewReader(text))
	case ".BUILDINFO":
		u.result.Build, err = alpm.ReadBuildInfo(bytes.NewReader(text))
	case ".INSTALL":
		u.result.Scriptlet = text
	case ".MTREE":
		u.result.MTREE = text
	case ".CHANGELOG":
		u.result.Changelog = text
	}
	return err
}
