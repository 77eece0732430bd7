package lock

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"

	"devenv/env/manifest/tomlfile"
)

// howToRepair is what to do about nearly every fault of a lock.
const howToRepair = "run `devenv lock` to write it anew, or take the committed one back"

// Parse reads the text of a lock; path stands in messages. The error is an
// *Error or tomlfile.Errors.
func Parse(path string, text []byte) (*Lock, error) {
	if isForeign(text) {
		return nil, &Error{
			Pos: tomlfile.Pos{File: path}, Err: ErrForeign,
			Msg:  "this is the lock of another tool that is called devenv, too; it is left alone",
			Hint: "rename it or give this project another directory: the two cannot share the name",
		}
	}
	if line := mergeMarker(text); line > 0 {
		return nil, &Error{
			Pos: tomlfile.Pos{File: path, Line: line, Col: 1}, Err: ErrMerge,
			Msg:  "a merge left both sides here",
			Hint: "run `devenv lock`: it keeps the versions that still fit",
		}
	}
	return parse(path, text, true)
}

// Salvage reads what is left of a lock that Parse refuses because of a merge or
// an edit: its versions are those to prefer when it is written anew. Of the
// sides of a merge it takes the one that is here. The error is that of Parse if
// nothing can be made of the text.
func Salvage(path string, text []byte) (*Lock, error) {
	if l, err := parse(path, oneSide(text), false); err == nil {
		return l, nil
	}
	return Parse(path, text)
}

// isForeign recognises the JSON that cachix's devenv writes, and any other.
func isForeign(text []byte) bool {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	return bytes.HasPrefix(text, []byte("{"))
}

// The lines that git puts around the sides of a merge.
var (
	ours   = []byte("<<<<<<<")
	base   = []byte("|||||||")
	middle = []byte("=======")
	theirs = []byte(">>>>>>>")
)

// mergeMarker is the number of the first line that a merge left, or 0.
func mergeMarker(text []byte) int {
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if bytes.HasPrefix(line, ours) || bytes.HasPrefix(line, theirs) || bytes.HasPrefix(line, middle) {
			return n
		}
	}
	return 0
}

// oneSide is a text with our side of each place where a merge stopped.
func oneSide(text []byte) []byte {
	var out []byte
	keep := true
	for line := range bytes.Lines(text) {
		switch {
		case bytes.HasPrefix(line, ours), bytes.HasPrefix(line, theirs):
			keep = true
		case bytes.HasPrefix(line, base), bytes.HasPrefix(line, middle):
			keep = false
		case keep:
			out = append(out, line...)
		}
	}
	return out
}

func parse(path string, text []byte, whole bool) (*Lock, error) {
	doc, err := tomlfile.Parse(path, path, text)
	if err != nil {
		for _, e := range tomlfile.List(err) {
			e.Hint, e.Err = howToRepair, ErrEdited
		}
		return nil, err
	}
	p := &parser{path: path}
	if err := p.checkVersion(doc); err != nil {
		return nil, err
	}
	l := p.lock(doc.Root)
	if err := p.errs.Err(); err != nil {
		return nil, err
	}
	if whole && p.sum != checksum(text) {
		return nil, &Error{
			Pos: tomlfile.Pos{File: path}, Err: ErrEdited,
			Msg: "this is not what devenv wrote: the checksum does not fit", Hint: howToRepair,
		}
	}
	return l, nil
}

type parser struct {
	path string
	sum  string
	errs tomlfile.Errors
}

// checkVersion tells a newer devenv's lock from a broken one before anything
// else is read.
func (p *parser) checkVersion(doc *tomlfile.Document) error {
	e := doc.Root.Get("version")
	if e == nil {
		return &Error{Pos: tomlfile.Pos{File: p.path}, Msg: "this is no lock: it has no version", Hint: howToRepair, Err: ErrEdited}
	}
	n, err := strconv.Atoi(e.Value.Text)
	if e.Value.Kind != tomlfile.Integer || err != nil || n < 1 {
		fault := e.Value.Faultf(howToRepair, "version must be a number")
		fault.Err = ErrEdited
		return fault
	}
	if n > formatVersion {
		fault := e.Value.Faultf("use the devenv that wrote it, or a newer one", "a newer devenv wrote this lock: its form is %d, and this devenv knows form %d", n, formatVersion)
		fault.Err = ErrNewer
		return fault
	}
	return nil
}

func (p *parser) fault(v *tomlfile.Value, format string, args ...any) {
	e := v.Faultf(howToRepair, format, args...)
	e.Err = ErrEdited
	p.errs = append(p.errs, e)
}

type setters map[string]func(*tomlfile.Value)

// table reads a table, which must have the required keys.
func (p *parser) table(t *tomlfile.Value, s setters, required ...string) {
	if t.Kind != tomlfile.Table {
		p.fault(t, "a table must stand here, not %s", t.Kind)
		return
	}
	for _, e := range t.Entries {
		if set := s[e.Key]; set != nil {
			set(e.Value)
			continue
		}
		fault := e.Faultf(howToRepair, "unknown key %q; a lock has %s here", e.Key, strings.Join(slices.Sorted(maps.Keys(s)), ", "))
		fault.Err = ErrEdited
		p.errs = append(p.errs, fault)
	}
	for _, key := range required {
		if t.Get(key) == nil {
			p.fault(t, "%s is missing", key)
		}
	}
}

// text reads a string that ok accepts.
func (p *parser) text(into *string, what string, ok func(string) bool) func(*tomlfile.Value) {
	return func(v *tomlfile.Value) {
		if v.Kind != tomlfile.String || !ok(v.Text) {
			p.fault(v, "%s is no %s", show(v), what)
			return
		}
		*into = v.Text
	}
}

// list reads strings that ok accepts.
func (p *parser) list(into *[]string, what string, ok func(string) bool) func(*tomlfile.Value) {
	return func(v *tomlfile.Value) {
		if v.Kind != tomlfile.Array {
			p.fault(v, "an array must stand here, not %s", v.Kind)
			return
		}
		for _, item := range v.Items {
			var s string
			p.text(&s, what, ok)(item)
			*into = append(*into, s)
		}
		if !slices.IsSorted(*into) {
			p.fault(v, "the words are not in order")
		}
	}
}

func show(v *tomlfile.Value) string {
	switch v.Kind {
	case tomlfile.Table, tomlfile.Array:
		return v.Kind.String()
	case tomlfile.String:
		return strconv.Quote(v.Text)
	}
	return v.Text
}

func (p *parser) lock(root *tomlfile.Value) *Lock {
	l := &Lock{}
	var list *tomlfile.Value
	p.table(root, setters{
		"version":   func(*tomlfile.Value) {},
		checksumKey: p.text(&p.sum, "checksum", isDigest),
		"snapshot": func(v *tomlfile.Value) {
			p.text(&l.Snapshot, "day", isDayOrLatest)(v)
			if l.Snapshot == latest {
				l.Snapshot = ""
			}
		},
		"arch":   p.text(&l.Arch, "architecture", isArch),
		"inputs": p.text(&l.Inputs, "digest", isDigest),
		"hosts":  p.list(&l.Hosts, "host name", isLine),
		"trust": func(v *tomlfile.Value) {
			p.table(v, setters{
				"siglevel": p.text(&l.Trust.SigLevel, "siglevel", isSigLevel),
				"keyring":  p.text(&l.Trust.Keyring, "name of a keyring", isLine),
				"digest":   p.text(&l.Trust.Digest, "digest", isDigest),
			})
		},
		"package": func(v *tomlfile.Value) { list = v },
	}, checksumKey, "snapshot", "arch", "inputs", "hosts")
	if list != nil {
		p.packages(l, list)
	}
	return l
}

func (p *parser) packages(l *Lock, list *tomlfile.Value) {
	if list.Kind != tomlfile.Array {
		p.fault(list, "packages are written as [[package]]")
		return
	}
	for _, t := range list.Items {
		pkg := p.pkg(t, l)
		l.Packages = append(l.Packages, pkg)
		if n := len(l.Packages); n > 1 && compare(&l.Packages[n-2], &l.Packages[n-1]) >= 0 {
			p.fault(t, "%s %s is out of order, or stands here twice", pkg.Name, pkg.Version)
		}
	}
	p.onePerHost(l, list)
}

// onePerHost refuses two versions of a package for one machine.
func (p *parser) onePerHost(l *Lock, list *tomlfile.Value) {
	type place struct{ host, name string }
	first := make(map[place]string)
	for i := range l.Packages {
		pkg := &l.Packages[i]
		hosts := pkg.Hosts
		if hosts == nil {
			hosts = l.Hosts
		}
		for _, h := range hosts {
			if other := first[place{h, pkg.Name}]; other != "" && pkg.Compat == "" {
				p.fault(list.Items[i], "%s is here in two versions for one host, %s and %s", pkg.Name, other, pkg.Version)
				break
			}
			if pkg.Compat == "" {
				first[place{h, pkg.Name}] = pkg.Version
			}
		}
	}
}

func (p *parser) pkg(t *tomlfile.Value, l *Lock) Package {
	var pkg Package
	p.table(t, setters{
		"name":    p.text(&pkg.Name, "name of a package", isName),
		"version": p.text(&pkg.Version, "version of a package", isVersion),
		"repo":    p.text(&pkg.Repo, "name of a repository", isName),
		"arch": p.text(&pkg.Arch, "architecture of this lock", func(s string) bool {
			return isArch(s) && (s == "any" || l.Arch == "" || s == l.Arch)
		}),
		"size":   func(v *tomlfile.Value) { pkg.Size = p.size(v) },
		"sha256": p.text(&pkg.SHA256, "SHA-256", isSHA256),
		"file":   p.text(&pkg.File, "name of a package file", isFileName),
		"by":     p.list(&pkg.By, "name", isLine),
		"hosts": p.list(&pkg.Hosts, "host of this lock", func(s string) bool {
			return slices.Contains(l.Hosts, s)
		}),
		"base": func(v *tomlfile.Value) {
			if v.Kind != tomlfile.Bool {
				p.fault(v, "base must be true or false")
			}
			pkg.Base = v.Text == "true"
		},
		"from":   p.text(&pkg.From, "origin: archive, or a day", func(s string) bool { return s == Archive || isDay(s) }),
		"compat": p.text(&pkg.Compat, "name of a package", isName),
		"signer": p.text(&pkg.Signer, "fingerprint", isFingerprint),
	}, "name", "version", "arch", "size", "sha256", "file")
	if t.Kind == tomlfile.Table && pkg.Repo == "" && pkg.From != Archive && t.Get("repo") == nil {
		p.fault(t, "repo is missing")
	}
	return pkg
}

func (p *parser) size(v *tomlfile.Value) int64 {
	n, err := strconv.ParseInt(v.Text, 10, 64)
	if v.Kind != tomlfile.Integer || err != nil || n < 0 {
		p.fault(v, "%s is no size in bytes", show(v))
	}
	return n
}
