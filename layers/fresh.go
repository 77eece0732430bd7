package layers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"devenv/cache"
)

// What a process has written is there for all others at once, also if it is
// killed. Only a power cut can take it back, for as long as the kernel has not
// written it to the disk. So with Store.Later nobody waits for the disk: what was
// made counts for as long as this boot lasts, and beyond it once Settle has seen
// it on the disk. Until then it is noted in store/fresh/BOOT: the record of a
// layer lies there instead of in records, and an empty file KIND-ID stands for a
// directory that PublishLater has put in its place. The note of a directory is
// made before its name, and a journal keeps that order.
//
// Who opens a store after the machine has started anew looks through the notes of
// older boots. A file's size reaches a journal after its bytes, so a layer
// whose files have their sizes is whole. What is not whole, and what cannot be
// compared with anything, is thrown away and made anew.

// BootMark is a directory whose stat(2) is another after each start of the
// machine. While a store is Unsettled, an entry plan must depend on it.
const BootMark = "/proc"

// bootID names this start of the machine; it is empty where the kernel does not say.
var bootID = sync.OnceValue(func() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || strings.ContainsAny(strings.TrimSpace(string(id)), "/\x00") {
		return ""
	}
	return strings.TrimSpace(string(id))
})

// later reports whether the disk is not waited for.
func (s *Store) later() bool { return s.Later && bootID() != "" }

// fresh is where the notes of a boot lie.
func (s *Store) fresh(boot string, elem ...string) string {
	return filepath.Join(append([]string{s.cache.Path(cache.Store, "fresh"), boot}, elem...)...)
}

// PublishLater is [cache.Cache.Publish] of a directory of that kind and id, but
// with Later it does not wait for the disk.
func (s *Store) PublishLater(kind cache.Kind, made, id string) (won bool, err error) {
	final := s.cache.Path(kind, id)
	if !s.later() {
		return s.cache.Publish(made, final)
	}
	note := s.fresh(bootID(), string(kind)+"-"+id)
	err = os.WriteFile(note, nil, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(note), 0o700); err == nil {
			err = os.WriteFile(note, nil, 0o600)
		}
	}
	if err == nil {
		err = rename(made, final)
	}
	if errors.Is(err, fs.ErrNotExist) { // a first one of its kind, or all were cleared meanwhile
		if err = os.MkdirAll(filepath.Dir(final), 0o755); err == nil {
			err = rename(made, final)
		}
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.EEXIST), errors.Is(err, unix.ENOTEMPTY):
		return false, nil
	}
	return false, fmt.Errorf("publish %s: %w", final, cache.Explain(err, final, 0))
}

// rename moves a directory and replaces none.
func rename(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if err == unix.EINVAL || err == unix.ENOSYS { // no such flag here; this replaces an empty directory at most
		err = unix.Rename(from, to)
	}
	return err
}

// Unsettled reports whether there is anything that a power cut could take.
func (s *Store) Unsettled() bool {
	notes, err := os.ReadDir(s.fresh(bootID()))
	return err == nil && len(notes) > 0 && bootID() != ""
}

// Settle waits until all that has been made so far is on the disk.
func (s *Store) Settle() error {
	if !s.Unsettled() {
		return nil
	}
	notes, err := os.ReadDir(s.fresh(bootID()))
	if err == nil {
		err = s.sync()
	}
	if err != nil {
		return s.failed(err)
	}
	for _, note := range notes {
		if err := s.settle(bootID(), note.Name()); err != nil {
			return s.failed(err)
		}
	}
	os.Remove(s.fresh(bootID())) // fails where something has come meanwhile
	return nil
}

// settle drops one note.
func (s *Store) settle(boot, note string) error {
	var err error
	if isDirNote(note) {
		err = os.Remove(s.fresh(boot, note))
	} else {
		err = os.Rename(s.fresh(boot, note), s.recordPath(note))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // settled by another process
	}
	return err
}

// isDirNote tells the note of a directory from a layer's record.
func isDirNote(note string) bool { return strings.Contains(note, "-") }

// settleAge is how old the youngest note must be for settling to be free: the
// kernel writes by itself what is older than half a minute.
const settleAge = time.Minute

// settleSoon settles beside all else what is long on the disk anyway.
func (s *Store) settleSoon() {
	info, err := os.Stat(s.fresh(bootID()))
	if err == nil && bootID() != "" && time.Since(info.ModTime()) > settleAge {
		go s.Settle() // if the process ends first, the next one does it
	}
}

// recover looks through the notes of older boots.
func (s *Store) recover(ctx context.Context) error {
	boots, err := os.ReadDir(s.cache.Path(cache.Store, "fresh"))
	if errors.Is(err, fs.ErrNotExist) || err == nil && (len(boots) == 0 || len(boots) == 1 && boots[0].Name() == bootID()) {
		return nil
	}
	if err != nil {
		return err
	}
	unlock, err := s.cache.Lock(ctx, layersLock)
	if err != nil {
		return err
	}
	defer unlock()
	for _, boot := range boots {
		if boot.Name() == bootID() {
			continue
		}
		if err := s.recoverBoot(ctx, boot.Name()); err != nil {
			return err
		}
	}
	return nil
}

// recoverBoot sees to layers first, of which trees are made.
func (s *Store) recoverBoot(ctx context.Context, boot string) error {
	notes, err := os.ReadDir(s.fresh(boot))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, dirs := range []bool{false, true} {
		for _, note := range notes {
			if isDirNote(note.Name()) != dirs {
				continue
			}
			ok, err := s.survived(ctx, boot, note.Name())
			if err != nil {
				return err
			}
			if ok {
				err = s.settle(boot, note.Name())
			} else {
				err = s.forget(ctx, boot, note.Name())
			}
			if err != nil {
				return err
			}
		}
	}
	if err := os.Remove(s.fresh(boot)); err != nil && !errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// survived reports whether what a note stands for is whole.
func (s *Store) survived(ctx context.Context, boot, note string) (bool, error) {
	if !isDirNote(note) {
		return s.layerSurvived(ctx, boot, note)
	}
	id, ok := strings.CutPrefix(note, string(cache.Trees)+"-")
	if !ok {
		return false, nil // nothing to compare it with
	}
	damage, err := s.VerifyTree(ctx, id)
	return len(damage) == 0, err
}

func (s *Store) layerSurvived(ctx context.Context, boot, id string) (bool, error) {
	data, err := os.ReadFile(s.fresh(boot, id))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // somebody else's clean-up
	}
	if err != nil {
		return false, err
	}
	record, err := decodeRecord(data)
	if err != nil {
		return false, nil
	}
	if ok, err := s.stored(id); !ok || err != nil {
		return false, err
	}
	damage, err := verify(ctx, &Layer{ID: id, Dir: s.dir(id), Record: record}, false)
	return len(damage) == 0, err
}

// forget throws away what a note stands for, and the note.
func (s *Store) forget(ctx context.Context, boot, note string) error {
	if isDirNote(note) {
		kind, id, _ := strings.Cut(note, "-")
		dir, discard, err := s.cache.Temp(kind)
		if err != nil {
			return err
		}
		defer discard()
		err = s.take(cache.Kind(kind), id, dir)
		if errors.Is(err, context.Canceled) {
			return nil // in use: by another machine, since this one has started anew
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	} else if err := s.delete(ctx, note); err != nil {
		return err
	}
	if err := os.Remove(s.fresh(boot, note)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
