package layers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// closing tells whether it was closed.
type closing struct {
	io.Reader
	closed *atomic.Int32
}

func (c closing) Close() error { c.closed.Add(1); return nil }

func feed(sources ...Source) <-chan Source {
	c := make(chan Source, len(sources))
	for _, src := range sources {
		c <- src
	}
	close(c)
	return c
}

func TestAddAll(t *testing.T) {
	s := testStore(t)
	var sources []Source
	var closed atomic.Int32
	for i, p := range manyPackages() {
		src := p.source(t)
		src.Reader = closing{src.Reader, &closed}
		sources = append(sources, src)
		if i == 3 {
			mustAdd(t, s, p) // one is there already
		}
	}
	got := make(map[string]bool)
	for layer, err := range s.AddAll(context.Background(), feed(sources...), 3) {
		if err != nil {
			t.Fatal(err)
		}
		if got[layer.ID] {
			t.Errorf("%s comes twice", layer.Name())
		}
		got[layer.ID] = true
		if _, err := os.Stat(filepath.Join(layer.Dir, "usr/share", layer.Name(), "d0/f00")); err != nil {
			t.Error(err)
		}
	}
	for _, src := range sources {
		if !got[ID(src.SHA256)] {
			t.Errorf("%s did not come", src.Filename)
		}
	}
	if int(closed.Load()) != len(sources) {
		t.Errorf("%d of %d readers closed", closed.Load(), len(sources))
	}
	checkNoRubbish(t, s, len(sources))
}

// One bad package ends it; what is ready stays, and nothing is left half made.
func TestAddAllStopsAtError(t *testing.T) {
	s := testStore(t)
	bad := Source{Filename: "bad", SHA256: sha(nil), Reader: strings.NewReader("no package")}
	var sources []Source
	for i, p := range manyPackages() {
		if i == 5 {
			sources = append(sources, bad)
		}
		sources = append(sources, p.source(t))
	}
	var last error
	ready := 0
	for layer, err := range s.AddAll(context.Background(), feed(sources...), 2) {
		if last != nil {
			t.Fatalf("after the error comes %v, %v", layer, err)
		}
		if last = err; err == nil {
			ready++
		}
	}
	if !isHashError(last) || !strings.HasPrefix(last.Error(), "bad: ") {
		t.Errorf("ended with %v", last)
	}
	ids, err := s.List()
	if err != nil || len(ids) < ready {
		t.Errorf("%d were ready, %d are there, %v", ready, len(ids), err)
	}
	checkWhole(t, s)
}

func TestAddAllAbandoned(t *testing.T) {
	s := testStore(t)
	var sources []Source
	for _, p := range manyPackages() {
		sources = append(sources, p.source(t))
	}
	for range s.AddAll(context.Background(), feed(sources...), 2) {
		break
	}
	checkWhole(t, s)
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("had enough")
	slow := make(chan Source) // a sender that has nothing yet
	go func() { time.Sleep(10 * time.Millisecond); cancel(why) }()
	var last error
	for _, err := range s.AddAll(ctx, slow, 2) {
		last = err
	}
	if !errors.Is(last, why) {
		t.Errorf("ended with %v", last)
	}
	ctx, cancel = context.WithCancelCause(context.Background())
	stuck, _ := io.Pipe() // a download that has stalled
	go func() { time.Sleep(10 * time.Millisecond); cancel(why) }()
	if _, err := s.Add(ctx, Source{Filename: "stuck", SHA256: sha(nil), Reader: stuck}); !errors.Is(err, why) {
		t.Errorf("ended with %v", err)
	}
	release, err := s.cache.Lock(context.Background(), layersLock)
	if err != nil {
		t.Fatal(err)
	}
	release()
}

// A package that is still being downloaded is unpacked as it comes; if it
// never comes whole, there is no layer.
func TestAddFromStream(t *testing.T) {
	s := testStore(t)
	data := hello.bytes(t)
	r, w := io.Pipe()
	go func() {
		for _, part := range bytes.SplitAfter(data, []byte{0}) {
			w.Write(part)
		}
		w.CloseWithError(errors.New("connection lost"))
	}()
	src := Source{Filename: "hello", SHA256: sha(data), Reader: r}
	if _, err := s.Add(context.Background(), src); err == nil || !strings.Contains(err.Error(), "connection lost") {
		t.Errorf("got %v", err)
	}
	if s.Has(ID(src.SHA256)) {
		t.Error("it is there")
	}
	checkNoRubbish(t, s, 0)
	src.Reader = bytes.NewReader(data)
	if _, err := s.Add(context.Background(), src); err != nil {
		t.Error(err)
	}
}

// Checked says that the hash need not be computed, not that anything goes.
func TestAddChecked(t *testing.T) {
	s := testStore(t)
	data := hello.bytes(t)
	name := filepath.Join(t.TempDir(), "hello")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	layer, err := s.Add(context.Background(), Source{Filename: "hello", SHA256: "feed", Path: name, Checked: true})
	if err != nil || layer.ID != ID("feed") {
		t.Errorf("%v, %v", layer, err)
	}
	_, err = s.Add(context.Background(), Source{Filename: "gone", SHA256: "f00d", Path: name + ".gone"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// The host's own storage.conf, sound or not, is no business of ours.
func TestHostConfigIsNotRead(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "storage.conf")
	if err := os.WriteFile(conf, []byte("[storage\nnot toml"), 0o644); err != nil {
		t.Fatal(err)
	}
	writePackages(t, dir, hello)
	t.Cleanup(func() { os.RemoveAll(dir) })
	cmd := child(t, "build", dir)
	cmd.Env = append(cmd.Env, "CONTAINERS_STORAGE_CONF="+conf, "STORAGE_DRIVER=vfs", "STORAGE_OPTS=vfs.x=y")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestRecord(t *testing.T) {
	s := testStore(t)
	record := mustAdd(t, s, hello).Record
	data, err := record.encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := decodeRecord(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, record) {
		t.Errorf("got %+v\nwant %+v", again, record)
	}
	for n := range data {
		if _, err := decodeRecord(data[:n]); !errors.Is(err, errRecord) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

func FuzzRecord(f *testing.F) {
	record := &Record{SHA256: sha(nil), Info: nil, Files: []File{{Path: "a"}, {Path: "a/b", Kind: Symlink, Link: "x"}}, details: []byte("{}")}
	data, err := record.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[:len(data)-4])
	f.Fuzz(func(t *testing.T, data []byte) {
		w := writer(bytes.Clone(data))
		record, err := decodeRecord(w.seal()) // with a sound checksum, to come further
		if err == nil {
			if _, err := record.encode(); err != nil {
				t.Error(err)
			}
		} else if !errors.Is(err, errRecord) {
			t.Errorf("another kind of error: %v", err)
		}
	})
}
