package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"devenv/env/manifest/tomlfile"
)

// What Add, Set and Remove find in the way.
var (
	ErrPresent = errors.New("the package is in devenv.toml already")
	ErrAbsent  = errors.New("the package is not in devenv.toml")
)

// Add puts a package into the text of a devenv.toml. name may be "repo/name".
// If the package is there, the error is ErrPresent.
func Add(src []byte, name, pin string) ([]byte, error) {
	if err := checkEdit(name, pin); err != nil {
		return nil, err
	}
	e, err := newEditor(src)
	if err != nil {
		return nil, err
	}
	if old := e.find(name); old != nil {
		fault := old.Faultf("edit its pin in this line; `devenv update PACKAGE` moves it to the newest version that the pin allows", "%s is there already", plainName(name))
		fault.Err = ErrPresent
		return nil, fault
	}
	return e.verified(e.add(name, pin), name, func(after *tomlfile.Value) bool {
		return after.Kind == tomlfile.String && after.Text == pin
	})
}

// Set gives a package of the text of a devenv.toml another version. If the
// package is not there, the error is ErrAbsent.
func Set(src []byte, name, pin string) ([]byte, error) {
	if err := checkEdit(name, pin); err != nil {
		return nil, err
	}
	e, err := newEditor(src)
	if err != nil {
		return nil, err
	}
	old := e.find(name)
	if old == nil {
		return nil, e.absent(name)
	}
	if old.Value.Kind != tomlfile.String && old.Value.Kind != tomlfile.Table {
		return nil, old.Value.Faultf("", "%s must be a version or a table, not %s", old.Key, old.Value.Kind)
	}
	return e.verified(e.set(old, pin), old.Key, func(after *tomlfile.Value) bool {
		if old.Value.Kind == tomlfile.String {
			return after.Kind == tomlfile.String && after.Text == pin
		}
		version := &tomlfile.Entry{Key: "version", Value: &tomlfile.Value{Kind: tomlfile.String, Text: pin}}
		return after.Equal(tomlfile.NewTable(old.Value, append(slices.Clone(old.Value.Entries), version)...))
	})
}

// Remove takes a package out of the text of a devenv.toml, with all of its
// sub-tables. If it is not there, the error is ErrAbsent.
func Remove(src []byte, name string) ([]byte, error) {
	e, err := newEditor(src)
	if err != nil {
		return nil, err
	}
	old := e.find(name)
	if old == nil {
		return nil, e.absent(name)
	}
	out := src
	for next := e; next.hasKey(old.Key); {
		out = next.removeOne(old.Key)
		if len(out) >= len(next.doc.Src) {
			return nil, fmt.Errorf("remove %s from %s: line %d cannot be edited; do it by hand", name, FileName, old.Pos().Line)
		}
		if next, err = newEditor(out); err != nil {
			return nil, fmt.Errorf("remove %s from %s: this would break the file; do it by hand: %w", name, FileName, err)
		}
	}
	return e.verified(out, old.Key, nil)
}

func checkEdit(name, pin string) error {
	if _, err := ParsePin(pin); err != nil {
		return &Error{Msg: fmt.Sprintf("version of %s: %v", name, err), Err: err}
	}
	if repo, _, slash := strings.Cut(name, "/"); slash {
		if msg, hint := checkRepo(repo); msg != "" {
			return &Error{Msg: msg, Hint: hint}
		}
	}
	if msg, hint := checkPackage(plainName(name)); msg != "" {
		return &Error{Msg: msg, Hint: hint}
	}
	return nil
}

// plainName is a key without its repository.
func plainName(key string) string { return key[strings.IndexByte(key, '/')+1:] }

// editor knows one text.
type editor struct {
	doc      *tomlfile.Document
	packages *tomlfile.Value // nil if there are none
	eol      string
}

func newEditor(src []byte) (*editor, error) {
	doc, err := tomlfile.Parse(FileName, FileName, src)
	if err != nil {
		return nil, err
	}
	e := &editor{doc: doc, eol: "\n"}
	if n := bytes.IndexByte(src, '\n'); n > 0 && src[n-1] == '\r' {
		e.eol = "\r\n"
	}
	if p := doc.Root.Get("packages"); p != nil {
		if p.Value.Kind != tomlfile.Table {
			return nil, p.Value.Faultf("write [packages]", "packages must be a table, not %s", p.Value.Kind)
		}
		e.packages = p.Value
	}
	return e, nil
}

// find is the entry of a package, whichever of the two has a repository.
func (e *editor) find(name string) *tomlfile.Entry {
	if e.packages == nil {
		return nil
	}
	if exact := e.packages.Get(name); exact != nil {
		return exact
	}
	for _, entry := range e.packages.Entries {
		if plainName(entry.Key) == plainName(name) && (entry.Key == plainName(entry.Key) || name == plainName(name)) {
			return entry
		}
	}
	return nil
}

func (e *editor) hasKey(key string) bool { return e.packages != nil && e.packages.Get(key) != nil }

// absent says where else the package may be meant to be.
func (e *editor) absent(name string) error {
	fault := &Error{Pos: Pos{File: FileName}, Msg: fmt.Sprintf("there is no package %s in [packages]", name), Err: ErrAbsent}
	if hosts := e.doc.Root.Get("host"); hosts != nil {
		for _, h := range hosts.Value.Entries {
			if p := h.Value.Get("packages"); p != nil && p.Value.Get(name) != nil {
				pos := p.Value.Get(name).Pos()
				fault.Hint = fmt.Sprintf("%s is asked for on some hosts alone, in line %d: edit that by hand", name, pos.Line)
				return fault
			}
		}
	}
	if e.packages != nil {
		var names []string
		for _, entry := range e.packages.Entries {
			names = append(names, entry.Key)
		}
		fault.Hint = didYouMean(name, names)
	}
	return fault
}

// verified parses a changed text and compares: but for the package, whose new
// value ok looks at (nil: it must be gone), nothing may mean anything else.
func (e *editor) verified(out []byte, key string, ok func(*tomlfile.Value) bool) ([]byte, error) {
	after, err := newEditor(out)
	if err != nil {
		return nil, fmt.Errorf("edit %s: this would break the file; do it by hand: %w", FileName, err)
	}
	now := after.find(key)
	good := now == nil
	if ok != nil {
		good = now != nil && now.Key == key && ok(now.Value)
	}
	if !good || !without(e.doc.Root, key).Equal(without(after.doc.Root, key)) {
		return nil, fmt.Errorf("edit %s: the result would mean something else; change %s by hand", FileName, key)
	}
	return out, nil
}

// without is a tree without one package; no packages and an empty table of them
// are the same.
func without(root *tomlfile.Value, key string) *tomlfile.Value {
	var entries []*tomlfile.Entry
	for _, e := range root.Entries {
		if e.Key != "packages" {
			entries = append(entries, e)
			continue
		}
		var rest []*tomlfile.Entry
		for _, p := range e.Value.Entries {
			if p.Key != key {
				rest = append(rest, p)
			}
		}
		if len(rest) > 0 {
			entries = append(entries, with(e, tomlfile.NewTable(e.Value, rest...)))
		}
	}
	return tomlfile.NewTable(root, entries...)
}

// splice is src with src[start:end] replaced.
func splice(src []byte, start, end int, text string) []byte {
	return slices.Concat(src[:start], []byte(text), src[end:])
}
