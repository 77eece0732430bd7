package env

import (
	"path"
	"slices"
	"strings"

	"devenv/env/lock"
	"devenv/env/manifest"
	"devenv/layers"
)

// commandDirs are where a package's commands lie.
var commandDirs = []string{"usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "usr/bin/core_perl", "usr/bin/site_perl", "usr/bin/vendor_perl"}

// hidden lists the commands that [packages.X] expose leaves out, relative to
// the root. Other packages find them no more either: that is what one asked for.
func (p *Project) hidden(store *layers.Store, pkgs []lock.Package) ([]string, error) {
	var out []string
	for _, m := range p.Packages {
		if !m.ExposeSet {
			continue
		}
		var files []layers.File // of all that the key means: several packages for a group
		for _, pkg := range pkgs {
			if !meets(&lock.Lock{Packages: pkgs}, pkg, m.Name) {
				continue
			}
			layer, err := store.Layer(layers.ID(pkg.SHA256))
			if err != nil {
				return nil, err
			}
			files = append(files, layer.Files...)
		}
		if len(files) == 0 {
			continue
		}
		for _, e := range m.Expose {
			if !hasCommand(files, e.Name) {
				return nil, exposeError(e, m.Name, files)
			}
		}
		seen := exposed(files, names(m.Expose))
		for _, f := range files {
			if isCommand(f) && !seen[f.Path] {
				out = append(out, f.Path)
			}
		}
	}
	return out, nil
}

func isCommand(f layers.File) bool {
	return f.Kind != layers.Directory && slices.Contains(commandDirs, path.Dir(f.Path))
}

// exposed are the paths of the commands named, and of those that they are
// symbolic links to: python is nothing without python3.13.
func exposed(files []layers.File, names []string) map[string]bool {
	byPath := map[string]layers.File{}
	seen := map[string]bool{}
	for _, f := range files {
		byPath[f.Path] = f
	}
	for _, f := range files {
		if !isCommand(f) || !slices.Contains(names, path.Base(f.Path)) {
			continue
		}
		for ok := true; ok && !seen[f.Path]; {
			seen[f.Path] = true
			if f.Kind != layers.Symlink {
				break
			}
			target := f.Link
			if !path.IsAbs(target) {
				target = path.Join(path.Dir(f.Path), target)
			}
			f, ok = byPath[strings.TrimPrefix(path.Clean(target), "/")]
		}
	}
	return seen
}

func hasCommand(files []layers.File, name string) bool {
	return slices.ContainsFunc(files, func(f layers.File) bool {
		return path.Base(f.Path) == name && slices.Contains(commandDirs, path.Dir(f.Path))
	})
}

func exposeError(e manifest.Item, pkg string, files []layers.File) error {
	var commands []string
	for _, f := range files {
		if slices.Contains(commandDirs, path.Dir(f.Path)) {
			commands = append(commands, path.Base(f.Path))
		}
	}
	err := &manifest.Error{Pos: e.Pos, Msg: pkg + " has no command \"" + e.Name + "\""}
	if s := manifest.Suggest(e.Name, commands); s != "" {
		err.Hint = "did you mean \"" + s + "\"?"
	}
	return err
}
