package cache

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const lockSuffix = ".lock"

// Temp makes an empty directory for something half made. It is this process's
// until release, which throws away what is left of it (after [Cache.Publish]
// nothing is). If the process dies first, the next [Cache.Sweep] does so.
// kind only makes the name legible.
func (c *Cache) Temp(kind string) (dir string, release func(), err error) {
	dir, release, err = c.reserve(kind)
	if err != nil {
		return "", nil, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		release()
		return "", nil, explain(err, dir)
	}
	return dir, release, nil
}

// TempLock is the file whose shared lock keeps Sweep away from a directory of
// Temp, for a process that goes on with it after this one.
func TempLock(dir string) string { return dir + lockSuffix }

// reserve finds a free name in tmp/ and locks it. The lock file is there before
// the name is used and goes after it, so that what has no lock has no owner.
func (c *Cache) reserve(kind string) (path string, release func(), err error) {
	for {
		path = c.Path(Tmp, fileName(kind)+"."+strings.ToLower(rand.Text()[:13]))
		f, ok, err := tryAcquire(path+lockSuffix, Exclusive)
		if err != nil {
			return "", nil, fmt.Errorf("make room for something new in the cache: %w", err)
		}
		if !ok {
			continue // Sweep was looking at it
		}
		return path, func() {
			// The lock file outlives what could not be removed, so that Sweep tries again.
			if err := RemoveAll(path); err == nil {
				os.Remove(f.Name())
			}
			f.Close()
		}, nil
	}
}

// Sweep throws away what processes that are no more have left half made, and
// says how many bytes that freed. What a living process holds stays.
func (c *Cache) Sweep() (freed int64, err error) {
	entries, err := os.ReadDir(c.Path(Tmp))
	if err != nil {
		return 0, fmt.Errorf("sweep the cache: %w", err)
	}
	var errs []error
	done := make(map[string]bool)
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), lockSuffix)
		if done[name] {
			continue
		}
		done[name] = true
		n, err := sweepOne(c.Path(Tmp, name))
		freed += n
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return freed, fmt.Errorf("sweep the cache: %w", err)
	}
	return freed, nil
}

func sweepOne(path string) (freed int64, err error) {
	lock, ok, err := tryAcquire(path+lockSuffix, Exclusive)
	if err != nil || !ok {
		return 0, err
	}
	defer lock.Close()
	freed = DiskUsage(path)
	if err := RemoveAll(path); err != nil {
		return 0, err
	}
	return freed, os.Remove(lock.Name())
}

// discard moves path into tmp/ and removes it there: it is gone at once for
// everybody else, however long the removal takes and even if it is cut short.
func (c *Cache) discard(path string) error {
	dir, release, err := c.Temp("discard")
	if err != nil {
		return err
	}
	defer release()
	err = os.Rename(path, filepath.Join(dir, filepath.Base(path)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove from the cache: %w", explain(err, path))
	}
	return RemoveAll(dir)
}
