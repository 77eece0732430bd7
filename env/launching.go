package env

import (
	"os"
	"path/filepath"

	"devenv/cache"
	"devenv/env/lock"
	"devenv/env/native"
	"devenv/layers"
)

// launching is what launchers are made for.
type launching struct {
	asked map[string][]string // by package, the commands to be on PATH; nil for all of its
	enter []string            // see native.Spec.Enter
	all   bool                // every one of the packages must run natively
}

// launchers makes the launchers of a built environment, or finds them, and
// gives their id.
func (p *Project) launchers(b *Built, l *lock.Lock, what launching) (id string, err error) {
	host := native.LookHost(p.opt.Getenv)
	id = native.ID(filepath.Base(b.Tree), b.over, p.Cache.Path(cache.Launchers), what.asked, host, what.enter)
	if err := b.keep(p.Cache, cache.Launchers, id); err != nil {
		return "", err
	}
	final := p.Cache.Launcher(id)
	if _, err := os.Stat(final); err == nil {
		return id, nil
	}
	spec := native.Spec{Tree: b.root, Home: final, Host: host, Enter: what.enter}
	for _, over := range b.over {
		spec.Over = append(spec.Over, p.Cache.Path(cache.Setups, over, "fs"))
	}
	if spec.Packages, err = p.nativePackages(l, what); err != nil {
		return "", err
	}
	tmp, release, err := p.Cache.Temp("launchers")
	if err != nil {
		return "", err
	}
	defer release()
	made := filepath.Join(tmp, "made")
	if err := os.Mkdir(made, 0o755); err != nil {
		return "", err
	}
	if err := spec.Write(made); err != nil {
		return "", cache.Explain(err, final, 0)
	}
	_, err = p.Cache.Publish(made, final)
	return id, err
}

// nativePackages gathers what the layers' records say.
func (p *Project) nativePackages(l *lock.Lock, what launching) ([]native.Package, error) {
	store, err := layers.Open(p.Cache)
	if err != nil {
		return nil, err
	}
	var out []native.Package
	for _, pkg := range l.Whole(p.Host) {
		layer, err := store.Layer(layers.ID(pkg.SHA256))
		if err != nil {
			return nil, err
		}
		n := native.Package{Record: layer.Record}
		n.Expose, n.Asked = what.asked[pkg.Name]
		if n.Asked && what.all {
			if err := native.Check(n); err != nil {
				return nil, err
			}
		}
		out = append(out, n)
	}
	for _, pkg := range l.Compat(p.Host) {
		layer, err := store.Layer(layers.ID(pkg.SHA256))
		if err != nil {
			return nil, err
		}
		out = append(out, native.Package{Record: layer.Record, Old: true})
	}
	return out, nil
}
