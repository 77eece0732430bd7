package env

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"devenv/cache"
	"devenv/env/lock"
	"devenv/env/native"
	"devenv/layers"
)

// launching is what launchers are made for.
type launching struct {
	asked map[string][]string // by package, the commands to be on PATH; nil for all of its
	enter []string            // see native.Spec.Enter
	more  func(dir, home string) error
}

// launchers makes the launchers of a built environment, or finds them, and
// gives their id.
func (p *Project) launchers(b *Built, l *lock.Lock, what launching) (id string, err error) {
	host := native.LookHost()
	id = native.ID(filepath.Base(b.Tree), p.Cache.Path(cache.Launchers), what.asked, host, what.enter)
	if err := b.keep(p.Cache, cache.Launchers, id); err != nil {
		return "", err
	}
	final := p.Cache.Launcher(id)
	if _, err := os.Stat(final); err == nil {
		return id, nil
	}
	spec := native.Spec{Tree: b.root, Home: final, Host: host, Enter: what.enter}
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
	if what.more != nil {
		if err := what.more(made, final); err != nil {
			return "", err
		}
	}
	_, err = p.Cache.Publish(made, final)
	return id, err
}

// nativePackages gathers what the layers' records say. Without another way to
// run it, a package whose programs cannot run natively is refused.
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
		if n.Asked && len(what.enter) == 0 {
			if err := native.Check(n); err != nil {
				return nil, err
			}
		}
		out = append(out, n)
	}
	return out, nil
}

// Outside is what makes a project's tools usable without entering it: the
// variables to set, and in PATH the directories that go before the user's own.
// Commands that cannot run on the host as it is run through self, which is
// devenv's own path.
func (p *Project) Outside(ctx context.Context, l *lock.Lock, self string) (map[string]string, error) {
	if err := native.CheckExec(p.Cache.Dir()); err != nil {
		return nil, err
	}
	b, err := p.build(ctx, l, false)
	if err != nil {
		return nil, err
	}
	defer b.Release()
	asked := map[string][]string{}
	for _, pkg := range l.Whole(p.Host) {
		for _, m := range p.Packages {
			if !meets(l, pkg, m.Name) {
				continue
			}
			asked[pkg.Name] = nil
			if m.ExposeSet {
				asked[pkg.Name] = names(m.Expose)
			}
		}
	}
	if len(asked) == 0 {
		return nil, fmt.Errorf("%s: no package to put on PATH\nhint: name some in [packages]", p.Path)
	}
	id, err := p.launchers(b, l, launching{asked: asked, enter: []string{self, "run", "--"}})
	if err != nil {
		return nil, err
	}
	b.path = []string{filepath.Join(p.Cache.Launcher(id), native.Bin)}
	vars := p.variables(b)
	if vars["PATH"] == "" {
		vars["PATH"] = b.path[0]
	}
	uses := b.uses
	uses.Launchers = []string{id}
	return vars, p.Cache.RecordUse("outside "+p.Path, uses)
}

// meets reports whether a locked package is what a key of [packages] asks for:
// by its name, or as a member of a group or the provider of a virtual name, which
// is then no locked package of its own.
func meets(l *lock.Lock, pkg lock.Package, key string) bool {
	if pkg.Name == key {
		return true
	}
	return slices.Contains(pkg.By, key) && !slices.ContainsFunc(l.Packages, func(o lock.Package) bool { return o.Name == key })
}
