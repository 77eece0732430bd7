package layers

import (
	"context"
	"path/filepath"

	"devenv/cache"
)

// GC removes the layers that are not used, and says which; it is what
// [cache.GCOptions] asks for in Layers. Trees share the files of layers, so
// size, which remembers what it has seen, is asked before they go.
func (s *Store) GC(ctx context.Context, used map[string]bool, dryRun bool, size func(path string) int64) ([]cache.Removed, error) {
	unlock, err := s.cache.Lock(ctx, layersLock)
	if err != nil {
		return nil, err
	}
	defer unlock()
	ids, err := s.List()
	if err != nil {
		return nil, err
	}
	var removed []cache.Removed
	for _, id := range ids {
		if used[id] {
			continue
		}
		r := cache.Removed{Kind: cache.Store, Name: id, Size: size(filepath.Dir(s.dir(id))) + size(s.recordPath(id)) + size(s.fresh(bootID(), id))}
		if !dryRun {
			if err := s.delete(ctx, id); err != nil {
				return removed, err
			}
		}
		removed = append(removed, r)
	}
	if dryRun {
		return removed, nil
	}
	return removed, s.tidy(ctx)
}
