package layers

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/containers/storage"
	graphdriver "github.com/containers/storage/drivers"
	"github.com/containers/storage/pkg/archive"
	"github.com/sirupsen/logrus"
)

// driver is all that is used of containers/storage. Calls that write must be
// made on a store thread, but for stage.
type driver struct{ store storage.Store }

// driverMutex lets one call at a time into containers/storage, which keeps one
// object for a directory in a process, whose readers race with each other.
var driverMutex sync.Mutex

// driverOptions keep the overlay driver from ever mounting: with a mount
// program it does not try the kernel's overlay, and since nothing is ever asked
// of it that needs a mount, the program (any file will do) is never started.
var driverOptions = []string{
	"overlay.mount_program=/proc/self/exe",
	"overlay.skip_mount_home=true",
	"overlay.ignore_chown_errors=true",
}

// quiet takes the word from containers/storage's logger, which writes to the
// terminal what its calls return as errors or mend by themselves.
var quiet = sync.OnceFunc(func() { logrus.SetOutput(io.Discard) })

// openDriver opens the store at root, reads its list, and removes from it what
// a process that died had not finished.
func openDriver(root string) (d driver, err error) {
	quiet()
	driverMutex.Lock()
	defer driverMutex.Unlock()
	err = onStoreThread(func() error {
		d.store, err = withoutHostConfig(func() (storage.Store, error) {
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
		return known(d.store.Layer("0"))
	})
	return d, err
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

// known drops the error that says that a layer is not there.
func known(_ *storage.Layer, err error) error {
	if errors.Is(err, storage.ErrLayerUnknown) || errors.Is(err, storage.ErrNotALayer) {
		return nil
	}
	return err
}

// has reports whether the list has that layer.
func (d driver) has(id string) (bool, error) {
	driverMutex.Lock()
	defer driverMutex.Unlock()
	layer, err := d.store.Layer(id)
	return layer != nil && err == nil, known(nil, err)
}

func (d driver) list() (ids []string, err error) {
	driverMutex.Lock()
	defer driverMutex.Unlock()
	layers, err := d.store.Layers()
	for i := range layers {
		ids = append(ids, layers[i].ID)
	}
	return ids, err
}

// output is a filled staging directory, Target, which apply moves into its place.
type output = graphdriver.DriverWithDifferOutput

// stage makes a staging directory and has it filled. Many may be filled at
// once. On an error it may be left behind: dir says where.
func (d driver) stage(fill func(dir string) error) (out *output, dir string, err error) {
	f := &filler{fill: fill}
	out, err = d.store.PrepareStagedLayer(nil, f)
	return out, f.dir, err
}

// filler is how containers/storage lets its callers fill a directory.
type filler struct {
	fill func(dir string) error
	dir  string
}

func (f *filler) ApplyDiff(dir string, _ *archive.TarOptions, _ *graphdriver.DifferOptions) (output, error) {
	f.dir = dir
	return output{Target: dir}, f.fill(dir)
}

func (f *filler) Close() error { return nil }

// apply lists a staged layer and moves it into its place.
func (d driver) apply(id string, out *output) error {
	driverMutex.Lock()
	defer driverMutex.Unlock()
	if layer, _ := d.store.Layer(id); layer != nil { // but not whole, or it would not be made
		if err := d.store.DeleteLayer(id); err != nil {
			return err
		}
	}
	_, err := d.store.ApplyStagedLayer(storage.ApplyStagedLayerOptions{ID: id, DiffOutput: out})
	return err
}

// remove takes a layer from the list and removes its files.
func (d driver) remove(id string) error {
	driverMutex.Lock()
	defer driverMutex.Unlock()
	return known(nil, d.store.DeleteLayer(id))
}

// collect removes files of layers that the list does not have.
func (d driver) collect() error {
	driverMutex.Lock()
	defer driverMutex.Unlock()
	return d.store.GarbageCollect()
}
