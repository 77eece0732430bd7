package layers

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"devenv/layers/alpm"
	"devenv/layers/elf"
	"devenv/layers/unpack"
)

// Kind is what an entry of a layer is.
type Kind uint8

const (
	Regular Kind = iota
	Directory
	Symlink
)

// File is one entry of a layer.
type File struct {
	Path   string // relative to the root, slashes only, none at the end
	Kind   Kind
	Mode   uint16 // as the package says: setuid, setgid, sticky, rwxrwxrwx. On disk directories are writable too
	Size   int64  // bytes; of regular files
	MTime  int64  // nanoseconds since the epoch
	Link   string // target of a symbolic link; for a further name of a hard-linked file, the path of its first
	Sum    uint32 // CRC-32C of the bytes, if Summed
	Summed bool   // no .MTREE has a hash of it
}

// Record is what is known about a layer without looking at its files. It is
// written once, with the layer, and never changed.
type Record struct {
	SHA256 string        // of the package file
	Info   *alpm.PkgInfo // its .PKGINFO
	Files  []File        // sorted by path; the package's local database entry is among them
	Size   int64         // bytes of all regular files, each inode once

	libraries []byte // ELF, in its own form
	details   []byte // Details, as JSON
}

// Details is what few ask for.
type Details struct {
	Build  *alpm.BuildInfo `json:",omitempty"` // .BUILDINFO; nil where the package has none
	Xattrs []unpack.Xattr  `json:",omitempty"` // attributes of files that this user or file system cannot set
}

// Details decodes them anew each time.
func (r *Record) Details() (*Details, error) {
	d := new(Details)
	if err := json.Unmarshal(r.details, d); err != nil {
		return nil, fmt.Errorf("details of %s: %w: %w", r.Name(), errRecord, err)
	}
	return d, nil
}

// ELF is what the layer's programs and libraries need and give. It is decoded
// anew each time.
func (r *Record) ELF() (*elf.Record, error) {
	rec := new(elf.Record)
	if err := rec.UnmarshalBinary(r.libraries); err != nil {
		return nil, fmt.Errorf("libraries of %s: %w: %w", r.Name(), errRecord, err)
	}
	return rec, nil
}

// Name is the package's.
func (r *Record) Name() string { return r.Info.Name }

// Find is the entry of that path.
func (r *Record) Find(path string) (*File, bool) {
	i, ok := slices.BinarySearchFunc(r.Files, path, func(f File, path string) int { return strings.Compare(f.Path, path) })
	if !ok {
		return nil, false
	}
	return &r.Files[i], true
}

// DBDir is where the package's entry in the local database lies: below
// var/lib/pacman/local. It is no part of what the package brought.
func (r *Record) DBDir() string { return localDB + "/" + r.Info.LocalDir() }

const localDB = "var/lib/pacman/local"

// Scriptlet is the path of the package's .INSTALL in the layer, if it has one.
func (r *Record) Scriptlet() (path string, ok bool) {
	path = r.DBDir() + "/install"
	_, ok = r.Find(path)
	return path, ok
}

// Owned are the entries that the package brought: all but its database entry.
func (r *Record) Owned() []File {
	return slices.DeleteFunc(slices.Clone(r.Files), func(f File) bool { return within(f.Path, r.DBDir()) })
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir) && path[len(dir)] == '/'
}

const recordMagic = "devenv layer record 1"

func (r *Record) encode() ([]byte, error) {
	info, err := json.Marshal(r.Info)
	if err != nil {
		return nil, err
	}
	w := make(writer, 0, 1024+len(info)+len(r.libraries)+len(r.details)+48*len(r.Files))
	w.string(recordMagic)
	w.string(r.SHA256)
	w.string(string(info))
	w.string(string(r.libraries))
	w.string(string(r.details))
	w.int(r.Size)
	w.uint(uint64(len(r.Files)))
	previous := ""
	for i := range r.Files {
		r.Files[i].encode(&w, previous)
		previous = r.Files[i].Path
	}
	return w.seal(), nil
}

const summedBit = 1 << 2

// encode writes what f's path does not share with the one before, and the rest.
func (f *File) encode(w *writer, previous string) {
	shared := commonPrefix(previous, f.Path)
	w.uint(uint64(shared))
	w.string(f.Path[shared:])
	bits := uint64(f.Mode)<<3 | uint64(f.Kind)
	if f.Summed {
		bits |= summedBit
	}
	w.uint(bits)
	w.int(f.MTime)
	w.string(f.Link)
	if f.Kind == Regular {
		w.int(f.Size)
	}
	if f.Summed {
		w.uint(uint64(f.Sum))
	}
}

func commonPrefix(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func decodeRecord(data []byte) (*Record, error) {
	r, err := unseal(data)
	if err != nil {
		return nil, err
	}
	if r.string() != recordMagic {
		return nil, fmt.Errorf("%w: of another version", errRecord)
	}
	rec := &Record{SHA256: r.string(), Info: new(alpm.PkgInfo)}
	info := r.string()
	rec.libraries = []byte(r.string())
	rec.details = []byte(r.string())
	rec.Size = r.int()
	rec.Files = decodeFiles(&r)
	if r.err != nil {
		return nil, r.err
	}
	if err := json.Unmarshal([]byte(info), rec.Info); err != nil {
		return nil, fmt.Errorf("%w: %w", errRecord, err)
	}
	return rec, nil
}

func decodeFiles(r *reader) []File {
	files := make([]File, r.count())
	previous := ""
	for i := range files {
		files[i].decode(r, previous)
		previous = files[i].Path
	}
	return files
}

func (f *File) decode(r *reader, previous string) {
	shared := r.uint()
	suffix := r.string()
	if shared > uint64(len(previous)) {
		r.fail("a path shares more than there is")
		return
	}
	f.Path = previous[:shared] + suffix
	bits := r.uint()
	f.Kind, f.Mode, f.Summed = Kind(bits&3), uint16(bits>>3), bits&summedBit != 0
	f.MTime = r.int()
	f.Link = r.string()
	if f.Kind == Regular {
		f.Size = r.int()
	}
	if f.Summed {
		f.Sum = uint32(r.uint())
	}
}
