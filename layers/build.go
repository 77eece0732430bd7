package layers

import (
	"archive/tar"
	"context"
	"encoding/json"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"devenv/layers/elf"
	"devenv/layers/unpack"
)

// build unpacks a package into dir, which is empty, and says what it holds.
func build(ctx context.Context, src *Source, dir string) (*Record, error) {
	// The driver makes it 0555, which its owner may neither fill nor move.
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	in, err := src.open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	defer context.AfterFunc(ctx, func() { in.Close() })()
	var libraries elf.Recorder
	result, err := unpack.Unpack(ctx, in, dir, unpack.Options{
		Inspect: func(f unpack.File, content io.ReaderAt) { libraries.Add(f.Path, f.Mode, content) },
	})
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	if err := in.check(err); err != nil {
		return nil, err
	}
	rec, err := describe(src, dir, result)
	if err != nil {
		return nil, err
	}
	for i := range rec.Files {
		if f := &rec.Files[i]; f.Kind == Regular && f.Link != "" {
			libraries.Link(f.Path, f.Link)
		}
	}
	rec.libraries, err = libraries.Record().MarshalBinary()
	return rec, err
}

// describe completes an unpacked layer and makes its record.
func describe(src *Source, dir string, result *unpack.Result) (*Record, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(fd)

	rec := &Record{SHA256: src.SHA256, Info: result.Info}
	rec.Files = listFiles(result)
	if err := openDirs(fd, rec.Files); err != nil {
		return nil, err
	}
	if err := completeFiles(fd, rec.Files, result); err != nil {
		return nil, err
	}
	db, err := writeDB(root, fd, result)
	if err != nil {
		return nil, err
	}
	if err := restoreTimes(fd, rec, aboveDB()); err != nil {
		return nil, err
	}
	rec.Files = append(rec.Files, db...)
	sortFiles(rec.Files)
	for i := range rec.Files {
		if f := &rec.Files[i]; f.Kind == Regular && f.Link == "" {
			rec.Size += f.Size
		}
	}
	rec.details, err = json.Marshal(Details{Build: result.Build, Xattrs: result.Xattrs})
	return rec, err
}

// listFiles turns what was unpacked into a sorted list.
func listFiles(result *unpack.Result) []File {
	files := make([]File, 0, len(result.Files)+8)
	for i := range result.Files {
		files = append(files, fileOf(&result.Files[i]))
	}
	sortFiles(files)
	return files
}

func sortFiles(files []File) {
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
}

func fileOf(u *unpack.File) File {
	f := File{Path: strings.TrimSuffix(u.Path, "/"), Mode: uint16(u.Mode), Size: u.Size, MTime: u.Time, Link: u.Link}
	switch u.Type {
	case tar.TypeDir:
		f.Kind, f.Link = Directory, ""
	case tar.TypeSymlink:
		f.Kind, f.Mode = Symlink, 0o777
	case tar.TypeLink:
		f.Link = path.Clean(u.Link)
	}
	return f
}

// completeFiles completes the list with what is on disk where that is not known,
// and with sums where the package brought no hashes.
func completeFiles(fd int, files []File, result *unpack.Result) error {
	for i := range files {
		f := &files[i]
		further := f.Kind == Regular && f.Link != ""
		if !result.Exact || further || f.Kind == Regular && f.Mode > 0o777 {
			if err := statFile(fd, files, f); err != nil {
				return err
			}
		}
		if f.Kind == Regular && result.MTREE == nil {
			var err error
			if f.Sum, err = sumFile(fd, f.Path); err != nil {
				return err
			}
			f.Summed = true
		}
	}
	return nil
}

// statFile takes from disk what the package only asked for.
func statFile(fd int, files []File, f *File) error {
	var st unix.Stat_t
	if err := unix.Fstatat(fd, f.Path, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "stat", Path: "/" + f.Path, Err: err}
	}
	f.MTime = unix.TimespecToNsec(st.Mtim)
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFLNK && f.Kind == Regular: // a hard link to a symbolic one
		to, _ := slices.BinarySearchFunc(files, f.Link, func(f File, path string) int { return strings.Compare(f.Path, path) })
		f.Kind, f.Mode, f.Link = Symlink, 0o777, files[to].Link
	case f.Kind == Regular:
		f.Size, f.Mode = st.Size, uint16(st.Mode&0o7777)
	}
	return nil
}

func sumFile(dir int, name string) (uint32, error) {
	f, err := openOwn(dir, name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	sum := crc32.New(castagnoli)
	if _, err := io.Copy(sum, f); err != nil {
		return 0, err
	}
	return sum.Sum32(), nil
}

// openDirs lets the owner into every directory. A layer whose directories
// forbid it could be neither collected nor completed by a user who is not root.
// Trees take the modes from the record.
func openDirs(fd int, files []File) error {
	for i := range files {
		f := &files[i]
		if f.Kind == Directory && f.Mode&0o700 != 0o700 {
			if err := unix.Fchmodat(fd, f.Path, uint32(f.Mode)|0o700, 0); err != nil {
				return &fs.PathError{Op: "chmod", Path: "/" + f.Path, Err: err}
			}
		}
	}
	return nil
}

func restoreTimes(fd int, rec *Record, dirs []string) error {
	for _, dir := range dirs {
		if f, ok := rec.Find(dir); ok {
			if err := setTime(fd, dir, f.MTime); err != nil {
				return err
			}
		}
	}
	return nil
}
