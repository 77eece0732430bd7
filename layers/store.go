package layers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/containers/storage"
	"github.com/sirupsen/logrus"

	"devenv/cache"
)

// Store keeps layers and trees in a cache.
type Store struct {
	cache  *cache.Cache
	driver storage.Store
}

// Layer is one package, unpacked. Its files must not be written to.
type Layer struct {
	ID  string
	Dir string // where its files lie
	*Record
}

// ErrNoLayer says that a layer is not in the store, or not whole: add it.
var ErrNoLayer = errors.New("no such layer")

// driverOptions keep the overlay driver from ever mounting: with a mount
// program it does not try the kernel's overlay, and since nothing is ever asked
// of it that needs a mount, the program (any file will do) is never started.
var driverOptions = []string{
	"overlay.mount_program=/proc/self/exe",
	"overlay.skip_mount_home=true",
	"overlay.ignore_chown_errors=true",
}

// Open opens the store in c and makes it where there is none. What processes
// that are no more have left half made is swept away.
func Open(c *cache.Cache) (*Store, error) {
	s := &Store{cache: c}
	if err := os.MkdirAll(s.recordPath(""), 0o700); err != nil {
		return nil, s.failed(err)
	}
	quiet()
	err := s.load()
	if err != nil && s.mend() {
		err = s.load()
	}
	if err != nil {
		return nil, s.failed(err)
	}
	if err := s.sweep(); err != nil {
		return nil, s.failed(err)
	}
	return s, nil
}

// failed gives an error of the store its context and a way out.
func (s *Store) failed(err error) error {
	return fmt.Errorf("layer store %s: %w", s.cache.Path(cache.Store), cache.Explain(err, s.cache.Path(cache.Store), 0))
}

// quiet takes the word from containers/storage's logger, which writes to the
// terminal what its calls return as errors or mend by themselves.
var quiet = sync.OnceFunc(func() { logrus.SetOutput(io.Discard) })

func (s *Store) load() error {
	root := s.cache.Path(cache.Store)
	return onStoreThread(func() (err error) {
		s.driver, err = withoutHostConfig(func() (storage.Store, error) {
			return storage.GetStore(storage.StoreOptions{
				GraphRoot:          root,
				RunRoot:            filepath.Join(root, "run"),
				GraphDriverName:    "overlay",
				GraphDriverOptions: driverOptions,
			})
		})
		if err != nil {
			return err
		}
		_, err = s.driver.Layer("0") // reads the list, and mends it where a process died
		if errors.Is(err, storage.ErrLayerUnknown) {
			return nil
		}
		return err
	})
}

// withoutHostConfig keeps the host's storage.conf out, which is read, and may
// be broken, though all its values are given.
func withoutHostConfig(open func() (storage.Store, error)) (storage.Store, error) {
	const variable = "CONTAINERS_STORAGE_CONF"
	old, set := os.LookupEnv(variable)
	os.Setenv(variable, os.DevNull)
	defer func() {
		if set {
			os.Setenv(variable, old)
		} else {
			os.Unsetenv(variable)
		}
	}()
	return open()
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
	data, err := os.ReadFile(s.recordPath(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("layer %s: %w", id, ErrNoLayer)
	}
	if err != nil {
		return nil, s.failed(err)
	}
	if ok, err := s.stored(id); err != nil || !ok {
		if err == nil {
			err = fmt.Errorf("layer %s: %w", id, ErrNoLayer)
		}
		return nil, err
	}
	record, err := decodeRecord(data)
	if err != nil {
		return nil, fmt.Errorf("layer %s: %w (%w)", id, ErrNoLayer, err)
	}
	return &Layer{ID: id, Dir: s.dir(id), Record: record}, nil
}

// stored reports whether the list has the layer and its files are there.
func (s *Store) stored(id string) (bool, error) {
	switch _, err := s.driver.Layer(id); {
	case errors.Is(err, storage.ErrLayerUnknown):
		return false, nil
	case err != nil:
		return false, s.failed(err)
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
	stored, err := s.driver.Layers()
	if err != nil {
		return nil, s.failed(err)
	}
	ids := make([]string, 0, len(stored))
	for i := range stored {
		ids = append(ids, stored[i].ID)
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
