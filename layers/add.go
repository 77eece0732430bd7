package layers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"devenv/cache"
)

// Add makes the layer of one package file, or finds it.
func (s *Store) Add(ctx context.Context, src Source) (*Layer, error) {
	sources := make(chan Source, 1)
	sources <- src
	close(sources)
	for layer, err := range s.AddAll(ctx, sources, 1) {
		return layer, err
	}
	return nil, context.Cause(ctx)
}

// AddAll makes layers of package files as they come, workers of them at once,
// and yields each as it is ready, in any order. The first error ends it: what is
// not ready then is thrown away, and sources is no longer received from, so
// senders must give up with ctx or when the loop has ended.
//
// Each layer is made once, however many processes ask for it at the same time.
func (s *Store) AddAll(ctx context.Context, sources <-chan Source, workers int) iter.Seq2[*Layer, error] {
	return func(yield func(*Layer, error) bool) {
		ctx, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		release, err := s.Hold(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		defer release()
		a := &adder{store: s, ctx: ctx, stop: stop, staged: make(chan *staged, 64), ready: make(chan *Layer)}
		go a.run(sources, max(workers, 1))
		for layer := range a.ready {
			if !yield(layer, nil) {
				stop(errors.New("nobody waits for the layers any more"))
				a.drain()
				return
			}
		}
		if err := context.Cause(ctx); err != nil {
			yield(nil, err)
		}
	}
}

// adder is one AddAll: workers unpack packages into the store's staging
// directories, one applier makes layers of them.
type adder struct {
	store  *Store
	ctx    context.Context
	stop   context.CancelCauseFunc
	staged chan *staged
	ready  chan *Layer // closed when all is over
}

// staged is an unpacked package on its way to become a layer.
type staged struct {
	src    Source
	id     string
	record *Record
	output *output
	unlock func() // of the layer's own lock
}

func (a *adder) run(sources <-chan Source, workers int) {
	defer close(a.ready)
	var working sync.WaitGroup
	for range workers {
		working.Go(func() { a.work(sources) })
	}
	var applying sync.WaitGroup
	applying.Go(a.apply)
	working.Wait()
	close(a.staged)
	applying.Wait()
}

func (a *adder) drain() {
	for range a.ready {
	}
}

func (a *adder) work(sources <-chan Source) {
	for {
		select {
		case <-a.ctx.Done():
			return
		case src, ok := <-sources:
			if !ok {
				return
			}
			if err := a.stage(src); err != nil {
				a.stop(err)
			}
		}
	}
}

// deliver hands a layer to whoever ranges over AddAll.
func (a *adder) deliver(layer *Layer) {
	select {
	case a.ready <- layer:
	case <-a.ctx.Done():
	}
}

// stage finds a layer or unpacks its package.
func (a *adder) stage(src Source) error {
	if err := a.ctx.Err(); err != nil {
		src.close()
		return err
	}
	id := ID(src.SHA256)
	layer, err := a.store.Layer(id)
	if err == nil {
		src.close()
		a.deliver(layer)
		return nil
	}
	if !errors.Is(err, ErrNoLayer) {
		src.close()
		return err
	}
	unlock, err := a.store.lockOne(a.ctx, "layer-"+id)
	if err != nil {
		src.close()
		return err
	}
	if layer, err := a.store.Layer(id); err == nil { // another process was first
		unlock()
		src.close()
		a.deliver(layer)
		return nil
	}
	st := &staged{src: src, id: id, unlock: unlock}
	if err := a.unpack(st); err != nil {
		unlock()
		return fmt.Errorf("%s: %w", src.Filename, cache.Explain(err, a.store.cache.Path(cache.Store), 0))
	}
	a.staged <- st
	return nil
}

// unpack has the store make a staging directory and fills it.
func (a *adder) unpack(st *staged) error {
	out, dir, err := a.store.driver.stage(func(dir string) (err error) {
		st.record, err = build(a.ctx, &st.src, dir)
		return err
	})
	if err == nil {
		err = a.store.writeRecord(st.id, st.record)
	}
	if err != nil && dir != "" {
		cache.RemoveAll(filepath.Dir(dir))
	}
	st.output = out
	return err
}

// writeRecord puts the record there before the layer: without the layer it
// says nothing.
func (s *Store) writeRecord(id string, record *Record) error {
	data, err := record.encode()
	if err != nil {
		return err
	}
	dir := s.recordPath("")
	if s.later() {
		dir = s.fresh(bootID())
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	tmp := s.recordPath("." + id)
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, id))
}

// apply makes layers of what is staged. One syncfs serves all that has gathered
// while the one before was running, so that bytes reach the disk while others
// are still being unpacked, and before the list says that they are there.
func (a *adder) apply() {
	for st := range a.staged {
		batch := []*staged{st}
		for more := true; more; {
			select {
			case next, ok := <-a.staged:
				if more = ok; ok {
					batch = append(batch, next)
				}
			default:
				more = false
			}
		}
		if err := a.applyBatch(batch); err != nil {
			a.stop(err)
		}
	}
}

func (a *adder) applyBatch(batch []*staged) error {
	err := context.Cause(a.ctx)
	if err == nil && !a.store.later() {
		err = a.store.sync()
	}
	var done int
	if err == nil {
		err = onStoreThread(func() error {
			for _, st := range batch {
				if err := a.store.driver.apply(st.id, st.output); err != nil {
					return fmt.Errorf("%s: %w", st.src.Filename, a.store.failed(err))
				}
				done++
			}
			return nil
		})
	}
	for i, st := range batch {
		cache.RemoveAll(filepath.Dir(st.output.Target))
		st.unlock()
		if i < done {
			a.deliver(&Layer{ID: st.id, Dir: a.store.dir(st.id), Record: st.record})
		}
	}
	return err
}

// sync brings all that was written to the disk, and reports if that fails.
func (s *Store) sync() error {
	dir, err := os.Open(s.cache.Path(cache.Store))
	if err != nil {
		return s.failed(err)
	}
	defer dir.Close()
	if err := unix.Syncfs(int(dir.Fd())); err != nil {
		return s.failed(os.NewSyscallError("syncfs", err))
	}
	return nil
}
