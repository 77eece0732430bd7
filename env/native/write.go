package native

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"devenv/layers/elf"
)

// Write fills dir, which is empty, with the launchers of s. They work once dir
// is at s.Home.
func (s Spec) Write(dir string) error {
	v, err := s.view()
	if err != nil {
		return fmt.Errorf("making launchers: %w", err)
	}
	w := &writer{view: v, dir: dir, made: map[string]bool{}}
	if err := w.write(); err != nil {
		return fmt.Errorf("making launchers: %w", err)
	}
	return nil
}

type writer struct {
	*view
	dir  string
	made map[string]bool // paths that stand in dir
}

func (w *writer) write() error {
	if err := errors.Join(w.certificates(), w.fontSettings()); err != nil {
		return err
	}
	programs := w.programs()
	dirs := map[string]bool{".": true}
	for _, d := range binDirs {
		if real, ok := w.real(d); ok && w.isDir(real) {
			dirs[real] = true
		}
	}
	for p := range programs {
		dirs[path.Dir(p)] = true
	}
	if err := w.merged(dirs); err != nil {
		return err
	}
	for d := range maps.Clone(dirs) {
		for ; d != "."; d = path.Dir(d) {
			dirs[d] = true
		}
	}
	for _, d := range slices.Sorted(maps.Keys(dirs)) {
		if err := w.directory(d, dirs, programs); err != nil {
			return err
		}
	}
	// Programs that were moved look for their settings below their prefix.
	if dirs["usr"] && !w.isDir("usr/etc") && w.isDir("etc") {
		if err := w.symlink(filepath.Join("..", "etc"), "usr/etc"); err != nil {
			return err
		}
	}
	return w.commands()
}

// merged adds the directories that are made of several: what lies over the tree
// shares them with it, or with one another.
func (w *writer) merged(dirs map[string]bool) error {
	for i, over := range w.Over {
		err := filepath.WalkDir(over, func(at string, e fs.DirEntry, err error) error {
			if err != nil || !e.IsDir() || at == over {
				return err
			}
			p, _ := filepath.Rel(over, at)
			for _, below := range w.dirs[i+1:] {
				if fi, err := os.Lstat(filepath.Join(below, p)); err == nil && fi.IsDir() {
					dirs[p] = true
					return nil
				}
			}
			return fs.SkipDir
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) isDir(p string) bool {
	real, ok := w.real(p)
	if !ok || real != p {
		return false
	}
	fi, err := os.Lstat(w.file(p))
	return err == nil && fi.IsDir()
}

// programs are all that get a launcher: what lies where commands do, and what
// programs may start of their own below usr/lib. There a script that has a dot
// in its name is rather a module that others read.
func (w *writer) programs() map[string]*elf.Object {
	out := map[string]*elf.Object{}
	for p, o := range w.objects {
		base := path.Base(p)
		switch {
		case !executable(w.modes[p]) || strings.HasPrefix(p, "usr/lib/debug/"):
		case w.isCommand(p):
			out[p] = o
		case !strings.HasPrefix(p, "usr/lib") && !strings.HasPrefix(p, "opt/"):
		case o.IsScript() && !strings.Contains(base, "."), !o.IsScript() && o.Interpreter != "" && !strings.Contains(base, ".so"):
			out[p] = o
		}
	}
	return out
}

func executable(mode uint16) bool { return mode&0o111 != 0 }

func (w *writer) isCommand(p string) bool {
	return slices.ContainsFunc(binDirs, func(d string) bool {
		real, ok := w.real(d)
		return ok && real == path.Dir(p)
	})
}

// directory makes one directory of the tree anew: with launchers in the places
// of programs, and links for all else that is no such directory itself.
func (w *writer) directory(dir string, dirs map[string]bool, programs map[string]*elf.Object) error {
	entries, err := w.tree.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // of a package that was told not to extract it
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(w.dir, root, dir), 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		p := path.Join(dir, e.Name())
		switch o := programs[p]; {
		case dirs[p]:
		case e.Type()&fs.ModeSymlink != 0:
			err = w.link(p)
		case o != nil:
			err = w.program(p, o)
		default:
			err = w.symlink(w.file(p), p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) symlink(target, p string) error {
	w.made[p] = true
	return os.Symlink(target, filepath.Join(w.dir, root, p))
}

// link makes a link of the tree lead to the same place here. A command that is
// a link to a script elsewhere becomes a launcher.
func (w *writer) link(p string) error {
	if w.isCommand(p) {
		if o := w.object(p); o != nil && o.IsScript() && !w.isCommand(o.Path) && strings.HasPrefix(o.Path, "usr/share/") {
			return w.program(p, o)
		}
	}
	target, err := os.Readlink(w.file(p))
	if err != nil {
		return err
	}
	if path.IsAbs(target) {
		target = w.inHome(target)
	}
	return w.symlink(target, p)
}

// program puts the launcher of an object at p.
func (w *writer) program(p string, o *elf.Object) error {
	if o.IsScript() {
		return w.script(p, o)
	}
	l, err := w.launch(p, o)
	if err != nil {
		return err
	}
	if l == nil {
		return w.symlink(w.file(o.Path), p)
	}
	w.made[p] = true
	return os.WriteFile(filepath.Join(w.dir, root, p), l.encode(), 0o755)
}

// launch is how a program of the tree is started; nil if it can be executed as
// it is.
func (w *writer) launch(p string, o *elf.Object) (*launch, error) {
	needs := w.needs(p, o)
	file := w.file(o.Path)
	argv0 := callersName
	if needs.place {
		argv0 = w.inHome(p)
	}
	var l *launch
	switch {
	case o.Interpreter == "":
		if len(needs.args)+len(needs.changes) == 0 {
			return nil, nil
		}
		l = &launch{file: file, args: []string{argv0}}
	default:
		loader, err := w.loader(o.Interpreter)
		if err != nil || loader == nil {
			return nil, err // it is the host's, or it could not be started anyway
		}
		l = loader.launch(file, argv0, w.path)
	}
	l.args = append(l.args, needs.args...)
	l.changes = needs.changes
	return l, nil
}

// script puts a script at p: as it is, if the host's interpreter runs it, else
// a copy that names the tree's. So what a script finds out about its own place
// is this one, where launchers lie beside it.
func (w *writer) script(p string, o *elf.Object) error {
	file := w.file(o.Path)
	words := w.interpreter(o)
	if words == nil {
		return w.symlink(file, p)
	}
	w.made[p] = true
	at := filepath.Join(w.dir, root, p)
	// One argument is all that execve(2) passes on, and 127 bytes all that
	// Linux reads before 5.1.
	first := "#!" + strings.Join(words, " ") + "\n"
	if len(words) > 2 || len(first) > 127 || strings.ContainsAny(words[0], " \t") {
		l := &launch{file: words[0], args: append(words, file)}
		return os.WriteFile(at, l.encode(), 0o755)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	_, rest, _ := bytes.Cut(text, []byte("\n"))
	return os.WriteFile(at, append([]byte(first), rest...), 0o755)
}

// interpreter is the command that runs a script, if it is the tree's.
func (w *writer) interpreter(o *elf.Object) []string {
	if path.Base(o.Interpreter) == "env" {
		return w.envProgram(o.Argument)
	}
	if w.object(o.Interpreter) == nil {
		return nil
	}
	words := []string{w.inHome(o.Interpreter)}
	if o.Argument != "" {
		words = append(words, o.Argument)
	}
	return words
}

// envProgram is the command that env(1) with that argument would execute, if it
// is the tree's; nil otherwise, and where env has more to do than that.
func (w *writer) envProgram(argument string) []string {
	words := []string{argument}
	if rest, split := strings.CutPrefix(argument, "-S"); split {
		words = strings.Fields(rest)
	}
	if len(words) == 0 || strings.ContainsAny(argument, `=\'"$`) || strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "/") {
		return nil
	}
	for _, d := range binDirs {
		if p := path.Join(d, words[0]); w.object(p) != nil {
			words[0] = w.inHome("/" + p)
			return words
		}
	}
	return nil
}

// inHome is where a path of the tree, or its launcher, is to be found.
func (v *view) inHome(p string) string { return filepath.Join(v.Home, root, p) }

// commands makes Bin: what the packages that were asked for have.
func (w *writer) commands() error {
	if err := os.MkdirAll(filepath.Join(w.dir, Bin), 0o755); err != nil {
		return err
	}
	have := map[string]bool{}
	for _, d := range binDirs {
		real, ok := w.real(d)
		if !ok {
			continue
		}
		for _, p := range w.Packages {
			if !p.Asked {
				continue
			}
			for _, f := range p.Files {
				name := path.Base(f.Path)
				if here := w.place(f.Path); path.Dir(here) != real || have[name] || !w.made[here] || p.Expose != nil && !slices.Contains(p.Expose, name) {
					continue
				}
				have[name] = true
				if err := w.command(p, real, name); err != nil {
					return err
				}
			}
		}
	}
	if len(have) == 0 {
		return errors.New("none of the packages has a command")
	}
	return nil
}

// command puts one command on PATH: a link to its launcher, or a file that says
// or does what is to be done where the package cannot run natively.
func (w *writer) command(p Package, dir, name string) error {
	at := filepath.Join(w.dir, Bin, name)
	cannot := Check(p)
	switch {
	case cannot == nil:
		return os.Symlink(filepath.Join("..", root, dir, name), at)
	case len(w.Enter) > 0:
		l := &launch{file: w.Enter[0], args: append(slices.Clone(w.Enter), name)}
		return os.WriteFile(at, l.encode(), 0o755)
	default:
		says := fmt.Sprintf("devenv: %s: %v\nhint: `devenv run -- %s` runs it in the project's environment\n", name, cannot, name)
		return os.WriteFile(at, []byte("#!/bin/sh\nprintf %s "+quote(says)+" >&2\nexit 126\n"), 0o755)
	}
}
