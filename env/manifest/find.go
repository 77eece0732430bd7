package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The names of the files in a project.
const (
	FileName      = "devenv.toml"
	LocalFileName = "devenv.local.toml"
)

// ErrNotFound is in the error of Find if there is no devenv.toml.
var ErrNotFound = errors.New("no " + FileName)

// Find is the devenv.toml of dir or of the nearest directory above it. If there
// is none, its error is an *Error around ErrNotFound.
func Find(dir string) (path string, err error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", FileName, err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, FileName)
		info, err := os.Stat(path)
		switch {
		case err == nil && !info.IsDir():
			return path, nil
		case err != nil && !isAbsent(err):
			return "", fmt.Errorf("find %s: %w", FileName, err)
		case dir == filepath.Dir(dir):
			return "", &Error{
				Msg:  fmt.Sprintf("there is no %s in %s or in a directory above it", FileName, start),
				Hint: "`devenv init` makes one in the current directory",
				Err:  ErrNotFound,
			}
		}
	}
}
