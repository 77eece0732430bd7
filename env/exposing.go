package env

import (
	"path"
	"slices"

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
		i := slices.IndexFunc(pkgs, func(pkg lock.Package) bool { return pkg.Name == m.Name })
		if !m.ExposeSet || i < 0 {
			continue
		}
		layer, err := store.Layer(layers.ID(pkgs[i].SHA256))
		if err != nil {
			return nil, err
		}
		for _, e := range m.Expose {
			if !hasCommand(layer, e.Name) {
				return nil, exposeError(e, m.Name, layer)
			}
		}
		for _, f := range layer.Files {
			if f.Kind != layers.Directory && slices.Contains(commandDirs, path.Dir(f.Path)) && !slices.Contains(names(m.Expose), path.Base(f.Path)) {
				out = append(out, f.Path)
			}
		}
	}
	return out, nil
}

func hasCommand(layer *layers.Layer, name string) bool {
	return slices.ContainsFunc(layer.Files, func(f layers.File) bool {
		return path.Base(f.Path) == name && slices.Contains(commandDirs, path.Dir(f.Path))
	})
}

func exposeError(e manifest.Item, pkg string, layer *layers.Layer) error {
	var commands []string
	for _, f := range layer.Files {
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
