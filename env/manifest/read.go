package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// maxFile is the largest file that is read: whatever is larger was not meant.
const maxFile = 16 << 20

// reader reads files and remembers which ones were asked for.
type reader struct {
	files map[string]*content
}

type content struct {
	data []byte
	mode fs.FileMode
	err  error
}

func newReader() *reader { return &reader{files: make(map[string]*content)} }

// read is the content of a regular file.
func (r *reader) read(path string) ([]byte, fs.FileMode, error) {
	c := r.files[path]
	if c == nil {
		c = new(content)
		c.data, c.mode, c.err = readRegular(path)
		r.files[path] = c
	}
	return c.data, c.mode, c.err
}

// exists records that a file was looked for.
func (r *reader) exists(path string) bool {
	_, err := os.Stat(path)
	if r.files[path] == nil {
		r.files[path] = &content{err: err}
	}
	return err == nil
}

// readRegular does not wait for a writer if the path is a named pipe.
func readRegular(path string) ([]byte, fs.FileMode, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %d MiB", maxFile>>20)}
	}
	return data, info.Mode(), err
}

// inputs is what the manifest depends on.
func (r *reader) inputs() []Input {
	var out []Input
	for path, c := range r.files {
		out = append(out, Input{path, c.err == nil})
	}
	slices.SortFunc(out, func(a, b Input) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// isAbsent reports whether an error means that there is no such file.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// shortName is how a path is shown: relative to the working directory where
// that is shorter.
func shortName(path, workDir string) string {
	if rel, err := filepath.Rel(workDir, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}
