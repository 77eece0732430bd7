package alpm

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Head is what stands before the files in a package.
type Head struct {
	Info      *PkgInfo
	Build     *BuildInfo // nil where the package has none
	Scriptlet []byte     // .INSTALL, where it stands before what ended the reading
	MTREE     []byte     // .MTREE as it is, gzip-compressed; likewise
}

// ShortError says that a package ended before its head did: a longer range of
// the file is needed, or the file is truncated.
type ShortError struct {
	Have int64 // bytes there were
	Want int64 // bytes to try next; a guess for compressed packages
}

func (e *ShortError) Error() string {
	return fmt.Sprintf("the package's head goes on after %d bytes: read %d, or fetch it anew if that is all of it", e.Have, e.Want)
}

func (e *ShortError) Unwrap() error { return io.ErrUnexpectedEOF }

// What the head of a package may hold.
const (
	maxHead     = 8 << 30 // a package whose .PKGINFO stands last is read whole
	maxHeadFile = 64 << 20
	minHead     = 64 << 10 // the least that is worth asking for
)

// ReadPackageHead reads .PKGINFO and .BUILDINFO of a package, or of its first
// bytes, and what stands before them. It stops as early as it can: when it has
// both, or at the first file of the tree. A *ShortError asks for more bytes.
func ReadPackageHead(r io.Reader) (*Head, error) {
	packed := &countingReader{r: r}
	guard, kind, err := decompressGuarded(packed, maxHead)
	if err != nil {
		return nil, headError(err, packed.n, packed.n)
	}
	defer guard.Close()
	h := &Head{}
	archive := tar.NewReader(guard)
	for {
		header, err := archive.Next()
		switch {
		case err == io.EOF && h.Info != nil:
			return h, nil
		case err == io.EOF && kind == Plain && guard.ended: // no end mark was seen
			return nil, headError(io.ErrUnexpectedEOF, packed.n, packed.n)
		case err == io.EOF:
			return nil, errors.New("package head: there is no .PKGINFO: it is no package")
		case err != nil:
			return nil, headError(err, packed.n, packed.n)
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		name := path.Clean(header.Name)
		if !strings.HasPrefix(name, ".") && h.Info != nil {
			return h, nil
		}
		end := guard.unpacked + header.Size
		if err := h.read(name, header, archive); err != nil {
			return nil, headError(err, packed.n, packed.n*end/max(guard.unpacked, 1))
		}
		if h.Info != nil && h.Build != nil {
			return h, nil
		}
	}
}

// headError tells input that ended early from damaged one. guess is how far the
// entry reaches that was cut off.
func headError(err error, have, guess int64) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return &ShortError{Have: have, Want: max(guess, 2*have, minHead)}
	case errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("package head: neither compressed nor a tar archive: %w", err)
	}
	return fmt.Errorf("package head: %w", err)
}

func (h *Head) read(name string, header *tar.Header, r io.Reader) error {
	if header.Typeflag != tar.TypeReg {
		return nil
	}
	var err error
	switch name {
	case ".PKGINFO":
		h.Info, err = ReadPkgInfo(r)
	case ".BUILDINFO":
		h.Build, err = ReadBuildInfo(r)
	case ".INSTALL":
		h.Scriptlet, err = readHeadFile(name, header.Size, r)
	case ".MTREE":
		h.MTREE, err = readHeadFile(name, header.Size, r)
	}
	return err
}

func readHeadFile(name string, size int64, r io.Reader) ([]byte, error) {
	if size > maxHeadFile {
		return nil, &LimitError{What: "bytes of " + name, Limit: maxHeadFile}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}
