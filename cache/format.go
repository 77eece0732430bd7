package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// format is the number of the directory's layout. Raise it when an older
// devenv must not read what this one writes, or this one cannot read what an
// older one wrote.
const format = 1

const (
	formatFile = "format"
	tagFile    = "CACHEDIR.TAG"

	// The first line is fixed by the Cache Directory Tagging Specification.
	tagText = "Signature: 8a477f597d28d172789f06886806bc55\n" +
		"# This directory is devenv's cache: everything in it can be made again.\n" +
		"# See https://bford.info/cachedir/\n"
)

// kept are the kinds that mean the same in every format: files that are
// checked by their hash when they are read, and the projects' own records.
var kept = []Kind{Packages, Projects, Locks, Tmp}

// checkFormat makes a new cache's inside, brings an older one up to date and
// refuses a newer one.
func (c *Cache) checkFormat() error {
	found, err := c.readFormat()
	if errors.Is(err, fs.ErrNotExist) {
		made, errEmpty := c.checkEmpty()
		if errEmpty != nil {
			return errEmpty
		}
		if !made {
			return c.populate()
		}
		found, err = c.readFormat()
	}
	switch {
	case err != nil:
		return err
	case found > format:
		return fmt.Errorf("cache %s was written by a newer devenv (format %d, this one knows %d): update devenv, or set DEVENV_CACHE_DIR to another directory", c.dir, found, format)
	case found < format:
		return c.upgrade()
	case c.ReadOnly(): // as it is inside an environment
		return nil
	}
	return c.directories()
}

func (c *Cache) readFormat() (int, error) {
	path := filepath.Join(c.dir, formatFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s: not a cache format: %.20q; remove that file if the directory is devenv's, else set DEVENV_CACHE_DIR to another directory", path, text)
	}
	return n, nil
}

// checkEmpty accepts an empty directory, and what an Open that was killed has
// left. made says that another process has just made the cache here.
func (c *Cache) checkEmpty() (made bool, err error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return false, fmt.Errorf("cache %s: %w", c.dir, err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if name == formatFile {
			return true, nil
		}
		ours := name == tagFile || name == "lost+found" || slices.Contains(kinds, Kind(name))
		if !ours {
			return false, fmt.Errorf("%s is no devenv cache and holds other things (%s): set DEVENV_CACHE_DIR to a new or empty directory", c.dir, name)
		}
	}
	return false, nil
}

// populate makes the inside of a new cache. Every step may be repeated and may
// run in several processes at once; the format file comes last.
func (c *Cache) populate() error {
	if err := c.directories(); err != nil {
		return err
	}
	if err := c.WriteFile(filepath.Join(c.dir, tagFile), []byte(tagText), 0o644); err != nil {
		return err
	}
	return c.WriteFile(filepath.Join(c.dir, formatFile), []byte(strconv.Itoa(format)+"\n"), 0o644)
}

// directories makes those that are missing: a kind that is new, or one that
// somebody has removed.
func (c *Cache) directories() error {
	for _, kind := range kinds {
		if err := os.Mkdir(c.Path(kind), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("cannot make the cache: %w", explain(err, c.dir))
		}
	}
	return nil
}

// upgrade brings an older cache up to date, once however many processes find it.
func (c *Cache) upgrade() error {
	unlock, err := c.Lock(context.Background(), "format")
	if err != nil {
		return err
	}
	defer unlock()
	found, err := c.readFormat()
	if err != nil || found == format {
		return err
	}
	return c.rebuild()
}

// rebuild throws away what another format's devenv has derived, and keeps
// what had to be downloaded. All that goes is made again when it is needed, so
// that no format has to be read by any but its own devenv.
func (c *Cache) rebuild() error {
	for _, kind := range kinds {
		if slices.Contains(kept, kind) {
			continue
		}
		if err := c.discard(c.Path(kind)); err != nil {
			return err
		}
	}
	return c.populate()
}
