package shellhooks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Watched is a file that an activation depends on, as it was found.
type Watched struct {
	Path  string
	Mtime time.Time // zero: it was not there
}

// Watch looks at files. One that cannot be looked at counts as not there.
func Watch(paths ...string) []Watched {
	out := make([]Watched, len(paths))
	for i, p := range paths {
		out[i].Path = p
		if fi, err := os.Stat(p); err == nil {
			out[i].Mtime = fi.ModTime()
		}
	}
	return out
}

// fresh is the text of __devenv_fresh, by which a hook sees, without starting a
// process, that no file has changed.
//
// A shell can compare the times of two files and nothing finer. So there is a
// stamp for each time that is asked for, an empty file of just that time. Stamps
// may be thrown away whenever one likes, for the price of one more call of
// "devenv _export".
func (x *syntax) fresh(files []Watched, stamps string) (string, error) {
	var tests []string
	var failed error
	for _, f := range files {
		file := x.quote(f.Path)
		if f.Mtime.IsZero() {
			tests = append(tests, "[ ! -e "+file+" ]")
			continue
		}
		stamp, exact, err := makeStamp(stamps, f.Mtime)
		if err != nil {
			failed = fmt.Errorf("noting when %s was changed: %w", f.Path, err)
			continue
		}
		tests = append(tests, "[ -e "+file+" ]", "[ ! "+file+" -nt "+x.quote(stamp)+" ]")
		if exact {
			tests = append(tests, "[ ! "+file+" -ot "+x.quote(stamp)+" ]")
		}
	}
	return x.begin("__devenv_fresh") + "\t" + strings.Join(append(tests, "true"), " && ") + "\n" + x.end, failed
}

// manyStamps is when those of long ago are thrown away.
const manyStamps = 256

// makeStamp makes the stamp of a time. It is not exact, but a little late, where
// the directory's file system knows no time as fine as that.
func makeStamp(dir string, mtime time.Time) (path string, exact bool, err error) {
	path = filepath.Join(dir, strconv.FormatInt(mtime.UnixNano(), 10))
	late := path + "-late"
	if hasTime(path, mtime) {
		return path, true, nil
	}
	if _, err := os.Stat(late); err == nil {
		return late, false, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", false, err
	}
	prune(dir)
	tmp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return "", false, err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(tmp.Close(), os.Chtimes(tmp.Name(), mtime, mtime)); err != nil {
		return "", false, err
	}
	exact = hasTime(tmp.Name(), mtime)
	if !exact {
		const coarsest = 2 * time.Second // FAT
		path = late
		if err := os.Chtimes(tmp.Name(), mtime.Add(coarsest), mtime.Add(coarsest)); err != nil {
			return "", false, err
		}
	}
	if err := os.Rename(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	return path, exact, nil
}

func hasTime(path string, mtime time.Time) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.ModTime().Equal(mtime)
}

func prune(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < manyStamps {
		return
	}
	for _, e := range entries {
		os.Remove(filepath.Join(dir, e.Name()))
	}
}
