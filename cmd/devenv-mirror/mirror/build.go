package mirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"devenv/cmd/devenv-mirror/archpkg"
	"devenv/cmd/devenv-mirror/convert"
	"devenv/cmd/devenv-mirror/debian"
	"devenv/cmd/devenv-mirror/table"
)

// rules counts the changes of the converter that make other packages of the
// same input.
const rules = 3

// builder makes package files.
type builder struct {
	dir   string
	plan  *table.Plan
	keys  *keyring
	state *state
	level int // see Options
	log   func(format string, args ...any)
	mu    sync.Mutex
	done  int
}

// path is where a package file is kept.
func (b *builder) path(name, file string) string {
	return filepath.Join(b.dir, "archive", "packages", name[:1], name, file)
}

// readControls reads what the .debs say beside their files, of those that no
// earlier run has seen.
func (b *builder) readControls(ctx context.Context, jobs int) error {
	var unknown []*debian.Package
	for _, build := range b.plan.Builds {
		for _, deb := range build.Debs {
			if b.state.Controls[deb.SHA256] == nil {
				b.state.Controls[deb.SHA256] = &debian.Control{}
				unknown = append(unknown, deb)
			}
		}
	}
	if err := b.fetch(ctx, unknown); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(jobs)
	for _, deb := range unknown {
		g.Go(func() error {
			c, err := debian.ReadControl(ctx, b.deb(deb))
			if err != nil {
				return err
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.state.Controls[deb.SHA256] = c
			return nil
		})
	}
	return g.Wait()
}

// fetch brings .debs that are not there.
func (b *builder) fetch(ctx context.Context, debs []*debian.Package) error {
	start := time.Now()
	n, err := debian.Download(ctx, filepath.Join(b.dir, ".debs"), debs)
	if n > 0 {
		b.log("%d Debian packages fetched in %.1f s", n, time.Since(start).Seconds())
	}
	return err
}

// sonames lists the libraries of what a build depends on, as far as the table
// wants them to be dependencies of their own.
func (b *builder) sonames(build *table.Build) []string {
	var list []string
	for _, partner := range build.Partners {
		if !givesSonames(partner.Entry) {
			continue
		}
		for _, deb := range partner.Debs {
			if c := b.state.Controls[deb.SHA256]; c != nil {
				list = append(list, c.Sonames...)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (b *builder) deb(p *debian.Package) string { return filepath.Join(b.dir, ".debs", p.Filename()) }

// key is a hash of all that decides what a package file holds.
func (b *builder) key(build *table.Build) string {
	h := sha256.New()
	e := json.NewEncoder(h)
	var debs []string
	for _, d := range build.Debs {
		debs = append(debs, d.SHA256)
	}
	e.Encode([]any{rules, build.Name, build.Version, build.Arch, build.Entry, debs, build.Depends, build.Optional, build.FirstDay, build.Installed, b.sonames(build), b.keys.packager, b.level})
	if root := b.root(build.Name); root != nil {
		fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				data, _ := fs.ReadFile(root, p)
				e.Encode([]any{p, data})
			}
			return err
		})
	}
	h.Write(table.Install(build.Name))
	return hex.EncodeToString(h.Sum(nil))
}

func (b *builder) root(name string) fs.FS {
	if name == "archlinux-keyring" {
		return b.keys.files()
	}
	return table.Root(name)
}

// stale lists the builds whose files are not there or were made otherwise.
func (b *builder) stale() []*table.Build {
	var list []*table.Build
	for _, build := range b.plan.Builds {
		old, ok := b.state.Packages[build.Filename()]
		file := b.path(build.Name, build.Filename())
		info, err := os.Stat(file)
		_, sigErr := os.Stat(file + ".sig")
		if !ok || err != nil || sigErr != nil || info.Size() != old.Size || old.Key != b.key(build) {
			list = append(list, build)
		}
	}
	return list
}

// all makes the builds, the largest first so that none is waited for alone.
func (b *builder) all(ctx context.Context, builds []*table.Build, jobs int) error {
	size := func(x *table.Build) (n int64) {
		for _, d := range x.Debs {
			n += d.Size
		}
		return n
	}
	slices.SortStableFunc(builds, func(x, y *table.Build) int { return int(size(y) - size(x)) })
	var g errgroup.Group
	g.SetLimit(jobs)
	var failed []error
	for _, build := range builds {
		g.Go(func() error {
			m, err := b.one(ctx, build)
			b.mu.Lock()
			defer b.mu.Unlock()
			if err != nil {
				if ctx.Err() == nil {
					failed = append(failed, fmt.Errorf("package %s: %w", build.Name, err))
				}
				return nil // go on: all that is wrong with the table is worth knowing at once
			}
			b.state.Packages[build.Filename()] = m
			b.done++
			if b.done%100 == 0 {
				b.log("converted %d of %d packages", b.done, len(builds))
			}
			return nil
		})
	}
	g.Wait()
	return errors.Join(append(failed, ctx.Err())...)
}

// one makes, signs and puts in place one package file.
func (b *builder) one(ctx context.Context, build *table.Build) (made, error) {
	day, err := time.Parse(time.DateOnly, build.FirstDay)
	if err != nil {
		return made{}, err
	}
	latest := day.Add(-24 * time.Hour).Unix()
	debs := make([]string, len(build.Debs))
	for i, d := range build.Debs {
		debs[i] = b.deb(d)
	}
	tree, err := convert.Package(ctx, convert.Input{
		Name: build.Name, Debs: debs, Triplet: b.plan.Triplet, Entry: build.Entry, Root: b.root(build.Name), Latest: latest,
	})
	if err != nil {
		return made{}, err
	}
	meta := b.meta(build, tree)
	if meta.BuildDate = tree.Newest(); meta.BuildDate == 0 {
		meta.BuildDate = latest
	}
	file := b.path(build.Name, build.Filename())
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return made{}, err
	}
	part := filepath.Join(filepath.Dir(file), ".part-"+filepath.Base(file))
	defer os.Remove(part)
	defer os.Remove(part + ".sig")
	sum, size, err := write(part, b.compressor(ctx), meta, tree, table.Install(build.Name))
	if err != nil {
		return made{}, err
	}
	if err := b.keys.sign(ctx, part, meta.BuildDate+600); err != nil {
		return made{}, err
	}
	for _, end := range []string{".sig", ""} {
		if err := os.Rename(part+end, file+end); err != nil {
			return made{}, err
		}
	}
	return made{Key: b.key(build), SHA256: sum, Size: size}, nil
}

func (b *builder) compressor(ctx context.Context) archpkg.Compressor {
	if b.level == 0 {
		return archpkg.Fast
	}
	return archpkg.Level(ctx, b.level)
}

func write(name string, compress archpkg.Compressor, m *archpkg.Meta, tree convert.Tree, install []byte) (sum string, size int64, err error) {
	f, err := os.Create(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	if err := archpkg.Write(io.MultiWriter(f, h), compress, m, tree, install); err != nil {
		return "", 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), info.Size(), f.Close()
}
