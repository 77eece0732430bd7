package layers

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"devenv/layers/alpm"
)

// Verify compares a layer with its record and the package's .MTREE: every
// path's kind, mode, time, link target and content, and that there is nothing
// else. It gives all damage that it finds.
func (s *Store) Verify(ctx context.Context, id string) ([]*DamageError, error) {
	layer, err := s.Layer(id)
	if err != nil {
		return nil, err
	}
	return verify(ctx, layer, true)
}

// verify compares a layer with its record, with or without the files' content.
func verify(ctx context.Context, layer *Layer, content bool) ([]*DamageError, error) {
	fd, err := unix.Open(layer.Dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: layer.Dir, Err: err}
	}
	defer unix.Close(fd)
	v := &verifier{layer: layer, fd: fd, content: content}
	if content {
		v.readMTREE()
	}
	for i := range layer.Files {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		f := &layer.Files[i]
		if problem := v.check(f); problem != "" {
			v.damaged(f.Path, problem)
		}
	}
	v.extras()
	return v.damage, nil
}

type verifier struct {
	layer   *Layer
	fd      int
	content bool
	mtree   map[string]alpm.MTREEEntry
	damage  []*DamageError
}

func (v *verifier) damaged(path, problem string) {
	v.damage = append(v.damage, &DamageError{Layer: v.layer.ID, Package: v.layer.Name(), Path: path, Problem: problem})
}

// readMTREE gathers the package's own hashes. If their file is damaged, its sum
// in the record will tell; a package that never had proper ones has none.
func (v *verifier) readMTREE() {
	v.mtree = make(map[string]alpm.MTREEEntry)
	text, err := os.ReadFile(filepath.Join(v.layer.Dir, v.layer.DBDir(), "mtree"))
	if err != nil {
		return
	}
	for entry, err := range alpm.ReadMTREE(bytes.NewReader(text)) {
		if err != nil {
			return
		}
		v.mtree[entry.Path] = entry
	}
}

// check says what is wrong with a file, if anything.
func (v *verifier) check(f *File) (problem string) {
	var st unix.Stat_t
	if err := unix.Fstatat(v.fd, f.Path, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return failure(err)
	}
	mode := uint32(f.Mode)
	if f.Kind == Directory {
		mode |= 0o700
	}
	switch {
	case kindOf(&st) != f.Kind:
		return "is another kind of file"
	case f.Kind != Symlink && st.Mode&0o7777 != mode:
		return fmt.Sprintf("has mode %04o instead of %04o", st.Mode&0o7777, mode)
	case unix.TimespecToNsec(st.Mtim) != f.MTime:
		return "has been changed: it has another time"
	case f.Kind == Symlink:
		return v.checkLink(f)
	case f.Kind == Regular:
		return v.checkContent(f, &st)
	}
	return ""
}

func failure(err error) string {
	if err == unix.ENOENT || err == unix.ENOTDIR {
		return "is missing"
	}
	return "cannot be read: " + err.Error()
}

const otherKind Kind = 255

func kindOf(st *unix.Stat_t) Kind {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return Regular
	case unix.S_IFDIR:
		return Directory
	case unix.S_IFLNK:
		return Symlink
	}
	return otherKind
}

func (v *verifier) checkLink(f *File) string {
	target := make([]byte, len(f.Link)+1)
	n, err := unix.Readlinkat(v.fd, f.Path, target)
	if err != nil {
		return failure(err)
	}
	if string(target[:n]) != f.Link {
		return "leads elsewhere"
	}
	return ""
}

func (v *verifier) checkContent(f *File, st *unix.Stat_t) string {
	if st.Size != f.Size {
		return fmt.Sprintf("has %d bytes instead of %d", st.Size, f.Size)
	}
	if f.Link != "" {
		return v.checkHardLink(f, st)
	}
	if !v.content {
		return ""
	}
	var sum hash.Hash
	var want string
	entry := v.mtree[f.Path]
	switch {
	case f.Summed:
		sum, want = crc32.New(castagnoli), fmt.Sprintf("%08x", f.Sum)
	case entry.SHA256 != "":
		sum, want = sha256.New(), entry.SHA256
	case entry.MD5 != "":
		sum, want = md5.New(), entry.MD5
	default:
		return "" // the package has no hash of it
	}
	in, err := openOwn(v.fd, f.Path)
	if err != nil {
		return "cannot be read: " + err.Error()
	}
	defer in.Close()
	if _, err := io.Copy(sum, in); err != nil {
		return "cannot be read: " + err.Error()
	}
	if hex.EncodeToString(sum.Sum(nil)) != want {
		return "has other content"
	}
	return ""
}

// checkHardLink sees that a further name of a file still is one.
func (v *verifier) checkHardLink(f *File, st *unix.Stat_t) string {
	var first unix.Stat_t
	if unix.Fstatat(v.fd, f.Link, &first, unix.AT_SYMLINK_NOFOLLOW) != nil || first.Ino != st.Ino || first.Dev != st.Dev {
		return "is no longer the same file as /" + f.Link
	}
	return ""
}

// extras finds what no record has: neither an entry nor a directory above one.
func (v *verifier) extras() {
	known := make(map[string]bool, len(v.layer.Files)+8)
	for i := range v.layer.Files {
		for p := v.layer.Files[i].Path; p != "." && !known[p]; p = filepath.Dir(p) {
			known[p] = true
		}
	}
	for _, path := range unknownBelow(v.layer.Dir, known) {
		v.damaged(path, "is not the package's")
	}
}

// unknownBelow are the paths below dir that are not known; of an unknown
// directory the directory alone.
func unknownBelow(dir string, known map[string]bool) (unknown []string) {
	filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(strings.TrimPrefix(path, dir), "/")
		if err != nil || rel == "" || known[rel] {
			return nil // what cannot be read is reported where it was expected
		}
		unknown = append(unknown, rel)
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	slices.Sort(unknown)
	return unknown
}
