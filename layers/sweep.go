package layers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"devenv/cache"
)

// sweep throws away what was being unpacked by processes that are no more. As
// long as any process holds the layers something may be under way, and sweeping
// is left to a later one.
func (s *Store) sweep() error {
	left, err := os.ReadDir(s.staging())
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(left) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	unlock, ok := s.tryLock()
	if !ok {
		return nil
	}
	// Moved away under the lock, removed without it: removing takes long.
	trash, release, err := s.cache.Temp("staging")
	if err == nil {
		err = os.Rename(s.staging(), filepath.Join(trash, "staging"))
	}
	unlock()
	if err != nil {
		return err
	}
	release()
	return nil
}

func (s *Store) staging() string { return s.cache.Path(cache.Store, "overlay", "staging") }

// tryLock takes the layers for this caller alone if nobody holds them.
func (s *Store) tryLock() (unlock func(), ok bool) {
	now, cancel := context.WithCancel(context.Background())
	cancel() // try once, wait never
	unlock, err := s.cache.Lock(now, layersLock)
	return unlock, err == nil
}

// Delete removes layers. Trees that were made of them stay whole. Layers that
// are not there are no error.
func (s *Store) Delete(ctx context.Context, ids ...string) error {
	unlock, err := s.cache.Lock(ctx, layersLock)
	if err != nil {
		return err
	}
	defer unlock()
	return s.delete(ctx, ids...)
}

func (s *Store) delete(ctx context.Context, ids ...string) error {
	err := onStoreThread(func() error {
		for _, id := range ids {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			// The record first: without it the layer is no longer there for anybody.
			for _, record := range []string{s.recordPath(id), s.fresh(bootID(), id)} {
				if err := os.Remove(record); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
			if err := s.driver.remove(id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete layers: %w", s.failed(err))
	}
	return nil
}

// Sweep removes all that no layer needs: what was left half made, files of
// layers that the list does not have, records without a layer. It waits for
// those who hold layers.
func (s *Store) Sweep(ctx context.Context) error {
	unlock, err := s.cache.Lock(ctx, layersLock)
	if err != nil {
		return err
	}
	defer unlock()
	return s.tidy(ctx)
}

func (s *Store) tidy(ctx context.Context) error {
	if err := cache.RemoveAll(s.staging()); err != nil {
		return s.failed(err)
	}
	if err := onStoreThread(s.driver.collect); err != nil {
		return s.failed(err)
	}
	return s.sweepRecords(ctx)
}

func (s *Store) sweepRecords(ctx context.Context) error {
	for _, dir := range []string{s.recordPath(""), s.fresh(bootID())} {
		records, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.failed(err)
		}
		for _, entry := range records {
			if isDirNote(entry.Name()) {
				continue
			}
			if err := context.Cause(ctx); err != nil {
				return err
			}
			ok, err := s.stored(entry.Name())
			if err != nil {
				return err
			}
			if !ok {
				if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil {
					return s.failed(err)
				}
			}
		}
	}
	return nil
}
