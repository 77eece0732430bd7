package alpm

import (
	"bytes"
	"os"
	"reflect"
	"slices"
	"testing"
)

func readAll(t testing.TB, day string, repos ...string) []*Package {
	var all []*Package
	for _, repo := range repos {
		f, err := os.Open(testData(t, day, repo+".db"))
		if err != nil {
			t.Fatal(err)
		}
		pkgs, err := ReadDatabase(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, pkgs...)
	}
	return all
}

func TestIndexRoundTrip(t *testing.T) {
	pkgs := readAll(t, "2014-08-x86_64", "core", "extra", "community")
	var buf bytes.Buffer
	if _, err := NewIndex(pkgs).WriteTo(&buf); err != nil {
		t.Fatal(err)
	}
	x, err := OpenIndex(buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Collect(x.All())
	if len(got) != len(pkgs) {
		t.Fatalf("%d packages came back of %d", len(got), len(pkgs))
	}
	for i, p := range pkgs {
		if !reflect.DeepEqual(got[i], p) {
			t.Fatalf("%+v\ncame back as\n%+v", p, got[i])
		}
	}
	t.Logf("%d bytes for %d packages", buf.Len(), len(pkgs))
}

func BenchmarkNewIndex(b *testing.B) {
	pkgs := readAll(b, "2014-08-x86_64", "core", "extra", "community")
	b.ReportAllocs()
	for b.Loop() {
		NewIndex(pkgs)
	}
}

func BenchmarkOpenIndexAndLookup200(b *testing.B) {
	pkgs := readAll(b, "2014-08-x86_64", "core", "extra", "community")
	var buf bytes.Buffer
	NewIndex(pkgs).WriteTo(&buf)
	b.ReportAllocs()
	for b.Loop() {
		x, err := OpenIndex(buf.Bytes())
		if err != nil {
			b.Fatal(err)
		}
		for i := range 200 {
			x.Lookup(pkgs[i*33].Name)
		}
	}
}

func BenchmarkOpenIndex(b *testing.B) {
	pkgs := readAll(b, "2014-08-x86_64", "core", "extra", "community")
	var buf bytes.Buffer
	NewIndex(pkgs).WriteTo(&buf)
	for b.Loop() {
		if _, err := OpenIndex(buf.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
