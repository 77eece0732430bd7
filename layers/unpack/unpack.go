package unpack

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"devenv/layers/alpm"
)

// Options say how to unpack. The zero value unpacks everything.
type Options struct {
	// NoExtract says of a path (directories with a slash at their end) that it is
	// not to be put on disk. It stays in Result.Files, as in pacman's own records.
	NoExtract func(path string) bool

	// Inspect is called for each regular file that begins as an ELF file or a
	// script does, once it is written. content is good during the call only.
	// Calls come from several goroutines at once.
	Inspect func(f File, content io.ReaderAt)

	// MaxBytes bounds what the package may unpack to; 64 GiB where it is 0.
	MaxBytes int64
}

const defaultMaxBytes = 64 << 30

// Result is what a package held.
type Result struct {
	Info      *alpm.PkgInfo
	Build     *alpm.BuildInfo // nil where the package has none
	Scriptlet []byte          // .INSTALL as it is
	MTREE     []byte          // .MTREE as it is, gzip-compressed
	Changelog []byte          // .CHANGELOG as it is

	Files  []File        // in archive order
	Backup []alpm.Backup // with the hashes of what was unpacked
	Bytes  int64         // in regular files
	Xattrs []Xattr       // those that could not be set

	// Exact says that files are on disk with the modes and times of Files, so
	// that nobody need look. It holds for no setuid, setgid or sticky file.
	Exact bool
}

// File is one path of the package.
type File struct {
	Path string // relative to the root; a slash ends a directory's
	Type byte   // as in archive/tar: TypeReg, TypeDir, TypeSymlink, TypeLink
	Mode uint32 // permissions with setuid, setgid and sticky
	Size int64  // of a regular file
	Link string // where a link leads, as written
	Time int64  // of modification, nanoseconds since the epoch
}

// Unpack puts the package that r yields into dir, which exists and had better be
// empty. It reads r to its end, so that a hash of what was read is one of the
// whole package. It waits for r: to abandon it, end both ctx and r.
func Unpack(ctx context.Context, r io.Reader, dir string, opts Options) (*Result, error) {
	t, err := openTree(dir)
	if err != nil {
		return nil, err
	}
	defer t.close()
	return unpackInto(ctx, t, r, opts)
}

func unpackInto(ctx context.Context, t *tree, r io.Reader, opts Options) (*Result, error) {
	if opts.MaxBytes == 0 {
		opts.MaxBytes = defaultMaxBytes
	}
	kept := t.probe()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s := startStream(ctx, r, opts.MaxBytes)
	defer s.close()
	u := &unpacker{
		ctx:    ctx,
		opts:   opts,
		tree:   t,
		ledger: make(ledger),
		out:    startWriters(max(1, min(runtime.GOMAXPROCS(0)-1, maxWriters)), stop, kept.modes, opts.Inspect),
		result: Result{Exact: kept.times},
	}
	err := u.readArchive(s)
	u.flush()
	u.out.finish()
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause // before err: that is only what followed from it
	}
	if err == nil {
		err = u.finish()
	}
	if err != nil {
		return nil, err
	}
	u.result.Xattrs = u.out.refused.list
	return &u.result, nil
}

// unpacker is the state of one Unpack.
type unpacker struct {
	ctx    context.Context
	opts   Options
	tree   *tree
	ledger ledger
	out    *writers
	result Result

	batch *batch  // being filled
	dirs  []entry // to be given mode and times last
	links []entry // hard links, made once all files are there
}

// entry is a header that has been looked through.
type entry struct {
	*tar.Header
	path string
	when times
}

func (u *unpacker) readArchive(s *stream) error {
	archive := tar.NewReader(s)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return archiveError(s.finish())
		}
		if err != nil {
			return archiveError(err)
		}
		if err := u.ctx.Err(); err != nil {
			return err
		}
		if err := u.entry(header, archive); err != nil {
			return entryError(header.Name, err)
		}
	}
}

// archiveError is what an error of the archive reader means.
func archiveError(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrDamaged):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated
	case errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("%w, or it is neither compressed nor a tar archive: %w", ErrDamaged, err)
	}
	return err
}

// entryError says which entry an error is about.
func entryError(name string, err error) error {
	var known *EntryError
	switch {
	case errors.As(err, &known):
		return &EntryError{Entry: name, Other: known.Other, Err: known.Err}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, tar.ErrHeader):
		err = archiveError(err)
	}
	return &EntryError{Entry: name, Err: err}
}

// entry does what one entry of the archive asks for.
func (u *unpacker) entry(header *tar.Header, r io.Reader) error {
	if header.Typeflag == tar.TypeXGlobalHeader {
		return nil // a remark on the archive, such as git's
	}
	p, err := cleanName(header.Name)
	if err != nil {
		return err
	}
	if p != "." && p[0] == '.' {
		return u.metadata(p, header, r)
	}
	e := entry{Header: header, path: p, when: timesOf(header)}
	switch header.Typeflag {
	case tar.TypeDir:
		return u.directory(e)
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
		header.Typeflag = tar.TypeReg
		return u.regular(e, r)
	case tar.TypeSymlink:
		return u.symlink(e)
	case tar.TypeLink:
		return u.hardLink(e)
	}
	return ErrSpecial
}

func timesOf(h *tar.Header) times {
	mtime := timespec(h.ModTime)
	if h.AccessTime.IsZero() {
		return times{mtime, mtime}
	}
	return times{timespec(h.AccessTime), mtime}
}

func timespec(t time.Time) unix.Timespec {
	ts, _ := unix.TimeToTimespec(t) // what a 32-bit machine cannot say is another time there
	return ts
}

// note enters a path into ledger and result, and makes the directories above it
// that the archive has left out. It says whether to put the path on disk.
func (u *unpacker) note(e entry, k kind) (wanted bool, err error) {
	missing, err := u.ledger.parents(e.path)
	if err != nil {
		return false, err
	}
	if err := u.ledger.add(e.path, k); err != nil {
		return false, err
	}
	f := e.file()
	if f.Size > u.opts.MaxBytes-u.result.Bytes {
		return false, &alpm.LimitError{What: "bytes in files", Limit: u.opts.MaxBytes}
	}
	u.result.Bytes += f.Size
	u.result.Exact = u.result.Exact && 0 <= e.when[1].Sec && e.when[1].Sec <= math.MaxInt32
	u.result.Files = append(u.result.Files, f)
	if u.opts.NoExtract != nil && u.opts.NoExtract(f.Path) {
		u.ledger[e.path] |= skipped
		return false, nil
	}
	for _, dir := range missing {
		if err := u.tree.mkdir(dir); err != nil {
			return false, err
		}
		u.ledger.made(dir)
	}
	return true, nil
}

func permissions(h *tar.Header) uint32 { return uint32(h.Mode) & 0o7777 }

func (e entry) file() File {
	f := File{Path: e.path, Type: e.Typeflag, Mode: permissions(e.Header), Link: e.Linkname, Time: unix.TimespecToNsec(e.when[1])}
	switch e.Typeflag {
	case tar.TypeDir:
		f.Path += "/"
	case tar.TypeReg:
		f.Size = e.Size
	}
	return f
}

func (u *unpacker) directory(e entry) error {
	if e.path == "." {
		return nil // the layer's own directory is the caller's
	}
	implied := u.ledger[e.path] == impliedDir
	wanted, err := u.note(e, explicitDir)
	if err != nil || !wanted {
		return err
	}
	if !implied {
		if err := u.tree.mkdir(e.path); err != nil {
			return err
		}
	}
	u.dirs = append(u.dirs, e)
	return nil
}

func (u *unpacker) symlink(e entry) error {
	if e.Linkname == "" || len(e.Linkname) >= maxPath {
		return ErrName
	}
	wanted, err := u.note(e, symlink)
	if err != nil || !wanted {
		return err
	}
	return u.tree.symlink(e.path, e.Linkname, e.when)
}

// hardLink waits for the files before it to be written; only the package's own
// files can be linked to.
func (u *unpacker) hardLink(e entry) error {
	target, err := cleanName(e.Linkname)
	if err != nil {
		return &EntryError{Other: e.Linkname, Err: err}
	}
	to := u.ledger[target]
	if k := to &^ skipped; k != file && k != symlink || target[0] == '.' {
		return &EntryError{Other: e.Linkname, Err: ErrTarget}
	}
	wanted, err := u.note(e, to&^skipped)
	if err != nil || !wanted {
		return err
	}
	if to&skipped != 0 {
		return &EntryError{Other: e.Linkname, Err: ErrNotExtracted}
	}
	e.Linkname = target
	u.links = append(u.links, e)
	return nil
}
