package env

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"devenv/env/lock"
	"devenv/layers"
	"devenv/layers/oci"
)

// Export writes a built environment as an OCI image layout.
func (p *Project) Export(ctx context.Context, b *Built, l *lock.Lock, dir, tag string) error {
	store, err := layers.Open(p.Cache)
	if err != nil {
		return err
	}
	img := oci.Image{Tag: tag, Arch: l.Arch, Cmd: []string{"/bin/sh"}}
	vars := p.variables(b)
	vars["PATH"] = strings.Join(b.path, ":")
	for name, value := range vars {
		img.Env = append(img.Env, name+"="+value)
	}
	slices.Sort(img.Env)
	for _, pkg := range l.ForHost(p.Host) {
		layer, err := store.Layer(layers.ID(pkg.SHA256))
		if err != nil {
			return err
		}
		if built := time.Unix(layer.Info.BuildDate, 0).UTC(); built.After(img.Created) {
			img.Created = built // the same lock gives the same image
		}
		img.Layers = append(img.Layers, oci.Layer{Dir: layer.Dir, Files: layer.Files, Comment: pkg.Name + " " + pkg.Version})
	}
	for _, d := range slices.Backward(b.lower[:len(b.lower)-1]) { // all but the tree, which the packages' layers are
		img.Layers = append(img.Layers, oci.Layer{Dir: path.Join(p.Cache.Dir(), d), Comment: "set-up"})
	}
	return oci.Export(ctx, dir, img)
}
