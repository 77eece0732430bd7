package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"devenv/env/manifest/tomlfile"
)

func (d *decoder) packages(e *tomlfile.Entry) {
	d.m.Packages = []Package{}
	d.each(e, d.pkg)
	slices.SortFunc(d.m.Packages, func(a, b Package) int { return cmp.Compare(a.Name, b.Name) })
}

func (d *decoder) pkg(e *tomlfile.Entry) {
	if e.Value.Kind != tomlfile.Table {
		hint := `write "*" for any version`
		if k := e.Value.Kind; k == tomlfile.Integer || k == tomlfile.Float {
			hint = fmt.Sprintf("write %q", e.Value.Text)
		}
		d.fault(e.Value, hint, "%s must be a version in quotes or a table, not %s", e.Key, e.Value.Kind)
		return
	}
	if msg, hint := checkPackage(e.Key); msg != "" {
		d.add(e.Faultf(hint, "%s", msg))
		return
	}
	p := Package{Name: e.Key, Pos: e.Pos()}
	d.table(e, setters{
		"version": func(v *tomlfile.Entry) { p.Pin, p.PinPos = d.pin(v, e.Key) },
		"snapshot": func(e *tomlfile.Entry) {
			if day, ok := d.day(e); ok {
				p.Snapshot, p.SnapPos = cmp.Or(day, Latest), e.Value.Pos()
			}
		},
		"repo": func(e *tomlfile.Entry) {
			if repo, ok := d.checked(e, checkRepo); ok {
				p.Repo, p.RepoPos = repo, e.Value.Pos()
			}
		},
		"with": func(e *tomlfile.Entry) { p.With = d.words(e, checkPackage) },
		"expose": func(e *tomlfile.Entry) {
			p.Expose = d.words(e, checkCommand)
			p.ExposeSet = true
		},
		"env":       func(e *tomlfile.Entry) { p.Env = d.vars(e) },
		"files":     func(e *tomlfile.Entry) { d.each(e, func(e *tomlfile.Entry) { d.file(&p, e) }) },
		"on-enter":  func(e *tomlfile.Entry) { p.OnEnter, p.EnterPos = d.script(e) },
		"overwrite": func(e *tomlfile.Entry) { p.Overwrite = d.words(e, checkGlob) },
	})
	slices.SortFunc(p.Files, func(a, b File) int { return cmp.Compare(a.Target, b.Target) })
	d.m.Packages = append(d.m.Packages, p)
}

func (d *decoder) pin(e *tomlfile.Entry, name string) (Pin, Pos) {
	s, ok := d.text(e)
	if !ok {
		return Pin{}, Pos{}
	}
	pin, err := ParsePin(s)
	if err != nil {
		err := err.(*PinError)
		hint := err.Hint
		if slices.Contains(top, name) {
			hint = fmt.Sprintf("%s is meant? then write it above the first [header]", name)
		}
		d.add(e.Value.Doc.Fault(e.Value.PosIn(err.Col), fmt.Sprintf("version of %s: %s", name, err.Msg), hint))
	}
	return pin, e.Value.Pos()
}

// file reads one configured file: { text = "…" } or { source = "…" }, with a
// mode.
func (d *decoder) file(p *Package, e *tomlfile.Entry) {
	if msg, hint := checkTarget(e.Key); msg != "" {
		d.add(e.Faultf(hint, "%s", msg))
		return
	}
	if e.Value.Kind != tomlfile.Table {
		d.fault(e.Value, `write a text, or { source = "FILE" }`, "%s must be a text or a table, not %s", e.Key, e.Value.Kind)
		return
	}
	f := File{Target: e.Key, Pos: e.Pos(), Mode: 0o644}
	var text, source *tomlfile.Entry
	mode, hasMode := fs.FileMode(0), false
	d.table(e, setters{
		"text":   func(e *tomlfile.Entry) { text = e },
		"source": func(e *tomlfile.Entry) { source = e },
		"mode":   func(e *tomlfile.Entry) { mode, hasMode = d.mode(e) },
	})
	switch {
	case text != nil && source != nil:
		d.add(source.Faultf("keep one of the two", "%s has both a text and a source", e.Key))
	case text != nil:
		s, _ := d.text(text)
		f.Data = []byte(s)
	case source != nil:
		d.source(&f, source)
	default:
		d.add(e.Faultf(`write a text, or { source = "FILE" }`, "%s has no content", e.Key))
	}
	if hasMode {
		f.Mode = mode
	}
	p.Files = append(p.Files, f)
}

// mode reads permission bits as chmod(1) takes them.
func (d *decoder) mode(e *tomlfile.Entry) (fs.FileMode, bool) {
	if e.Value.Kind == tomlfile.Integer {
		d.fault(e.Value, `write, for example, "0644" or "0755"`, "mode must be a string, not an integer")
		return 0, false
	}
	s, ok := d.checked(e, func(s string) (string, string) {
		bits, err := strconv.ParseUint(s, 8, 32)
		switch {
		case err != nil || len(s) < 3 || len(s) > 4:
			return fmt.Sprintf("mode %q is no file mode", s), `write, for example, "0644" or "0755"`
		case bits > 0o777:
			return fmt.Sprintf("mode %q asks for more than permissions", s), `setuid, setgid and sticky are not for configured files; write, for example, "0755"`
		}
		return "", ""
	})
	bits, _ := strconv.ParseUint(s, 8, 32)
	return fs.FileMode(bits), ok
}

// source reads the file that a configured file is a copy of. Of its mode, only
// whether it can be run travels with a project.
func (d *decoder) source(f *File, e *tomlfile.Entry) {
	name, ok := d.text(e)
	if !ok {
		return
	}
	if name == "" {
		d.fault(e.Value, "name a file beside "+filepath.Base(e.Doc.Path), "the source of %s is missing", f.Target)
		return
	}
	f.Source = d.path(filepath.Dir(e.Doc.Path), name)
	data, mode, err := d.files.read(f.Source)
	if err != nil {
		fault := e.Value.Faultf("", "the source of %s cannot be read: %s", f.Target, reason(err, true))
		fault.Err = err
		if isAbsent(err) {
			fault.Hint = "the path is relative to " + filepath.Base(e.Doc.Path)
		}
		d.add(fault)
		return
	}
	f.Data = data
	if mode&0o100 != 0 {
		f.Mode = 0o755
	}
}

// reason is why a file could not be read, with or without its path.
func reason(err error, withPath bool) string {
	var pe *fs.PathError
	if !errors.As(err, &pe) {
		return err.Error()
	}
	if withPath {
		return pe.Path + ": " + pe.Err.Error()
	}
	return pe.Err.Error()
}
