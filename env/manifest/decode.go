package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"devenv/env/manifest/tomlfile"
)

// decoder reads meaning into a tree. It goes on after a fault, so that a person
// sees all of them at once.
type decoder struct {
	m     *Manifest
	files *reader
	home  string // for ~/ in paths
	errs  Errors
}

func (d *decoder) add(e *Error) { d.errs = append(d.errs, e) }

func (d *decoder) fault(v *tomlfile.Value, hint, format string, args ...any) {
	d.add(v.Faultf(hint, format, args...))
}

// setters are what to do with each key that a table may have.
type setters map[string]func(*tomlfile.Entry)

// table reads a table; hint is what to say of a key that is none of it and
// resembles none.
func (d *decoder) table(e *tomlfile.Entry, s setters) {
	if e.Value.Kind != tomlfile.Table {
		d.wrongKind(e.Key, e.Value, tomlfile.Table)
		return
	}
	d.entries(e.Value, s, "")
}

func (d *decoder) entries(t *tomlfile.Value, s setters, hint string) {
	for _, e := range t.Entries {
		if set := s[e.Key]; set != nil {
			set(e)
			continue
		}
		known := slices.Sorted(maps.Keys(s))
		say := ""
		if ours := elsewhere[e.Key]; s[ours] != nil {
			say = "did you mean `" + ours + "`?"
		} else {
			say = didYouMean(e.Key, known)
		}
		if say == "" {
			say = hint
		}
		if say == "" {
			say = "known here: " + strings.Join(known, ", ")
		}
		d.add(e.Faultf(say, "unknown key %q", e.Key))
	}
}

// elsewhere are words of other tools for keys of devenv.toml.
var elsewhere = map[string]string{
	"cmd": "command", "depends-on": "depends", "depends_on": "depends", "dir": "cwd",
	"dependencies": "packages", "buildInputs": "packages", "shellHook": "on-enter",
	"environment": "env", "variables": "env", "includes": "include", "platforms": "arch",
}

// each reads a table whose keys are names that a person chose.
func (d *decoder) each(e *tomlfile.Entry, set func(*tomlfile.Entry)) {
	if e.Value.Kind != tomlfile.Table {
		d.wrongKind(e.Key, e.Value, tomlfile.Table)
		return
	}
	for _, child := range e.Value.Entries {
		set(child)
	}
}

func (d *decoder) wrongKind(key string, v *tomlfile.Value, want tomlfile.Kind) {
	hint := ""
	switch {
	case want == tomlfile.String && v.Kind != tomlfile.Table && v.Kind != tomlfile.Array:
		hint = fmt.Sprintf("write %q", v.Text)
	case want == tomlfile.Array && v.Kind == tomlfile.String:
		hint = fmt.Sprintf("write [%q]", v.Text)
	case want == tomlfile.Table:
		hint = `a table is written { key = "value" }, or below a [header]`
	case want == tomlfile.Bool:
		hint = "write true or false"
	}
	d.fault(v, hint, "%s must be %s, not %s", key, want, v.Kind)
}

// text reads a string.
func (d *decoder) text(e *tomlfile.Entry) (string, bool) {
	return d.word(e.Key, e.Value)
}

func (d *decoder) word(key string, v *tomlfile.Value) (string, bool) {
	if v.Kind != tomlfile.String {
		d.wrongKind(key, v, tomlfile.String)
		return "", false
	}
	if strings.ContainsRune(v.Text, 0) {
		d.fault(v, "", "%s holds a NUL character", key)
		return "", false
	}
	return v.Text, true
}

// checked reads a string that has a form.
func (d *decoder) checked(e *tomlfile.Entry, ok check) (string, bool) {
	s, isText := d.text(e)
	if !isText {
		return "", false
	}
	if msg, hint := ok(s); msg != "" {
		d.fault(e.Value, hint, "%s", msg)
		return "", false
	}
	return s, true
}

// oneOf reads a string that is one of a few words.
func (d *decoder) oneOf(e *tomlfile.Entry, words ...string) (string, bool) {
	return d.checked(e, func(s string) (string, string) {
		if slices.Contains(words, s) {
			return "", ""
		}
		hint := didYouMean(s, words)
		if hint == "" {
			hint = "write one of " + strings.Join(words, ", ")
		}
		return fmt.Sprintf("%s cannot be %q", e.Key, s), hint
	})
}

func (d *decoder) boolean(e *tomlfile.Entry) bool {
	if e.Value.Kind != tomlfile.Bool {
		d.wrongKind(e.Key, e.Value, tomlfile.Bool)
		return false
	}
	return e.Value.Text == "true"
}

// words reads an array of strings, each of which stands there once. It is not
// nil, however empty, unless the value is no array.
func (d *decoder) words(e *tomlfile.Entry, ok check) []Item {
	if e.Value.Kind != tomlfile.Array {
		d.wrongKind(e.Key, e.Value, tomlfile.Array)
		return nil
	}
	items := []Item{}
	for _, v := range e.Value.Items {
		s, isText := d.word("an item of "+e.Key, v)
		if !isText {
			continue
		}
		if msg, hint := ok(s); msg != "" {
			d.fault(v, hint, "%s", msg)
			continue
		}
		if slices.ContainsFunc(items, func(i Item) bool { return i.Name == s }) {
			d.fault(v, "keep one of the two", "%q stands in %s twice", s, e.Key)
			continue
		}
		items = append(items, Item{s, v.Pos()})
	}
	return items
}

// vars reads a table of variables.
func (d *decoder) vars(e *tomlfile.Entry) []Var {
	vars := []Var{}
	d.each(e, func(e *tomlfile.Entry) {
		if !validVarName(e.Key) {
			d.add(e.Faultf("a variable has letters, digits and _, and no digit at the beginning", "%q is no name of a variable", e.Key))
			return
		}
		value, isText := d.text(e)
		if !isText {
			return
		}
		if col, msg := varFault(value); msg != "" {
			d.add(e.Value.Doc.Fault(e.Value.PosIn(col), msg, "write ${NAME}, or $$ for a dollar sign"))
			return
		}
		vars = append(vars, Var{e.Key, value, e.Pos()})
	})
	sorted, cycle := sortVars(vars)
	if cycle != nil {
		d.add(e.Value.Get(cycle[0]).Faultf("let one of them refer to no other", "variables refer to each other in a circle: %s", chain(cycle)))
		return vars
	}
	return sorted
}

// day reads a day; ok says whether it is one.
func (d *decoder) day(e *tomlfile.Entry) (day string, ok bool) {
	text := e.Value.Text
	switch e.Value.Kind {
	case tomlfile.String, tomlfile.Date: // TOML's own way to write a day means the same
	case tomlfile.Table, tomlfile.Array, tomlfile.Bool:
		d.wrongKind(e.Key, e.Value, tomlfile.String)
		return "", false
	}
	day, err := ParseDay(text)
	if err != nil {
		err := err.(*DayError)
		d.fault(e.Value, err.Hint, "%q is no day of the archive", err.Text)
		return "", false
	}
	return day, true
}
