package elf

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// maxIncludes bounds how many files an ld.so.conf may include, in turns too.
const maxIncludes = 1000

// ReadConf reads etc/ld.so.conf of a tree and what it includes, as ldconfig(8)
// does, and gives the directories in order. Without that file there are none.
func ReadConf(tree fs.FS) ([]string, error) {
	c := confReader{tree: tree}
	if err := c.read("etc/ld.so.conf"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return c.dirs, nil
}

type confReader struct {
	tree fs.FS
	dirs []string
	seen []string
}

func (c *confReader) read(name string) error {
	if slices.Contains(c.seen, name) || len(c.seen) == maxIncludes {
		return nil
	}
	c.seen = append(c.seen, name)
	text, err := fs.ReadFile(c.tree, name)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "hwcap":
		case words[0] == "include":
			for _, pattern := range words[1:] {
				if err := c.include(name, pattern); err != nil {
					return err
				}
			}
		default:
			c.add(words[0])
		}
	}
	return nil
}

// include reads what a pattern matches, in order of names; a file that is not
// there is no error, as in ldconfig.
func (c *confReader) include(from, pattern string) error {
	if !strings.HasPrefix(pattern, "/") {
		pattern = path.Join(path.Dir(from), pattern)
	}
	names, err := fs.Glob(c.tree, relative(pattern))
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := c.read(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// add takes a directory, with the "=TYPE" of old times cut off.
func (c *confReader) add(dir string) {
	dir, _, _ = strings.Cut(dir, "=")
	if dir = relative(dir); dir != "" && !slices.Contains(c.dirs, dir) {
		c.dirs = append(c.dirs, dir)
	}
}
