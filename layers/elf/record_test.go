package elf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"reflect"
	"sync"
	"testing"
)

func recorded() *Record {
	var r Recorder
	var wg sync.WaitGroup
	add := func(path string, mode uint32, data []byte) {
		wg.Go(func() { r.Add(path, mode, bytes.NewReader(data)) })
	}
	add("usr/lib/libself.so.1.0", 0o644, library(elf.ELFCLASS64, binary.LittleEndian))
	add("usr/lib32/libself.so.1.0", 0o755, library(elf.ELFCLASS32, binary.LittleEndian))
	add("usr/bin/script", 0o755, []byte("#!/usr/bin/env python3\n"))
	add("usr/share/not-to-be-run", 0o644, []byte("#!/usr/bin/none\n"))
	add("usr/share/text", 0o755, []byte("text"))
	add("usr/lib/damaged.so", 0o755, library(elf.ELFCLASS64, binary.LittleEndian)[:100])
	wg.Wait()
	r.Link("usr/lib/hard.so", "usr/lib/libself.so.1.0")
	r.Link("usr/lib/hard.txt", "usr/share/text")
	return r.Record()
}

func TestRecorder(t *testing.T) {
	var got []string
	r := recorded()
	for _, o := range r.Objects {
		got = append(got, o.Path)
	}
	want := []string{"usr/bin/script", "usr/lib/hard.so", "usr/lib/libself.so.1.0", "usr/lib32/libself.so.1.0"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for name, r := range map[string]*Record{"some": recorded(), "none": {Objects: []Object{}}} {
		data, err := r.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		again, _ := recorded().MarshalBinary()
		if name == "some" && !bytes.Equal(data, again) {
			t.Error("the same files give different bytes")
		}
		var got Record
		if err := got.UnmarshalBinary(data); err != nil || !reflect.DeepEqual(&got, r) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, r)
		}
		t.Logf("%s: %d bytes", name, len(data))
	}
}

func TestRecordDamage(t *testing.T) {
	good, err := recorded().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		var r Record
		if err := r.UnmarshalBinary(good[:n]); !errors.Is(err, ErrRecord) {
			t.Errorf("cut to %d of %d bytes: %v", n, len(good), err)
		}
		for _, value := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[n] = value
			if err := r.UnmarshalBinary(bad); err != nil && !errors.Is(err, ErrRecord) {
				t.Errorf("byte %d: %v", n, err)
			}
		}
	}
	var r Record
	if err := r.UnmarshalBinary([]byte("devenvEL\x02rest")); !errors.Is(err, ErrRecord) {
		t.Errorf("another version: %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	good, _ := recorded().MarshalBinary()
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Record
		if r.UnmarshalBinary(data) == nil {
			Check([]Layer{{"fuzz", &r}}, Config{Machine: elf.EM_X86_64}, func(p string) (string, bool) { return p, len(p)%2 == 0 })
		}
	})
}
