package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"

	"devenv/cache"
)

// Result is a set-up layer. Its files must not be written to.
type Result struct {
	ID     string
	FS     string // absolute
	Rel    string // FS relative to the cache, with slashes
	Record *Record
	Made   bool // just now, and not found
}

// RefusedError says that the kernel allows no namespaces here, so that nothing
// of a package can be run where it can do no harm.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("this host refuses the namespaces that packages are set up in: %v", e.Err)
}
func (e *RefusedError) Unwrap() error { return e.Err }

// AbortError says that a hook which may stop a transaction has done so.
type AbortError struct{ Outcome Outcome }

func (e *AbortError) Error() string {
	return fmt.Sprintf("%s\nhint: it stops pacman, too (AbortOnFail): leave out the package it came with, or mask it with an empty file /etc/pacman.d/hooks/NAME in [packages.X] files", e.Outcome.String())
}

// limit is the default of Spec.Limit.
const limit = 2 * time.Minute

// Find is the layer of a spec if it is there. It asks for no Packages.
func Find(c *cache.Cache, s *Spec) (*Result, bool) {
	id := s.ID()
	record, err := readRecord(c.Setup(id))
	if err != nil {
		return nil, false
	}
	return result(c, id, record), true
}

func result(c *cache.Cache, id string, record *Record) *Result {
	return &Result{ID: id, FS: filepath.Join(c.Setup(id), "fs"), Rel: path.Join(string(cache.Setups), id, "fs"), Record: record}
}

// Run makes the layer of a spec, or finds it. However many processes ask for it
// at once, one makes it. The tree must have been made of verified packages. A
// step that fails is no error, as it is none for pacman: the Record has it.
func Run(ctx context.Context, c *cache.Cache, s *Spec) (*Result, error) {
	id := s.ID()
	unlock, err := c.Lock(ctx, "setup-"+id)
	if err != nil {
		return nil, err
	}
	defer unlock()
	defer os.Remove(c.Path(cache.Locks, "setup-"+id))
	if r, ok := Find(c, s); ok {
		return r, nil
	}
	dir, release, err := c.Temp("setup")
	if err != nil {
		return nil, err
	}
	defer release()
	record, err := makeLayer(ctx, c, s, dir)
	if err != nil {
		var refused *RefusedError
		var abort *AbortError
		if errors.As(err, &refused) || errors.As(err, &abort) {
			return nil, err
		}
		return nil, fmt.Errorf("set up the packages: %w", cache.Explain(err, c.Dir(), 0))
	}
	made := filepath.Join(dir, "layer")
	if s.Publish != nil {
		err = s.Publish(made, id)
	} else {
		_, err = c.Publish(made, c.Setup(id))
	}
	if err != nil {
		return nil, err
	}
	r := result(c, id, record)
	r.Made = true
	return r, nil
}

// makeLayer makes layer/ in dir, ready to be published.
func makeLayer(ctx context.Context, c *cache.Cache, s *Spec, dir string) (*Record, error) {
	steps, p := plan(s)
	files, err := allFiles(s)
	if err != nil {
		return nil, err
	}
	j, err := newJob(c, s, dir)
	if err != nil {
		return nil, err
	}
	j.Files, j.Steps = files, steps
	record := &Record{Skipped: p.skipped, Warnings: p.warnings}
	for _, skipped := range p.skipped {
		s.report(Event{Skipped: skipped})
	}
	if err := j.run(ctx, s, record); err != nil {
		return nil, err
	}
	if err := os.Rename(filepath.Join(dir, "upper"), filepath.Join(dir, "layer", "fs")); err != nil {
		return nil, err
	}
	return record, record.write(filepath.Join(dir, "layer"))
}
