package env

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"devenv/cache"
	"devenv/env/lock"
	"devenv/env/manifest"
	"devenv/env/sandbox"
	"devenv/layers"
)

// Built is an environment that is ready to be entered. It must be released.
type Built struct {
	Tree     string // directory of the flattened tree
	Packages int
	Misses   []Miss // needs of files that nothing meets, and that stop nothing

	lower  []string // the tree and what lies on it, topmost first, relative to the cache
	path   []string // PATH inside
	checks []sandbox.Check
	uses   cache.Uses
	store  *layers.Store
	root   string
	over   []string // ids of what lies over the tree, topmost first
	setup  []string // directories of set-up layers, topmost first
	hidden []string // commands that cannot be seen, relative to the root
	hold   []string // see sandbox.Spec.Hold
	free   []func()
}

// Release lets gc have what the environment is made of, once it is recorded
// that the project uses it, or is given up.
func (b *Built) Release() {
	for _, f := range b.free {
		f()
	}
	b.free = nil
}

// keep holds something of the cache until Release, and in every entry.
func (b *Built) keep(c *cache.Cache, kind cache.Kind, id string) error {
	release, err := c.Hold(kind, id)
	if err != nil {
		return err
	}
	b.free = append(b.free, release)
	b.hold = append(b.hold, c.HoldPath(kind, id))
	return nil
}

// exists reports whether the environment has a path.
func (b *Built) exists(path string) bool {
	_, err := os.Lstat(b.file(path))
	return err == nil
}

// downloads is how many packages come at once at most. More do not come faster from one
// mirror, and each open connection is one the mirror must keep.
const downloads = 6

// Build makes the environment that a lock describes: what is there already is
// used, the rest is downloaded, checked, unpacked and linked, all at once.
func (p *Project) Build(ctx context.Context, l *lock.Lock) (*Built, error) {
	return p.build(ctx, l, true)
}

// build is Build; without set-up where nothing is to be entered.
func (p *Project) build(ctx context.Context, l *lock.Lock, setUp bool) (_ *Built, err error) {
	b := new(Built)
	defer func() {
		if err != nil {
			b.Release()
		}
	}()
	use, err := p.Cache.Use(ctx)
	if err != nil {
		return nil, err
	}
	b.free = append(b.free, use)
	if _, err := p.Cache.Sweep(); err != nil {
		return nil, err
	}
	pkgs := l.Whole(p.Host)
	if err := p.fits(l, pkgs); err != nil {
		return nil, err
	}
	store, err := layers.Open(p.Cache)
	if err != nil {
		return nil, err
	}
	// Nothing of a build waits for the disk; what is not there yet after a power
	// cut is found out (layers.Store.Settle).
	store.Later, b.store = true, store
	spec := p.treeSpec(pkgs)
	if err := b.keep(p.Cache, cache.Trees, spec.ID()); err != nil {
		return nil, err
	}
	tree, there := store.FindTree(spec)
	if there {
		// Somebody made it; that they verified what is in it, too, is not said.
		missing, err := p.missing(ctx, p.truster(), store, pkgs)
		if err != nil {
			return nil, err
		}
		there = len(missing) == 0
	}
	if !there {
		if tree, err = p.weave(ctx, store, spec, pkgs); err != nil {
			return nil, err
		}
	}
	b.Tree, b.Packages, b.root = tree.Dir, len(pkgs), tree.FS
	rel, ok := p.Cache.Rel(tree.FS)
	if !ok {
		return nil, fmt.Errorf("tree %s lies outside the cache %s", tree.FS, p.Cache.Dir())
	}
	b.lower = []string{rel}
	if b.hidden, err = p.hidden(store, pkgs); err != nil {
		return nil, err
	}
	for _, d := range paths {
		if b.exists(d) || strings.HasPrefix(d, "/usr/local/") || d == "/usr/bin" {
			b.path = append(b.path, d)
		}
	}
	b.checks = []sandbox.Check{sandbox.Stat(p.LockPath()), sandbox.Stat(tree.FS)}
	b.uses = cache.Uses{Trees: []string{tree.ID}, Layers: spec.Layers}
	if p.shared != nil {
		b.checks = append(b.checks, sandbox.Stat(p.shared.LockPath()))
		b.uses.Locals = []string{filepath.Base(p.LockPath())}
	}
	for _, pkg := range pkgs {
		b.uses.Packages = append(b.uses.Packages, filepath.Base(p.Cache.Package(pkg.SHA256, pkg.File)))
	}
	libraries := p.librarian(b, store, tree, l)
	if err := libraries.cure(ctx); err != nil {
		return nil, err
	}
	if setUp {
		if err := p.setUp(ctx, b, store, tree, pkgs); err != nil {
			return nil, err
		}
	}
	if err := libraries.check(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// fits refuses a lock for another machine.
func (p *Project) fits(l *lock.Lock, pkgs []lock.Package) error {
	if machine := manifest.MachineArch(); l.Arch != machine {
		return fmt.Errorf("%s is for %s, and this machine is %s\nhint: take `arch` out of devenv.toml, or build on such a machine", p.LockPath(), l.Arch, machine)
	}
	if len(pkgs) == 0 {
		return fmt.Errorf("%s has no package for this machine\nhint: name some in [packages] of %s", p.LockPath(), p.Path)
	}
	return nil
}

func (p *Project) treeSpec(pkgs []lock.Package) layers.TreeSpec {
	spec := layers.TreeSpec{NoExtract: names(p.Options.NoExtract), Overwrite: map[string][]string{}}
	for _, pkg := range pkgs {
		spec.Layers = append(spec.Layers, layers.ID(pkg.SHA256))
	}
	for _, pkg := range p.Packages {
		if len(pkg.Overwrite) > 0 {
			spec.Overwrite[pkg.Name] = names(pkg.Overwrite)
		}
	}
	return spec
}

// unpackers is how many packages are unpacked at the same time at most. Each has
// several writers, and a decompressor of 33 MiB.
const unpackers = 4

// weave brings the packages that are missing and links all of them into one
// tree, each as soon as it is there.
func (p *Project) weave(ctx context.Context, store *layers.Store, spec layers.TreeSpec, pkgs []lock.Package) (*layers.Tree, error) {
	release, err := store.Hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	t := p.truster()
	missing, err := p.missing(ctx, t, store, pkgs)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		p.opt.Report(Event{Step: Unpack, Total: int64(len(missing)), Text: fmt.Sprintf("getting and unpacking %d of %d packages", len(missing), len(pkgs))})
	}
	sources, wait := p.download(ctx, cancel, t, missing)
	defer wait()
	weave := store.Weave
	if old := p.outgrown(spec); old != "" && len(missing) < len(pkgs)/3 {
		weave = func(ctx context.Context, spec layers.TreeSpec, ready iter.Seq2[*layers.Layer, error]) (*layers.Tree, error) {
			return store.Reweave(ctx, old, spec, ready)
		}
	}
	done := int64(0)
	tree, err := weave(ctx, spec, func(yield func(*layers.Layer, error) bool) {
		for _, pkg := range pkgs {
			if slices.ContainsFunc(missing, func(m lock.Package) bool { return m.SHA256 == pkg.SHA256 }) {
				continue
			}
			layer, err := store.Layer(layers.ID(pkg.SHA256))
			if err == nil {
				err = isMeant(layer, pkgs)
			}
			if !yield(layer, err) {
				return
			}
		}
		for layer, err := range store.AddAll(ctx, sources, min(runtime.NumCPU(), unpackers)) {
			if err == nil {
				err = isMeant(layer, missing)
			}
			if err == nil {
				done++
				p.opt.Report(Event{Step: Unpack, Done: done, Total: int64(len(missing)), End: done == int64(len(missing))})
			}
			if !yield(layer, err) {
				return
			}
		}
	})
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
			err = cause
		}
		return nil, err
	}
	return tree, nil
}

// outgrown is the tree that the project had until now and that nothing else
// uses, "" where there is none: the new tree can be made of it, which leaves
// alone what both have in common. Whoever is inside it holds it, and it stays.
func (p *Project) outgrown(spec layers.TreeSpec) (tree string) {
	uses, err := p.Cache.Uses()
	if err != nil || p.loose {
		return ""
	}
	users := map[string]int{}
	for _, use := range uses {
		for _, id := range use.Uses.Trees {
			users[id]++
			if use.Project == p.Path {
				tree = id
			}
		}
	}
	if users[tree] != 1 || tree == spec.ID() {
		return ""
	}
	return tree
}

// isMeant refuses a package that says of itself that it is another one: a good
// signature does not vouch for the name that a mirror gives to a file.
func isMeant(layer *layers.Layer, pkgs []lock.Package) error {
	for _, pkg := range pkgs {
		if pkg.SHA256 != layer.SHA256 {
			continue
		}
		if info := layer.Info; info.Name != pkg.Name || info.Version != pkg.Version {
			return fmt.Errorf("%s: the package in it is %s %s, not %s %s: the mirror is wrong or hostile\nhint: use another mirror, and `devenv update %s`", pkg.File, info.Name, info.Version, pkg.Name, pkg.Version, pkg.Name)
		}
	}
	return nil
}

// missing are the packages that have no layer yet, or whose file was not
// verified as this project wants it.
func (p *Project) missing(ctx context.Context, t *truster, store *layers.Store, pkgs []lock.Package) ([]lock.Package, error) {
	var out []lock.Package
	for _, pkg := range pkgs {
		if store.Has(layers.ID(pkg.SHA256)) {
			ok, err := t.verified(ctx, pkg)
			if err != nil {
				return nil, err
			}
			if ok {
				continue
			}
		}
		out = append(out, pkg) // without a look for the keyring, which comes beside the packages
	}
	return out, nil
}

// download brings packages, several at once, and gives each as it comes. The
// first failure cancels the context with its cause. wait returns when nothing
// is under way any more.
func (p *Project) download(ctx context.Context, cancel context.CancelCauseFunc, t *truster, pkgs []lock.Package) (sources <-chan layers.Source, wait func()) {
	queue := newDownloads(pkgs)
	ready := make(chan layers.Source, len(pkgs)) // no download waits for what is unpacked before it
	var g sync.WaitGroup
	for i := range queue.atOnce() {
		g.Go(func() {
			for pkg, ok := queue.next(i%2 == 0); ok && ctx.Err() == nil; pkg, ok = queue.next(i%2 == 0) {
				src, err := p.fetch(ctx, t, pkg)
				if err != nil {
					cancel(err)
					return
				}
				ready <- src
			}
		})
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		g.Wait()
		close(ready)
	}()
	return ready, func() { cancel(nil); <-finished }
}

// downloadQueue gives packages from both ends of the order of their sizes. Making
// a layer of a small one takes longer than bringing it, most of which is waiting
// for an answer: small ones are under way all the time, so that none is left for
// the end. The others come as they take to unpack, the longest first.
type downloadQueue struct {
	mu   sync.Mutex
	left []lock.Package // the largest first
}

func newDownloads(pkgs []lock.Package) *downloadQueue {
	return &downloadQueue{left: slices.SortedStableFunc(slices.Values(pkgs), func(a, b lock.Package) int { return cmp.Compare(b.Size, a.Size) })}
}

// atOnce is how many packages are to come at the same time: as many as pay, but
// so few that the largest one, with its share of the line, does not come last.
func (q *downloadQueue) atOnce() int {
	total := int64(0)
	for _, pkg := range q.left {
		total += pkg.Size
	}
	if total == 0 {
		return downloads
	}
	return int(min(max(total/q.left[0].Size, 3), downloads))
}

// small is the size, in bytes, from which on a package takes longer to bring, at
// 50 MB/s, than to unpack.
const small = 256 << 10

// next takes the largest package that is left, or one that is small where there
// is one; none is false.
func (q *downloadQueue) next(largest bool) (pkg lock.Package, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	last := len(q.left) - 1
	switch {
	case last < 0:
		return pkg, false
	case largest || q.left[last].Size >= small:
		pkg, q.left = q.left[0], q.left[1:]
	default:
		pkg, q.left = q.left[last], q.left[:last]
	}
	return pkg, true
}

// fetch brings one package and verifies it.
func (p *Project) fetch(ctx context.Context, t *truster, pkg lock.Package) (layers.Source, error) {
	file := p.file(pkg)
	got, err := p.mirror.Package(ctx, file)
	if err != nil {
		return layers.Source{}, fmt.Errorf("getting %s %s: %w", pkg.Name, pkg.Version, err)
	}
	if err := t.verify(ctx, pkg, file, got.Path); err != nil {
		return layers.Source{}, err
	}
	return layers.Source{Filename: pkg.File, SHA256: pkg.SHA256, Path: got.Path, Checked: got.SHA256 == pkg.SHA256}, nil
}
