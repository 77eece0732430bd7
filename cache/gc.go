package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// gcLock is held shared by whoever makes or looks for things and has not yet
// recorded their use, and exclusively by gc.
const gcLock = "gc"

// Use keeps gc from starting. Take it before looking for what a project needs, and
// give it back after [Cache.RecordUse]: in between nothing says that it is needed.
func (c *Cache) Use(ctx context.Context) (release func(), err error) {
	return c.RLock(ctx, gcLock)
}

// GCOptions say what gc may remove.
type GCOptions struct {
	DryRun bool // only say what would go

	// AdHocAge is how long what no directory asked for ("shell gdb") is kept
	// after its last use. Default 30 days.
	AdHocAge time.Duration

	// Layers removes the store's layers whose id is not in used, and says what
	// went. It measures with size before it removes. Nil leaves the store alone.
	Layers func(ctx context.Context, used map[string]bool, dryRun bool, size func(path string) int64) ([]Removed, error)
}

// Removed is one thing that gc removed, or would.
type Removed struct {
	Kind Kind
	Name string
	Size int64 // bytes that this freed
}

// Report is what gc did.
type Report struct {
	Removed []Removed
	Busy    []Removed // unused by any project, but held by a running process
	Gone    []string  // projects whose directory is no more: their records went
	Freed   int64     // bytes
}

const (
	adHocAge = 30 * 24 * time.Hour
	// archiveAge is how long small answers of archives are kept without use.
	archiveAge = 90 * 24 * time.Hour
)

// GC removes what no project on this machine uses any more. It waits for
// builds to end and keeps new ones waiting. What a running environment holds ([Cache.Hold])
// stays. It may be cut short at any moment: what it has moved away, Sweep removes.
func (c *Cache) GC(ctx context.Context, opt GCOptions) (Report, error) {
	if opt.AdHocAge <= 0 {
		opt.AdHocAge = adHocAge
	}
	unlock, err := c.Lock(ctx, gcLock)
	if err != nil {
		return Report{}, err
	}
	defer unlock()
	g := &gc{c: c, ctx: ctx, opt: opt}
	if err := g.run(); err != nil {
		return g.report, fmt.Errorf("cache gc: %w", err)
	}
	return g.report, nil
}

type gc struct {
	c      *Cache
	ctx    context.Context
	opt    GCOptions
	used   map[Kind]map[string]bool
	meter  Meter
	report Report
}

func (g *gc) run() error {
	if !g.opt.DryRun {
		freed, err := g.c.Sweep()
		if err != nil {
			return err
		}
		g.report.Freed += freed
	}
	if err := g.mark(); err != nil {
		return err
	}
	steps := []func() error{
		func() error { return g.directories(Trees) },
		func() error { return g.directories(Setups) },
		func() error { return g.directories(Hosts) },
		func() error { return g.files(Plans) },
		func() error { return g.directories(Launchers) },
		func() error { return g.files(Locals) },
		func() error { return g.files(Stamps) },
		g.layers,
		func() error { return g.files(Packages) },
		func() error { return g.databases(Sync, 0) },
		func() error { return g.databases(Archive, archiveAge) },
		g.locks,
	}
	for _, step := range steps {
		if err := errors.Join(g.ctx.Err(), step()); err != nil {
			return err
		}
	}
	return nil
}

// mark gathers what the living projects use.
func (g *gc) mark() error {
	uses, err := g.c.Uses()
	if err != nil {
		return err
	}
	g.used = make(map[Kind]map[string]bool)
	for _, use := range uses {
		if g.dead(use) {
			g.report.Gone = append(g.report.Gone, use.Project)
			if !g.opt.DryRun {
				if err := g.c.ForgetUse(use.Project); err != nil {
					return err
				}
			}
			continue
		}
		for kind, names := range map[Kind][]string{
			Packages: use.Uses.Packages, Store: use.Uses.Layers, Trees: use.Uses.Trees, Setups: use.Uses.Setups,
			Hosts: use.Uses.Hosts, Plans: use.Uses.Plans, Launchers: use.Uses.Launchers, Locals: use.Uses.Locals, Sync: use.Uses.Files, Archive: use.Uses.Files,
		} {
			if g.used[kind] == nil {
				g.used[kind] = make(map[string]bool)
			}
			for _, name := range names {
				g.used[kind][name] = true
			}
		}
	}
	return nil
}

// dead reports whether a project is no more. One whose directory cannot be
// looked at, on a disk that is not there now, say, lives.
func (g *gc) dead(use Use) bool {
	if !filepath.IsAbs(use.Project) {
		return time.Since(use.Time) > g.opt.AdHocAge
	}
	_, err := os.Lstat(use.Project)
	return errors.Is(err, fs.ErrNotExist)
}

// directories removes the unused of a kind that running environments may hold.
func (g *gc) directories(kind Kind) error {
	return g.each(kind, func(name string) error {
		if g.used[kind][name] {
			return nil
		}
		path := g.c.Path(kind, name)
		lock, ok, err := tryAcquire(g.c.HoldPath(kind, name), Exclusive)
		if err != nil {
			return err
		}
		if !ok {
			g.report.Busy = append(g.report.Busy, Removed{Kind: kind, Name: name})
			return nil
		}
		defer lock.Close()
		if err := g.remove(kind, name, path); err != nil || g.opt.DryRun {
			return err
		}
		return os.Remove(lock.Name())
	})
}

// files removes the unused of a kind whose entries are files. A signature or an
// unfinished download goes with its package.
func (g *gc) files(kind Kind) error {
	return g.each(kind, func(name string) error {
		if g.used[kind][stem(name)] {
			return nil
		}
		return g.remove(kind, name, g.c.Path(kind, name))
	})
}

// stem is the name of the file that a file beside it belongs to.
func stem(name string) string {
	for _, suffix := range []string{".part.json", ".part", ".sig", ".meta", ".idx"} {
		if rest, ok := strings.CutSuffix(name, suffix); ok {
			return rest
		}
	}
	return name
}

// databases removes the unused files anywhere below a kind that are older than
// age, and the directories that are empty then. Databases of single days are
// removed at any age: they are many, and large.
func (g *gc) databases(kind Kind, age time.Duration) error {
	var dirs []string
	err := filepath.WalkDir(g.c.Path(kind), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := g.c.Rel(path)
		if entry.IsDir() {
			if path != g.c.Path(kind) {
				dirs = append(dirs, path)
			}
			return nil
		}
		if g.used[kind][stem(rel)] || g.used[kind][rel] {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if time.Since(info.ModTime()) < age && !isDay(rel) {
			return nil
		}
		name, _ := strings.CutPrefix(rel, string(kind)+"/")
		return g.remove(kind, name, path)
	})
	if err != nil || g.opt.DryRun {
		return err
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		os.Remove(dirs[i]) // fails where something is left, as it should
	}
	return nil
}

// isDay reports whether a path is archive/KEY/repos/…: a single day's database.
func isDay(rel string) bool {
	parts := strings.SplitN(rel, "/", 4)
	return len(parts) == 4 && parts[2] == "repos"
}

func (g *gc) layers() error {
	if g.opt.Layers == nil {
		return nil
	}
	used := g.used[Store]
	if used == nil {
		used = make(map[string]bool)
	}
	removed, err := g.opt.Layers(g.ctx, used, g.opt.DryRun, g.meter.Add)
	for _, r := range removed {
		g.report.Freed += r.Size
	}
	g.report.Removed = append(g.report.Removed, removed...)
	return err
}

// locks removes lock files that nobody has; who comes later makes them anew.
// What may be held keeps its own for as long as it is there: see HoldPath.
func (g *gc) locks() error {
	if g.opt.DryRun {
		return nil
	}
	return g.each(Locks, func(name string) error {
		if g.guards(name) {
			return nil
		}
		lock, ok, err := tryAcquire(g.c.Path(Locks, name), Exclusive)
		if err != nil || !ok {
			return err
		}
		defer lock.Close()
		return os.Remove(lock.Name())
	})
}

// guards reports whether a lock file is HoldPath's of something that exists.
func (g *gc) guards(name string) bool {
	for _, kind := range []Kind{Trees, Setups, Hosts, Launchers} {
		if id, ok := strings.CutPrefix(name, string(kind)+"-"); ok {
			_, err := os.Lstat(g.c.Path(kind, id))
			return err == nil
		}
	}
	return false
}

func (g *gc) each(kind Kind, f func(name string) error) error {
	entries, err := os.ReadDir(g.c.Path(kind))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := errors.Join(g.ctx.Err(), f(entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (g *gc) remove(kind Kind, name, path string) error {
	size := g.meter.Add(path)
	if !g.opt.DryRun {
		if err := g.c.discard(path); err != nil {
			return err
		}
	}
	g.report.Freed += size
	g.report.Removed = append(g.report.Removed, Removed{Kind: kind, Name: name, Size: size})
	return nil
}
