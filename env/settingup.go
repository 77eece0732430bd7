package env

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devenv/cache"
	"devenv/env/lock"
	"devenv/env/native"
	"devenv/env/sandbox"
	"devenv/layers"
	"devenv/layers/setup"
)

// setUp runs what installing the packages would have run, and lays what came
// of it over the tree. Every package has been verified before. A host that
// refuses namespaces has no set-up: it can enter no environment either, and
// single programs run without one.
func (p *Project) setUp(ctx context.Context, b *Built, store *layers.Store, tree *layers.Tree, pkgs []lock.Package) error {
	spec, err := p.setupSpec(tree, pkgs)
	if err != nil {
		return err
	}
	if locales, from := p.localeSpec(tree, pkgs); locales != nil {
		if err := p.runSetup(ctx, b, store, locales, from); err != nil {
			return err
		}
	}
	spec.Over = b.over
	return p.runSetup(ctx, b, store, spec, pkgs)
}

// runSetup lays one set-up layer over what there is, and makes it where it is
// not there.
func (p *Project) runSetup(ctx context.Context, b *Built, store *layers.Store, spec *setup.Spec, pkgs []lock.Package) error {
	if err := b.keep(p.Cache, cache.Setups, spec.ID()); err != nil {
		return err
	}
	result, ok := setup.Find(p.Cache, spec)
	if !ok {
		var err error
		if spec.Packages, err = setupPackages(store, pkgs); err != nil {
			return err
		}
		spec.Publish = func(made, id string) error {
			_, err := store.PublishLater(cache.Setups, made, id)
			return err
		}
		p.opt.Report(Event{Step: SetUp, Text: "setting the packages up"})
		result, err = setup.Run(ctx, p.Cache, spec)
		p.opt.Report(Event{Step: SetUp, End: true})
		var refused *setup.RefusedError
		var abort *setup.AbortError
		switch {
		case errors.As(err, &refused) && p.outside, errors.As(err, &abort) && p.single:
			p.opt.Report(Event{Step: Detail, Text: err.Error()}) // nothing is to be entered
			return nil
		case errors.As(err, &refused):
			p.note("%v", err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	b.setup = append([]string{result.FS}, b.setup...)
	b.over = append([]string{result.ID}, b.over...)
	b.lower = append([]string{result.Rel}, b.lower...)
	b.checks = append(b.checks, sandbox.Stat(result.FS))
	b.uses.Setups = append(b.uses.Setups, result.ID)
	return nil
}

// localeSpec is the layer of the locales, nil if there are none to make, and the
// packages that it is made from. It stays the same for as long as the C library
// does, and is shared by all that can make it: where localedef cannot read its
// charmaps nothing comes of it.
func (p *Project) localeSpec(tree *layers.Tree, pkgs []lock.Package) (*setup.Spec, []lock.Package) {
	locales := p.locales(tree.FS)
	if len(locales) == 0 {
		return nil, nil
	}
	spec := &setup.Spec{TreeID: tree.ID, Tree: tree.FS, Locale: locales, LocalesOnly: true, Report: p.reportSetup}
	for _, pkg := range pkgs {
		if pkg.Name == "glibc" && hasAll(tree.FS, charmapReaders) {
			spec.TreeID = layers.ID(pkg.SHA256)
			return spec, []lock.Package{pkg}
		}
	}
	return spec, pkgs
}

// charmapReaders are what localedef reads its charmaps by, beside itself.
var charmapReaders = []string{"usr/bin/sh", "usr/bin/gzip"}

// hasAll reports whether a directory has all of these files.
func hasAll(root string, files []string) bool {
	return !slices.ContainsFunc(files, func(name string) bool {
		info, err := os.Stat(filepath.Join(root, name))
		return err != nil || !info.Mode().IsRegular()
	})
}

func (p *Project) setupSpec(tree *layers.Tree, pkgs []lock.Package) (*setup.Spec, error) {
	spec := &setup.Spec{TreeID: tree.ID, Tree: tree.FS, Depended: p.depended(pkgs), Report: p.reportSetup}
	for _, pkg := range p.Packages {
		for _, f := range pkg.Files {
			spec.Files = append(spec.Files, setup.File{Target: f.Target, Data: f.Data, Mode: f.Mode})
		}
	}
	slices.SortFunc(spec.Files, func(a, b setup.File) int { return strings.Compare(a.Target, b.Target) })
	if p.Options.HostCA {
		var err error
		if spec.HostCA, err = hostCA(p.opt.Getenv); err != nil {
			return nil, err
		}
	}
	return spec, nil
}

func setupPackages(store *layers.Store, pkgs []lock.Package) ([]setup.Package, error) {
	var out []setup.Package
	for _, pkg := range pkgs {
		layer, err := store.Layer(layers.ID(pkg.SHA256))
		if err != nil {
			return nil, err
		}
		s := setup.Package{Info: layer.Info}
		if install, ok := layer.Scriptlet(); ok {
			s.Scriptlet = install
		}
		for _, f := range layer.Owned() {
			path := f.Path
			if f.Kind == layers.Directory {
				path += "/"
			}
			s.Paths = append(s.Paths, path)
		}
		out = append(out, s)
	}
	return out, nil
}

// reportSetup says what set-up says.
func (p *Project) reportSetup(e setup.Event) {
	switch {
	case e.Failed != nil:
		step := Warning
		if p.single {
			step = Detail // without a shell of their own most of it fails
		}
		p.opt.Report(Event{Step: step, Text: e.Failed.String()})
	case e.Skipped != "":
		p.opt.Report(Event{Step: Detail, Text: e.Skipped})
	default:
		p.opt.Report(Event{Step: SetUp, Done: int64(e.Done), Total: int64(e.Total), Text: e.Step})
	}
}

// depended are the packages that nobody has asked for, by name, sorted: neither
// by their own name nor by that of a group or of something they provide.
func (p *Project) depended(pkgs []lock.Package) []string {
	asked := map[string]bool{}
	for _, item := range p.Base {
		asked[item.Name] = true
	}
	for _, pkg := range p.Packages {
		asked[pkg.Name] = true
	}
	locked := map[string]bool{}
	for _, pkg := range pkgs {
		locked[pkg.Name] = true
	}
	var out []string
	for _, pkg := range pkgs {
		explicit := slices.ContainsFunc(pkg.By, func(by string) bool { return asked[by] && (by == pkg.Name || !locked[by]) })
		if !explicit {
			out = append(out, pkg.Name)
		}
	}
	slices.Sort(out)
	return out
}

// locales are those of devenv.toml, else the user's own where the environment
// can make it.
func (p *Project) locales(root string) []string {
	if list := names(p.Locale.Generate); len(list) > 0 {
		slices.Sort(list)
		return slices.Compact(list)
	}
	needs := []string{"usr/bin/localedef"}
	if p.single {
		if native.LookHost(p.opt.Getenv).Lacks == "" {
			return nil
		}
		needs = append(needs, charmapReaders...) // single tools have no base set
	}
	for _, v := range localeVariables {
		name := p.opt.Getenv(v)
		if name == "" {
			continue
		}
		source, ok := setup.LocaleSource(name)
		if !ok {
			return nil
		}
		if !hasAll(root, append(needs, source)) {
			return nil
		}
		return []string{name}
	}
	return nil
}

// localeVariables say the user's locale, the first that is set.
var localeVariables = []string{"LC_ALL", "LC_CTYPE", "LANG"}

// caBundles are where distributions keep the certificates that they trust.
var caBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// hostCA reads the certificates that the host trusts.
func hostCA(getenv func(string) string) ([]byte, error) {
	places := caBundles
	if own := getenv("SSL_CERT_FILE"); own != "" {
		places = []string{own}
	}
	for _, place := range places {
		text, err := os.ReadFile(place)
		if err == nil {
			return text, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("reading the certificates that the host trusts: %w", err)
		}
	}
	return nil, fmt.Errorf("the host has no list of trusted certificates in any of %s\nhint: set SSL_CERT_FILE to it, or take the option out of devenv.toml", strings.Join(places, ", "))
}

// file is where a path of the environment lies on disk: in a set-up layer, else
// in the tree.
func (b *Built) file(path string) string {
	for _, d := range b.setup {
		at := filepath.Join(d, path)
		if _, err := os.Lstat(at); err == nil {
			return at
		}
	}
	return filepath.Join(b.root, path)
}
