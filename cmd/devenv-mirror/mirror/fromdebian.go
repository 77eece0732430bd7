package mirror

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"devenv/cmd/devenv-mirror/debian"
	"devenv/cmd/devenv-mirror/table"
)

// Options of FromDebian.
type Options struct {
	Dir   string
	Table *table.Table
	Names []string // with what they need; none: everything
	Days  int      // the last so many
	Jobs  int
	Level int // of zstd's compression, 1 to 22; 0: what is fastest
	Log   func(format string, args ...any)
}

// FromDebian makes or freshens the mirror in o.Dir.
func FromDebian(ctx context.Context, o Options) error {
	if err := CheckTools(o.Level); err != nil {
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

	if err := sweep(dir); err != nil {
		return err
	}
	plan, err := makePlan(ctx, dir, o)
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
	b := &builder{dir: dir, plan: plan, keys: keys, state: st, level: o.Level, log: o.Log}
	if err := b.make(ctx, o.Jobs); err != nil {
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

// sweep removes what a run that was killed left half-made.
func sweep(dir string) error {
	for _, pattern := range []string{".debs/.part-*", "archive/packages/?/*/.part-*", ".new"} {
		left, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, name := range left {
			if err := os.RemoveAll(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func makePlan(ctx context.Context, dir string, o Options) (*table.Plan, error) {
	avail, err := debian.Ask(ctx, filepath.Join(dir, ".debs"))
	if err != nil {
		return nil, err
	}
	whole, err := o.Table.Make(avail)
	if err != nil {
		return nil, err
	}
	return whole.Restrict(o.Names, o.Days)
}

// make builds every package that is not there as it should be.
func (b *builder) make(ctx context.Context, jobs int) error {
	if err := b.readControls(ctx, jobs); err != nil {
		return err
	}
	stale := b.stale()
	if len(stale) == 0 {
		b.log("%d packages are there already", len(b.plan.Builds))
		return nil
	}
	var debs []*debian.Package
	for _, build := range stale {
		debs = append(debs, build.Debs...)
	}
	if err := b.fetch(ctx, debs); err != nil {
		return err
	}
	start := time.Now()
	if err := b.all(ctx, stale, jobs); err != nil {
		return errors.Join(err, b.state.write(b.dir)) // what was made need not be made again
	}
	b.log("%d of %d packages made in %.1f s", len(stale), len(b.plan.Builds), time.Since(start).Seconds())
	return b.state.write(b.dir)
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
