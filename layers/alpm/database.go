package alpm

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// What a sync database may hold. The largest of 2026 has 15,000 packages, 60
// MiB unpacked and 10 KiB in its largest desc.
const (
	maxDatabase   = 1 << 30
	maxDesc       = 4 << 20
	maxPackages   = 1 << 20
	maxListValues = 1 << 20 // the largest list of files has 120,000
)

// ReadDatabase reads a sync database (repo-add(8)): a tar in any compression
// that pacman reads, in which each package has a directory NAME-VERSION with
// desc, or with desc and depends as pacman before 5.0 had it. Fields it does
// not know and other files are passed over. The packages come sorted by name,
// as pacman keeps them; versions of one name stay in archive order.
func ReadDatabase(r io.Reader) ([]*Package, error) {
	guard, _, err := decompressGuarded(&countingReader{r: r}, maxDatabase)
	if err != nil {
		return nil, databaseError(err)
	}
	defer guard.Close()
	d := databaseReader{tar: newTarScanner(guard, maxDesc), byDir: make(map[string]*entry)}
	if err := d.read(); err != nil {
		return nil, databaseError(err)
	}
	return d.packages()
}

func databaseError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("database is truncated; fetch it anew: %w", err)
	}
	return fmt.Errorf("database: %w", err)
}

type databaseReader struct {
	tar     *tarScanner
	entries []*entry
	byDir   map[string]*entry
	text    textArena
	fields  fieldReader
}

// entry is one directory of the database.
type entry struct {
	Package
	dir     string
	hasDesc bool
}

func (d *databaseReader) read() error {
	for {
		if err := d.tar.next(); err == io.EOF {
			return d.tar.drain()
		} else if err != nil {
			return err
		}
		dir, file, ok := splitEntry(d.tar.name)
		if !ok || !d.tar.regular || string(file) != "desc" && string(file) != "depends" {
			continue
		}
		e, err := d.entry(dir)
		if err != nil {
			return err
		}
		e.hasDesc = e.hasDesc || len(file) == len("desc")
		body, err := d.tar.body()
		if err != nil {
			return fmt.Errorf("%s: %w", e.dir, err)
		}
		if err := d.fields.read(d.text.add(body), &e.Package); err != nil {
			return fmt.Errorf("%s: %w", e.dir, err)
		}
	}
}

// splitEntry takes "DIR/FILE" apart; deeper and shallower names are not ours.
func splitEntry(name []byte) (dir, file []byte, ok bool) {
	name = bytes.TrimPrefix(name, []byte("./"))
	slash := bytes.IndexByte(name, '/')
	if slash <= 0 || bytes.IndexByte(name[slash+1:], '/') >= 0 {
		return nil, nil, false
	}
	return name[:slash], name[slash+1:], true
}

// entry finds or makes the entry of a directory. pacman, too, believes the
// directory's name and not %NAME% and %VERSION%.
func (d *databaseReader) entry(dir []byte) (*entry, error) {
	if n := len(d.entries); n > 0 && d.entries[n-1].dir == string(dir) {
		return d.entries[n-1], nil
	}
	if e := d.byDir[string(dir)]; e != nil {
		return e, nil
	}
	if len(d.entries) == maxPackages {
		return nil, &LimitError{What: "packages", Limit: maxPackages}
	}
	e := &entry{dir: d.text.add(dir)}
	var ok bool
	if e.Name, e.Version, ok = SplitNameVersion(e.dir); !ok {
		return nil, fmt.Errorf("entry %q is not called NAME-VERSION-RELEASE", dir)
	}
	if err := e.validate(); err != nil {
		return nil, err
	}
	d.entries = append(d.entries, e)
	d.byDir[e.dir] = e
	return e, nil
}

func (d *databaseReader) packages() ([]*Package, error) {
	pkgs := make([]*Package, len(d.entries))
	for i, e := range d.entries {
		if !e.hasDesc {
			return nil, fmt.Errorf("database: %s has no desc: it is damaged", e.dir)
		}
		if err := e.validateFilename(); err != nil {
			return nil, databaseError(err)
		}
		pkgs[i] = &e.Package
	}
	slices.SortStableFunc(pkgs, func(a, b *Package) int { return cmp.Compare(a.Name, b.Name) })
	return pkgs, nil
}

// textArena turns bytes into strings that share large allocations.
type textArena struct{ b strings.Builder }

const arenaSize = 256 << 10

func (a *textArena) add(p []byte) string {
	if len(p) > arenaSize/4 {
		return string(p)
	}
	if a.b.Cap()-a.b.Len() < len(p) {
		a.b = strings.Builder{}
		a.b.Grow(arenaSize)
	}
	start := a.b.Len()
	a.b.Write(p)
	return a.b.String()[start:]
}
