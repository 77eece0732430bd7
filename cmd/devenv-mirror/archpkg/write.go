package archpkg

import (
	"archive/tar"
	"cmp"
	"io"
	"time"

	"devenv/cmd/devenv-mirror/convert"
)

// Write writes the package, compressed as compress does it. It sets m.Size.
// install is the scriptlet, or nil.
func Write(w io.Writer, compress Compressor, m *Meta, tree convert.Tree, install []byte) error {
	nodes := tree.Sorted()
	m.Size = 0
	for _, n := range nodes {
		if n.Kind == convert.File {
			m.Size += int64(len(n.Data))
		}
	}
	own := []*convert.Node{m.file(".BUILDINFO", m.buildinfo())}
	if install != nil {
		own = append(own, m.file(".INSTALL", install))
	}
	own = append(own, m.file(".PKGINFO", m.pkginfo()))
	list, err := mtree(append(own[:len(own):len(own)], nodes...))
	if err != nil {
		return err
	}
	own = append(own[:len(own)-1], m.file(".MTREE", list), own[len(own)-1])

	z, err := compress(w)
	if err != nil {
		return err
	}
	// Closed in any case: a program may run behind it. It says best what was wrong.
	writeErr := writeTar(z, append(own, nodes...))
	return cmp.Or(z.Close(), writeErr)
}

func writeTar(w io.Writer, nodes []*convert.Node) error {
	t := tar.NewWriter(w)
	for _, n := range nodes {
		if err := writeNode(t, n); err != nil {
			return err
		}
	}
	return t.Close()
}

func (m *Meta) file(name string, data []byte) *convert.Node {
	return &convert.Node{Path: name, Mode: 0o644, Data: data, Mtime: m.BuildDate}
}

func writeNode(t *tar.Writer, n *convert.Node) error {
	h := &tar.Header{
		Name: n.Path, Mode: n.Mode, ModTime: time.Unix(n.Mtime, 0), Uname: "root", Gname: "root",
		Linkname: n.Target, Typeflag: tar.TypeReg,
	}
	switch n.Kind {
	case convert.Dir:
		h.Typeflag = tar.TypeDir
		h.Name += "/"
	case convert.Symlink:
		h.Typeflag = tar.TypeSymlink
	case convert.Hardlink:
		h.Typeflag = tar.TypeLink
	default:
		h.Size = int64(len(n.Data))
	}
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	if n.Kind == convert.File {
		_, err := t.Write(n.Data)
		return err
	}
	return nil
}
