package elf

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Overlay looks paths up in directories that lie over one another, as though
// they were mounted so and that were the root. What one hides of those below it
// says with whiteouts (devices 0:0). It remembers what it has seen, and is for
// one goroutine at a time.
type Overlay struct {
	dirs []string // topmost first
	seen map[string]overlaid
}

// overlaid is what a path of an Overlay is.
type overlaid struct {
	at   string // where it lies on disk; "" if it is not there
	mode fs.FileMode
	link string // target of a symbolic link
}

// maxLinks is how many symbolic links a path may lead through (path_resolution(7)).
const maxLinks = 40

// NewOverlay takes the directories, topmost first.
func NewOverlay(dirs ...string) *Overlay {
	return &Overlay{dirs: dirs, seen: map[string]overlaid{".": {at: dirs[len(dirs)-1], mode: fs.ModeDir}}}
}

// Lookup is a Lookup.
func (o *Overlay) Lookup(p string) (file string, ok bool) {
	file, e := o.follow(p)
	return file, e.at != ""
}

// follow walks a path, and the links on it.
func (o *Overlay) follow(p string) (file string, e overlaid) {
	done, todo, links := ".", relative(p), 0
	e = o.seen["."]
	for todo != "" {
		var word string
		word, todo, _ = strings.Cut(todo, "/")
		switch word {
		case "", ".":
			continue
		case "..":
			done = path.Dir(done)
			continue
		}
		next := path.Join(done, word)
		if e = o.stat(next); e.at == "" {
			return "", e
		}
		if e.mode&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", overlaid{}
		}
		if strings.HasPrefix(e.link, "/") {
			done = "."
		}
		todo = e.link + "/" + todo
	}
	return done, o.stat(done)
}

// stat says what a path is whose directories are no links.
func (o *Overlay) stat(p string) overlaid {
	e, known := o.seen[p]
	if known {
		return e
	}
	defer func() { o.seen[p] = e }()
	for _, dir := range o.dirs {
		at := filepath.Join(dir, p)
		var st unix.Stat_t
		if unix.Lstat(at, &st) != nil {
			continue
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFCHR:
			if st.Rdev == 0 {
				return e // hidden
			}
			e = overlaid{at: at, mode: fs.ModeDevice}
		case unix.S_IFDIR:
			e = overlaid{at: at, mode: fs.ModeDir}
		case unix.S_IFLNK:
			link, err := os.Readlink(at)
			if err != nil {
				return e
			}
			e = overlaid{at: at, mode: fs.ModeSymlink, link: link}
		default:
			e = overlaid{at: at}
		}
		return e
	}
	return e
}

// Open makes an Overlay an fs.FS, for ReadConf. It opens files alone.
func (o *Overlay) Open(name string) (fs.File, error) {
	_, e := o.follow(name)
	if e.at == "" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return os.Open(e.at)
}

// ReadDir lists a directory of all the directories together.
func (o *Overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	file, e := o.follow(name)
	if e.at == "" {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	var list []fs.DirEntry
	for _, dir := range o.dirs {
		entries, err := os.ReadDir(filepath.Join(dir, file))
		if err != nil {
			continue // it is not there, or no directory
		}
		for _, entry := range entries {
			same := func(other fs.DirEntry) bool { return other.Name() == entry.Name() }
			if o.stat(path.Join(file, entry.Name())).at != "" && !slices.ContainsFunc(list, same) {
				list = append(list, entry)
			}
		}
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}
