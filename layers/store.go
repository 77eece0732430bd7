package layers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"devenv/cache"
)

// Store keeps layers and trees in a cache.
type Store struct {
	// Later says not to wait for the disk: what is made counts at once, but
	// outlasts the power only once it has been settled. See Settle and
	// Unsettled. Set it before the first use.
	Later bool

	cache   *cache.Cache
	driver  driver
	records sync.Map // of readRecord, by path
}

// Layer is one package, unpacked. Its files must not be written to.
type Layer struct {
	ID  string
	Dir string // where its files lie
	*Record
}

// ErrNoLayer says that a layer is not in the store, or not whole: add it.
var ErrNoLayer = errors.New("no such layer")

// Open opens the store in c and makes it where there is none. What processes
// that are no more have left half made is swept away.
func Open(c *cache.Cache) (*Store, error) {
	s := &Store{cache: c}
	if err := os.MkdirAll(s.recordPath(""), 0o700); err != nil {
		return nil, s.failed(err)
	}
	root := s.cache.Path(cache.Store)
	driver, err := openDriver(root)
	if err != nil && s.mend() {
		driver, err = openDriver(root)
	}
	if err != nil {
		return nil, s.failed(err)
	}
	s.driver = driver
	if err := errors.Join(s.recover(context.Background()), s.sweep()); err != nil {
		return nil, s.failed(err)
	}
	s.settleSoon()
	return s, nil
}

// failed gives an error of the store its context and a way out.
func (s *Store) failed(err error) error {
	return fmt.Errorf("layer store %s: %w", s.cache.Path(cache.Store), cache.Explain(err, s.cache.Path(cache.Store), 0))
}

// mend throws away lists that are no JSON: some file systems leave a file cut
// short by a power cut. Their layers are made anew when they are next needed. It says whether
// there was something to throw away.
func (s *Store) mend() (mended bool) {
	unlock, err := s.cache.Lock(context.Background(), layersLock)
	if err != nil {
		return false
	}
	defer unlock()
	for _, pattern := range []string{"overlay-*/*.json", "run/overlay-*/*.json"} {
		lists, _ := filepath.Glob(s.cache.Path(cache.Store, pattern))
		for _, list := range lists {
			data, err := os.ReadFile(list)
			if err == nil && len(data) > 0 && !json.Valid(data) {
				mended = os.Remove(list) == nil || mended
			}
		}
	}
	return mended
}

// Layer is the layer of that id, or an ErrNoLayer.
func (s *Store) Layer(id string) (*Layer, error) {
	record, err := s.record(id)
	if err != nil {
		return nil, err
	}
	ok, err := s.stored(id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("layer %s: %w", id, ErrNoLayer)
	}
	return &Layer{ID: id, Dir: s.dir(id), Record: record}, nil
}

// readRecord is a record as it was read, and the stat of its file then.
type readRecord struct {
	*Record
	stat unix.Stat_t
}

// record finds a layer's record. It may be settled between two looks.
func (s *Store) record(id string) (*Record, error) {
	for _, path := range []string{s.recordPath(id), s.fresh(bootID(), id), s.recordPath(id)} {
		record, err := s.readRecord(path)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return record, err
		}
	}
	return nil, fmt.Errorf("layer %s: %w", id, ErrNoLayer)
}

// readRecord reads a record, or takes it from memory: a build asks several times.
func (s *Store) readRecord(path string) (*Record, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if known, ok := s.records.Load(path); ok && sameFile(known.(readRecord).stat, st) {
		return known.(readRecord).Record, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	record, err := decodeRecord(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNoLayer, path, err)
	}
	s.records.Store(path, readRecord{record, st})
	return record, nil
}

func sameFile(a, b unix.Stat_t) bool {
	return a.Dev == b.Dev && a.Ino == b.Ino && a.Size == b.Size && a.Mtim == b.Mtim && a.Ctim == b.Ctim
}

// stored reports whether the list has the layer and its files are there.
func (s *Store) stored(id string) (bool, error) {
	if ok, err := s.driver.has(id); err != nil {
		return false, s.failed(err)
	} else if !ok {
		return false, nil
	}
	info, err := os.Lstat(s.dir(id))
	return err == nil && info.IsDir(), nil
}

// Has reports whether the layer of that id is there, whole.
func (s *Store) Has(id string) bool {
	_, err := s.Layer(id)
	return err == nil
}

// List are the ids of all layers, in no order.
func (s *Store) List() ([]string, error) {
	ids, err := s.driver.list()
	if err != nil {
		return nil, s.failed(err)
	}
	return ids, nil
}

func (s *Store) dir(id string) string {
	return s.cache.Path(cache.Store, "overlay", id, "diff")
}

func (s *Store) recordPath(id string) string {
	return s.cache.Path(cache.Store, "records", id)
}

// Hold keeps layers from being removed until release: shared by all who make or
// use them, exclusive to those who delete. Whoever adds layers for a tree holds
// from before the first until the tree is there and its use is recorded.
// Delete and Sweep called meanwhile in the same process would wait for ever.
func (s *Store) Hold(ctx context.Context) (release func(), err error) {
	return s.cache.RLock(ctx, layersLock)
}

const layersLock = "layers"
