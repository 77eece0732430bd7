package manifest

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mattn/go-shellwords"

	"devenv/env/manifest/tomlfile"
)

// top lists the keys that stand above the first header.
var top = []string{"snapshot", "arch", "base", "include"}

// everywhere reads the tables that both a file and its [host.*] sections have.
func (d *decoder) everywhere() setters {
	m := d.m
	return setters{
		"packages": d.packages,
		"env":      func(e *tomlfile.Entry) { m.Env = d.vars(e) },
		"shell":    d.shell,
		"tasks":    func(e *tomlfile.Entry) { d.each(e, d.task) },
		"home":     d.homeTable,
		"locale": func(e *tomlfile.Entry) {
			d.table(e, setters{"generate": func(e *tomlfile.Entry) { m.Locale.Generate = d.words(e, checkLocale) }})
		},
		"options": func(e *tomlfile.Entry) {
			d.table(e, setters{
				"no-extract": func(e *tomlfile.Entry) { m.Options.NoExtract = d.words(e, checkNoExtract) },
				"host-ca":    func(e *tomlfile.Entry) { m.Options.HostCA = d.boolean(e) },
			})
		},
		"cache": func(e *tomlfile.Entry) {
			d.table(e, setters{
				"remote": d.remote,
				"push":   func(e *tomlfile.Entry) { m.Cache.Push = d.boolean(e) },
			})
		},
	}
}

// root reads a whole tree. include and host are not the decoder's to read.
func (d *decoder) root(root *tomlfile.Value) {
	s := d.everywhere()
	s["snapshot"] = func(e *tomlfile.Entry) {
		if day, ok := d.day(e); ok {
			d.m.Snapshot, d.m.SnapshotPos = day, e.Value.Pos()
		}
	}
	s["arch"] = func(e *tomlfile.Entry) {
		if arch, ok := d.checked(e, checkArch); ok {
			d.m.Arch, d.m.ArchPos = arch, e.Value.Pos()
		}
	}
	s["base"] = func(e *tomlfile.Entry) {
		d.m.Base = d.words(e, checkPackage)
		slices.SortFunc(d.m.Base, func(a, b Item) int { return cmp.Compare(a.Name, b.Name) })
	}
	s["mirrors"] = d.mirrors
	s["include"] = func(*tomlfile.Entry) {}
	s["host"] = func(*tomlfile.Entry) {}
	d.entries(root, s, "")
	slices.SortFunc(d.m.Tasks, func(a, b Task) int { return cmp.Compare(a.Name, b.Name) })
}

// hostSection reads what is different on some machines.
func (d *decoder) hostSection(e *tomlfile.Entry) {
	d.checkHost(e)
	if e.Value.Kind != tomlfile.Table {
		d.wrongKind(e.Key, e.Value, tomlfile.Table)
		return
	}
	s := d.everywhere()
	for _, key := range append([]string{"mirrors", "host"}, top...) {
		s[key] = func(e *tomlfile.Entry) {
			hint := "it decides for every machine: write it above the first [header]"
			if key == "mirrors" {
				hint = "one machine's mirrors are named in its config.toml"
			}
			d.add(e.Faultf(hint, "%s cannot differ by host", e.Key))
		}
	}
	d.entries(e.Value, s, `a host name with dots stands in quotes: [host."name.example"]`)
}

func (d *decoder) shell(e *tomlfile.Entry) {
	shell := &d.m.Shell
	d.table(e, setters{
		"command":  d.shellCommand,
		"on-enter": func(e *tomlfile.Entry) { shell.OnEnter, shell.EnterPos = d.script(e) },
		"aliases": func(e *tomlfile.Entry) {
			shell.Aliases = []Var{}
			d.each(e, d.alias)
			slices.SortFunc(shell.Aliases, func(a, b Var) int { return cmp.Compare(a.Name, b.Name) })
		},
	})
}

// script reads a command line for a shell.
func (d *decoder) script(e *tomlfile.Entry) (string, Pos) {
	s, _ := d.text(e)
	return s, e.Value.Pos()
}

func (d *decoder) shellCommand(e *tomlfile.Entry) {
	s, ok := d.text(e)
	if !ok {
		return
	}
	p := shellwords.NewParser()
	words, err := p.Parse(s)
	switch {
	case err != nil:
		d.fault(e.Value, "close the quotes", "%q cannot be taken apart into words", s)
	case p.Position >= 0:
		d.fault(e.Value, "name a shell and its options; what it does on entry is on-enter's matter", "%q is more than one command", s)
	case len(words) == 0:
		d.fault(e.Value, `write, for example, "zsh"`, "a shell is missing")
	default:
		d.m.Shell.Command, d.m.Shell.Pos = words, e.Value.Pos()
	}
}

func (d *decoder) alias(e *tomlfile.Entry) {
	if msg, hint := checkAlias(e.Key); msg != "" {
		d.add(e.Faultf(hint, "%s", msg))
		return
	}
	if s, ok := d.text(e); ok {
		d.m.Shell.Aliases = append(d.m.Shell.Aliases, Var{e.Key, s, e.Pos()})
	}
}

func (d *decoder) task(e *tomlfile.Entry) {
	if msg, hint := checkTask(e.Key); msg != "" {
		d.add(e.Faultf(hint, "%s", msg))
		return
	}
	if e.Value.Kind != tomlfile.Table {
		d.fault(e.Value, `write, for example, "make -j"`, "task %s must be a command or a table, not %s", e.Key, e.Value.Kind)
		return
	}
	task := Task{Name: e.Key, Pos: e.Pos(), Dir: d.m.Dir}
	idle, faults := true, len(d.errs)
	d.table(e, setters{
		"command": func(e *tomlfile.Entry) {
			task.Command, _ = d.text(e)
			idle = idle && e.Value.Kind == tomlfile.String && strings.TrimSpace(e.Value.Text) == ""
		},
		"depends": func(e *tomlfile.Entry) {
			task.Depends = d.words(e, checkTask)
			idle = idle && e.Value.Kind == tomlfile.Array && len(e.Value.Items) == 0
		},
		"cwd": func(e *tomlfile.Entry) {
			if s, ok := d.text(e); ok {
				task.Dir = d.path(d.m.Dir, s)
			}
		},
		"env": func(e *tomlfile.Entry) { task.Env = d.vars(e) },
	})
	if idle && len(d.errs) == faults { // else a key that was meant otherwise is to blame
		d.add(e.Faultf("give it a command, or tasks that it depends on", "task %s does nothing", e.Key))
	}
	d.m.Tasks = append(d.m.Tasks, task)
}

func (d *decoder) homeTable(e *tomlfile.Entry) {
	home := &d.m.Home
	d.table(e, setters{
		"mode": func(e *tomlfile.Entry) {
			if mode, ok := d.oneOf(e, HomeHost, HomeEphemeral, HomeEmpty); ok {
				home.Mode, home.ModePos = mode, e.Value.Pos()
			}
		},
		"keep": func(e *tomlfile.Entry) { home.Keep = d.words(e, checkKeep) },
	})
}

// path is a path as a file means it: ~/ is home, and a relative one begins at
// base.
func (d *decoder) path(base, p string) string {
	if rest, ok := strings.CutPrefix(p, "~/"); ok && d.home != "" {
		return filepath.Join(d.home, rest)
	}
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(base, p)
}
