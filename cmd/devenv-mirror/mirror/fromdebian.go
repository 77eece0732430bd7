package mirror

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"devenv/cmd/devenv-mirror/debian"
	"devenv/cmd/devenv-mirror/table"
)

// Options of FromDebian.
type Options struct {
	Dir   string
	Names []string // with what they need; none: everything
	Days  int      // the last so many
	Jobs  int
	Log   func(format string, args ...any)
}

// FromDebian makes or freshens the mirror in o.Dir.
func FromDebian(ctx context.Context, o Options) error {
	if err := CheckTools(); err != nil {
		return err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, ".debs"), 0o755); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(dir, ".lock"))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return fmt.Errorf("%s is being worked on by another devenv-mirror: wait for it (%v)", dir, err)
	}
	defer lock.Unlock()

	plan, err := makePlan(ctx, o)
	if err != nil {
		return err
	}
	keys, err := openKeyring(ctx, dir)
	if err != nil {
		return err
	}
	defer keys.close()
	st, err := readState(dir)
	if err != nil {
		return err
	}
	b := &builder{dir: dir, plan: plan, keys: keys, state: st, log: o.Log}
	if err := b.make(ctx, o.Jobs); err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	if err := b.publish(ctx); err != nil {
		return err
	}
	if err := st.write(dir); err != nil {
		return err
	}
	return finishMirror(dir, keys)
}

func makePlan(ctx context.Context, o Options) (*table.Plan, error) {
	t, err := table.Load()
	if err != nil {
		return nil, err
	}
	avail, err := debian.Ask(ctx)
	if err != nil {
		return nil, err
	}
	whole, err := t.Make(avail)
	if err != nil {
		return nil, err
	}
	return whole.Restrict(o.Names, o.Days)
}

// make builds every package that is not there as it should be.
func (b *builder) make(ctx context.Context, jobs int) error {
	stale := b.stale()
	if len(stale) == 0 {
		b.log("%d packages are there already", len(b.plan.Builds))
		return nil
	}
	var debs []*debian.Package
	for _, build := range b.plan.Builds {
		debs = append(debs, build.Debs...)
	}
	slices.SortFunc(debs, func(x, y *debian.Package) int { return strings.Compare(x.Name, y.Name) })
	debs = slices.Compact(debs)
	start := time.Now()
	n, err := debian.Download(ctx, filepath.Join(b.dir, ".debs"), debs)
	if err != nil {
		return err
	}
	b.log("%d of %d Debian packages fetched in %.1f s", n, len(debs), time.Since(start).Seconds())
	start = time.Now()
	if err := b.readControls(ctx, b.plan.Builds, jobs); err != nil {
		return err
	}
	if err := b.all(ctx, stale, jobs); err != nil {
		return err
	}
	b.log("%d of %d packages made in %.1f s", len(stale), len(b.plan.Builds), time.Since(start).Seconds())
	return b.state.write(b.dir)
}

// check makes sure that each day is complete: everything that a package
// depends on, sonames included, is there on every day that has the package.
func (b *builder) check() error {
	for _, day := range b.plan.Days {
		given := map[string]bool{}
		for _, builds := range day.Repos {
			for _, build := range builds {
				given[build.Name] = true
				for _, p := range b.state.Packages[build.Filename()].Provides {
					given[p] = true
					name, _, _ := strings.Cut(p, "=")
					given[name] = true
				}
			}
		}
		for _, builds := range day.Repos {
			for _, build := range builds {
				for _, d := range b.state.Packages[build.Filename()].Depends {
					name := strings.FieldsFunc(d, func(r rune) bool { return strings.ContainsRune("<>=", r) })[0]
					if !given[d] && (strings.HasSuffix(name, ".so") || !given[name]) {
						return fmt.Errorf("%s: %s needs %s, which no package of that day has: mend packages.toml", day.Date, build.Filename(), d)
					}
				}
			}
		}
	}
	return nil
}

func finishMirror(dir string, keys *keyring) error {
	if err := writeIndex(dir); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, "keyring.gpg"), keys.public, 0o644); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "keyring-trusted"), keys.trusted(), 0o644)
}
