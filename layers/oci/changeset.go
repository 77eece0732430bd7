package oci

import (
	"archive/tar"
	"bufio"
	"cmp"
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"devenv/layers"
)

// changeset writes a layer as a tar archive, all of it owned by root.
func changeset(ctx context.Context, out io.Writer, l Layer) error {
	root, err := os.OpenRoot(l.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	files := l.Files
	if files == nil {
		if files, err = list(l.Dir); err != nil {
			return err
		}
	}
	buffer := bufio.NewWriterSize(out, 1<<20)
	t := tar.NewWriter(buffer)
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b layers.File) int {
		if a.Link != "" && a.Kind == layers.Regular { // a further name comes after its first
			if b.Link == "" || b.Kind != layers.Regular {
				return 1
			}
		} else if b.Link != "" && b.Kind == layers.Regular {
			return -1
		}
		return cmp.Compare(a.Path, b.Path)
	})
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := writeFile(t, root, f); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return buffer.Flush()
}

func writeFile(t *tar.Writer, root *os.Root, f layers.File) error {
	h := &tar.Header{Name: f.Path, Mode: int64(f.Mode), ModTime: time.Unix(0, f.MTime), Typeflag: tar.TypeReg, Size: f.Size, Format: tar.FormatPAX}
	switch {
	case f.Kind == layers.Directory:
		h.Typeflag, h.Name, h.Size = tar.TypeDir, f.Path+"/", 0
	case f.Kind == layers.Symlink:
		h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, f.Link, 0
	case f.Link != "":
		h.Typeflag, h.Linkname, h.Size = tar.TypeLink, f.Link, 0
	}
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg || h.Size == 0 {
		return nil
	}
	in, err := root.Open(f.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.CopyN(t, in, h.Size)
	return err
}

// list finds out what a directory holds that nobody keeps a record of: the
// upper directory of an overlay, whose whiteouts become those of the OCI image
// specification.
func list(dir string) ([]layers.File, error) {
	var files []layers.File
	err := filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		if err != nil || at == dir {
			return err
		}
		rel, err := filepath.Rel(dir, at)
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(at, &st); err != nil {
			return &fs.PathError{Op: "lstat", Path: at, Err: err}
		}
		f := layers.File{Path: rel, Mode: uint16(st.Mode & 0o7777), Size: st.Size, MTime: st.Mtim.Nano()}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFDIR:
			f.Kind, f.Size = layers.Directory, 0
			files = append(files, f)
			if opaque(at) {
				files = append(files, layers.File{Path: path.Join(rel, ".wh..wh..opq"), Mode: 0o644, MTime: f.MTime})
			}
			return nil
		case unix.S_IFLNK:
			f.Kind, f.Size = layers.Symlink, 0
			if f.Link, err = os.Readlink(at); err != nil {
				return err
			}
		case unix.S_IFREG:
			if whiteout(at) {
				f = white(rel, f)
			}
		case unix.S_IFCHR:
			if st.Rdev != 0 {
				return nil // an image has no device nodes
			}
			f = white(rel, f)
		default:
			return nil // sockets and pipes belong to running programs
		}
		files = append(files, f)
		return nil
	})
	return files, err
}

func white(rel string, f layers.File) layers.File {
	return layers.File{Path: path.Join(path.Dir(rel), ".wh."+path.Base(rel)), Mode: 0o644, MTime: f.MTime}
}

// opaque reports whether an overlay hides what lies below a directory.
func opaque(dir string) bool {
	return attribute(dir, "user.overlay.opaque") == "y" || attribute(dir, "trusted.overlay.opaque") == "y"
}

// whiteout reports whether an empty file stands for one that was removed.
func whiteout(file string) bool {
	for _, ns := range []string{"user.", "trusted."} {
		if _, err := unix.Lgetxattr(file, ns+"overlay.whiteout", nil); err == nil {
			return true
		}
	}
	return false
}

func attribute(path, name string) string {
	var b [8]byte
	n, err := unix.Lgetxattr(path, name, b[:])
	if err != nil || n < 0 {
		return ""
	}
	return string(b[:n])
}
