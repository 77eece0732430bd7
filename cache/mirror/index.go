package mirror

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"devenv/layers/alpm"
)

// openIndex is an index in use, and which database it is of.
type openIndex struct {
	stamp stamp
	index *alpm.Index
}

// stamp tells one content of a database's file from another. It ends the
// index's file.
type stamp [24]byte

func stampOf(info fs.FileInfo) stamp {
	var s stamp
	copy(s[:], "database")
	binary.LittleEndian.PutUint64(s[8:], uint64(info.Size()))
	binary.LittleEndian.PutUint64(s[16:], uint64(info.ModTime().UnixNano()))
	return s
}

// open gives the index of a database that is in the cache. It parses the
// database only where no index of this very file lies beside it.
func (m *Mirror) open(path string) (*alpm.Index, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	stamp := stampOf(info)
	m.mu.Lock()
	known := m.opened[path]
	m.mu.Unlock()
	if known != nil && known.stamp == stamp {
		return known.index, nil
	}
	index, err := mapIndex(path+".idx", stamp)
	if err != nil {
		if index, err = m.build(f, path+".idx", stamp); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	m.opened[path] = &openIndex{stamp, index}
	m.mu.Unlock()
	return index, nil
}

// build parses a database and leaves its index beside it, for the next process.
// The index carries a checksum, the database can be read again.
func (m *Mirror) build(db io.Reader, path string, stamp stamp) (*alpm.Index, error) {
	pkgs, err := alpm.ReadDatabase(db)
	if err != nil {
		return nil, &DamagedError{Err: err}
	}
	index := alpm.NewIndex(pkgs)
	err = m.cache.WriteChecked(path, 0o644, func(w io.Writer) error {
		if _, err := index.WriteTo(w); err != nil {
			return err
		}
		_, err := w.Write(stamp[:])
		return err
	})
	return index, err
}

// mapIndex maps an index into memory for good: its packages point into it. The
// file is only ever replaced, never changed, so the mapping stays whole.
func mapIndex(path string, want stamp) (*alpm.Index, error) {
	data, err := mapFile(path, unix.MAP_POPULATE) // the checksum reads all of it
	if err != nil {
		return nil, err
	}
	cut := len(data) - len(want)
	if cut < 0 || !bytes.Equal(data[cut:], want[:]) {
		unix.Munmap(data)
		return nil, fmt.Errorf("%s is of another database", path)
	}
	index, err := alpm.OpenIndex(data[:cut])
	if err != nil {
		unix.Munmap(data)
		return nil, err
	}
	return index, nil
}

// mapFile maps a whole file, to be read only.
func mapFile(path string, flags int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 || int64(int(info.Size())) != info.Size() {
		return nil, fmt.Errorf("%s has a length of %d", path, info.Size())
	}
	return unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED|flags)
}
