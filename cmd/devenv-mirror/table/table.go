package table

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed packages.toml all:root install
var files embed.FS

// Table is packages.toml.
type Table struct {
	Days    []DayRule           `toml:"day"`
	Series  map[string]Series   `toml:"series"`
	Sets    map[string][]string `toml:"sets"`
	Ignore  []string            `toml:"ignore"`
	Rename  []Rename            `toml:"rename"`
	Package map[string]*Entry   `toml:"package"`
}

// Rename gives Debian packages that no entry names the package As, in which
// $1 is the first group of the expression Deb.
type Rename struct {
	Deb string `toml:"deb"`
	As  string `toml:"as"`
	re  *regexp.Regexp
}

// DayRule is one day of the archive, and the repositories that it had.
type DayRule struct {
	Date  string   `toml:"date"` // 2006-01-02
	Repos []string `toml:"repos"`
}

// Series is a program of which Debian has several versions side by side. Each
// day gets one of them, the oldest day the lowest.
type Series struct {
	Pick string `toml:"pick"` // a package that every version has, '#' its number
	Max  int    `toml:"max"`
}

// Entry is one Arch package. See the head of packages.toml for the keys.
type Entry struct {
	Debs        []string          `toml:"debs"`
	Covers      []string          `toml:"covers"`
	Repo        string            `toml:"repo"`
	Desc        string            `toml:"desc"`
	URL         string            `toml:"url"`
	License     []string          `toml:"license"`
	Version     string            `toml:"version"`
	VersionFrom string            `toml:"version-from"`
	Epoch       int               `toml:"epoch"`
	Suffix      string            `toml:"suffix"`
	Groups      []string          `toml:"groups"`
	Depends     []string          `toml:"depends"`
	NoDepends   []string          `toml:"no-depends"`
	OptDepends  []string          `toml:"optdepends"`
	Provides    []string          `toml:"provides"`
	Conflicts   []string          `toml:"conflicts"`
	Replaces    []string          `toml:"replaces"`
	Backup      []string          `toml:"backup"`
	Sonames     *bool             `toml:"sonames"`
	Only        []string          `toml:"only"`
	Drop        []string          `toml:"drop"`
	Move        map[string]string `toml:"move"`
	Links       map[string]string `toml:"links"`
	LinkAll     map[string]string `toml:"link-all"`
	Unversion   string            `toml:"unversion"`
	Concat      map[string]string `toml:"concat"`
	Rides       string            `toml:"rides"`
	From        string            `toml:"from"`
	Gone        string            `toml:"gone"`
	Until       map[string]*Entry `toml:"until"`
}

// Load reads the table that is built into the program.
func Load() (*Table, error) {
	text, err := files.ReadFile("packages.toml")
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Parse reads a table and checks that its parts fit each other.
func Parse(text []byte) (*Table, error) {
	t := &Table{}
	md, err := toml.NewDecoder(bytes.NewReader(text)).Decode(t)
	if err != nil {
		return nil, fmt.Errorf("packages.toml: %w", err)
	}
	if unknown := md.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("packages.toml: no such key: %s", unknown[0])
	}
	for i, r := range t.Rename {
		if t.Rename[i].re, err = regexp.Compile(r.Deb); err != nil {
			return nil, fmt.Errorf("packages.toml: rename: %w", err)
		}
	}
	for set, names := range t.Sets {
		for _, n := range names {
			if t.Package[n] == nil {
				return nil, fmt.Errorf("packages.toml: set %s names %s, which is no package", set, n)
			}
		}
	}
	if len(t.Days) == 0 || !slices.IsSortedFunc(t.Days, func(a, b DayRule) int { return strings.Compare(a.Date, b.Date) }) {
		return nil, fmt.Errorf("packages.toml: days must be there, oldest first")
	}
	return t, nil
}

// Root is the tree of files of our own that go into package name: fs.FS paths
// as in the package, or nil.
func Root(name string) fs.FS {
	sub, err := fs.Sub(files, "root/"+name)
	if err != nil {
		return nil
	}
	if _, err := fs.Stat(sub, "."); err != nil {
		return nil
	}
	return sub
}

// Install is the scriptlet of package name, or nil.
func Install(name string) []byte {
	text, err := files.ReadFile("install/" + name)
	if err != nil {
		return nil
	}
	return text
}

// on returns the entry as it is on a day, with {series} replaced, or nil where
// the package does not exist then.
func (e *Entry) on(date, triplet string, series map[string]string) *Entry {
	if e.From != "" && date < e.From || e.Gone != "" && date >= e.Gone {
		return nil
	}
	r := *e
	for _, until := range slices.Sorted(maps.Keys(e.Until)) {
		if date < until {
			r.override(e.Until[until])
			break
		}
	}
	r.expand(triplet, series)
	return &r
}

// override takes over each key that o has.
func (e *Entry) override(o *Entry) {
	for _, p := range []struct{ to, from *[]string }{
		{&e.Debs, &o.Debs}, {&e.Depends, &o.Depends}, {&e.Provides, &o.Provides}, {&e.Conflicts, &o.Conflicts},
		{&e.NoDepends, &o.NoDepends}, {&e.Only, &o.Only}, {&e.Drop, &o.Drop}, {&e.Groups, &o.Groups},
	} {
		if *p.from != nil {
			*p.to = *p.from
		}
	}
	for _, p := range []struct{ to, from *map[string]string }{
		{&e.Move, &o.Move}, {&e.Links, &o.Links}, {&e.LinkAll, &o.LinkAll},
	} {
		if *p.from != nil {
			*p.to = *p.from
		}
	}
	for _, p := range []struct{ to, from *string }{
		{&e.Version, &o.Version}, {&e.VersionFrom, &o.VersionFrom}, {&e.Suffix, &o.Suffix}, {&e.Unversion, &o.Unversion},
	} {
		if *p.from != "" {
			*p.to = *p.from
		}
	}
	if o.Epoch != 0 {
		e.Epoch = o.Epoch
	}
}

// expand replaces {series}, {triplet} and {gnu} in every key where it makes sense.
func (e *Entry) expand(triplet string, series map[string]string) {
	pairs := []string{"{triplet}", triplet, "{gnu}", strings.ReplaceAll(triplet, "_", "-")}
	for name, value := range series {
		pairs = append(pairs, "{"+name+"}", value)
	}
	r := strings.NewReplacer(pairs...)
	for _, list := range []*[]string{&e.Debs, &e.Covers, &e.Depends, &e.Provides, &e.Conflicts, &e.Only, &e.Drop} {
		*list = slices.Clone(*list)
		for i, s := range *list {
			(*list)[i] = r.Replace(s)
		}
	}
	for _, m := range []*map[string]string{&e.Move, &e.Links, &e.LinkAll} {
		replaced := map[string]string{}
		for k, v := range *m {
			replaced[r.Replace(k)] = r.Replace(v)
		}
		*m = replaced
	}
	e.VersionFrom = r.Replace(e.VersionFrom)
	e.Unversion, e.Rides = r.Replace(e.Unversion), r.Replace(e.Rides)
}

// usesSeries tells which series the entry comes from.
func (e *Entry) usesSeries(t *Table) []string {
	var used []string
	for name := range t.Series {
		if slices.ContainsFunc(append(e.Debs[:len(e.Debs):len(e.Debs)], e.VersionFrom), func(d string) bool { return strings.Contains(d, "{"+name+"}") }) {
			used = append(used, name)
		}
	}
	return used
}

// dropSeries leaves the debs that do not depend on a series.
func (e *Entry) dropSeries() {
	e.Debs = slices.DeleteFunc(slices.Clone(e.Debs), func(d string) bool { return strings.Contains(d, "{") })
	e.Version = "0-1"
}
