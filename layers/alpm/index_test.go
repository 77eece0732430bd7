package alpm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
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

// reopened is what OpenIndex makes of an index of pkgs.
func reopened(t testing.TB, pkgs []*Package) *Index {
	var buf bytes.Buffer
	n, err := NewIndex(pkgs).WriteTo(&buf)
	if err != nil || n != int64(buf.Len()) {
		t.Fatalf("wrote %d bytes, says %d, %v", buf.Len(), n, err)
	}
	x, err := OpenIndex(buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func names(pkgs []*Package) string {
	var list []string
	for _, p := range pkgs {
		list = append(list, p.Name+"="+p.Version)
	}
	return strings.Join(list, " ")
}

var indexed = []*Package{
	{Name: "gcc", Version: "14-1", Desc: "compiler", Provides: []Dep{{Name: "cc"}, {Name: "gcc"}}, Groups: []string{"devel"}},
	{Name: "clang", Version: "18-1", Desc: "another compiler", Provides: []Dep{{Name: "cc"}, {"cc", EQ, "18"}}},
	{Name: "bash", Version: "5-1", Provides: []Dep{{Name: "sh"}}, Replaces: []Dep{{Name: "sh-old"}, {"ash", LT, "2"}}},
	{Name: "gcc", Version: "13-1", Provides: []Dep{{Name: "cc"}}, Groups: []string{"devel", "old"}},
	{Name: "", Version: "", SHA256: "ABC", PGPSig: "not base64!", Filename: "odd"},
	gccPackage,
}

func TestIndexFinds(t *testing.T) {
	for kind, x := range map[string]*Index{"new": NewIndex(indexed), "opened": reopened(t, indexed)} {
		check := func(what, got, want string) {
			if got != want {
				t.Errorf("%s index: %s: %q, want %q", kind, what, got, want)
			}
		}
		check("Len", fmt.Sprint(x.Len()), "6")
		check("Lookup gcc", names([]*Package{x.Lookup("gcc")}), "gcc=14-1")
		check("Versions gcc", names(x.Versions("gcc")), "gcc=14-1 gcc=13-1 gcc=14.2.1+r753-1")
		check("Versions bash", names(x.Versions("bash")), "bash=5-1")
		check("Providers cc", names(x.Providers("cc")), "gcc=14-1 clang=18-1 gcc=13-1 gcc=14.2.1+r753-1")
		check("Providers gcc", names(x.Providers("gcc")), "")
		check("Providers libgo.so", names(x.Providers("libgo.so")), "gcc=14.2.1+r753-1")
		check("Replacers ash", names(x.Replacers("ash")), "bash=5-1")
		check("Group devel", names(x.Group("devel")), "gcc=14-1 gcc=13-1")
		check("Groups", fmt.Sprint(slices.Collect(x.Groups())), "[base-devel devel old tools]")
		check("Names", fmt.Sprint(slices.Collect(x.Names())), "[ bash clang gcc]")
		check("Provisions", fmt.Sprint(slices.Collect(x.Provisions())), "[cc libgo.so sh]")
		check("All", names(slices.Collect(x.All())), names(indexed))
		check("Search", names(x.Search(func(name, desc string) bool { return strings.Contains(desc, "compiler") })), "gcc=14-1 clang=18-1")
		for _, name := range []string{"a", "zz", "gc", "gccc"} {
			if x.Lookup(name) != nil || x.Versions(name) != nil || x.Providers(name) != nil || x.Group(name) != nil {
				t.Errorf("%s index finds %q", kind, name)
			}
		}
		if x.Lookup("clang") != x.Providers("cc")[1] {
			t.Errorf("%s index gives two packages for one", kind)
		}
	}
	if x := reopened(t, nil); x.Len() != 0 || x.Lookup("gcc") != nil {
		t.Error("an empty index is not empty")
	}
}

func TestIndexRoundTrip(t *testing.T) {
	for _, day := range []struct {
		name  string
		repos []string
	}{
		{"2014-08-x86_64", []string{"core", "extra", "community"}},
		{"2021-01-aarch64", []string{"core", "extra", "archlinuxcn"}},
	} {
		pkgs := append(readAll(t, day.name, day.repos...), indexed...)
		x := reopened(t, pkgs)
		got := slices.Collect(x.All())
		if len(got) != len(pkgs) {
			t.Fatalf("%d packages came back of %d", len(got), len(pkgs))
		}
		for i, p := range pkgs {
			if !reflect.DeepEqual(got[i], p) {
				t.Fatalf("%+v\ncame back as\n%+v", p, got[i])
			}
		}
		t.Logf("%d bytes for %d packages", len(x.data), len(pkgs))
	}
}

// TestIndexAgreesWithSearching compares every table with what a look at all
// packages finds.
func TestIndexAgreesWithSearching(t *testing.T) {
	pkgs := readAll(t, "2014-08-x86_64", "core", "extra", "community")
	x := reopened(t, pkgs)
	provided, groups, replaced, versions := map[string][]*Package{}, map[string][]*Package{}, map[string][]*Package{}, map[string][]*Package{}
	add := func(m map[string][]*Package, key string, p *Package) {
		if !slices.Contains(m[key], p) {
			m[key] = append(m[key], p)
		}
	}
	for _, p := range pkgs {
		add(versions, p.Name, p)
		for _, d := range p.Provides {
			if d.Name != p.Name {
				add(provided, d.Name, p)
			}
		}
		for _, g := range p.Groups {
			add(groups, g, p)
		}
		for _, d := range p.Replaces {
			add(replaced, d.Name, p)
		}
	}
	for name, want := range provided {
		if got := names(x.Providers(name)); got != names(want) {
			t.Errorf("providers of %s: %s, want %s", name, got, names(want))
		}
	}
	for name, want := range groups {
		if got := names(x.Group(name)); got != names(want) {
			t.Errorf("group %s: %s, want %s", name, got, names(want))
		}
	}
	for name, want := range replaced {
		if got := names(x.Replacers(name)); got != names(want) {
			t.Errorf("replacers of %s: %s, want %s", name, got, names(want))
		}
	}
	for name, want := range versions {
		if got := names(x.Versions(name)); got != names(want) {
			t.Errorf("versions of %s: %s, want %s", name, got, names(want))
		}
	}
	if got := len(slices.Collect(x.Groups())); got != len(groups) {
		t.Errorf("%d groups, want %d", got, len(groups))
	}
	t.Logf("%d names, %d provisions, %d groups, %d replaced", len(versions), len(provided), len(groups), len(replaced))
}

func TestIndexConcurrentUse(t *testing.T) {
	x := reopened(t, indexed)
	first := make([]*Package, 8)
	var wg sync.WaitGroup
	for i := range first {
		wg.Go(func() {
			for range x.All() {
			}
			first[i] = x.Lookup("clang")
		})
	}
	wg.Wait()
	for _, p := range first {
		if p != first[0] {
			t.Fatal("two goroutines got different packages")
		}
	}
}

// useAll asks an index for everything there is.
func useAll(x *Index) {
	for p := range x.All() {
		x.Lookup(p.Name)
		x.Versions(p.Name)
	}
	for name := range x.Provisions() {
		x.Providers(name)
	}
	for name := range x.Groups() {
		x.Group(name)
	}
	for name := range x.Names() {
		x.Replacers(name)
	}
	x.Search(func(name, desc string) bool { return true })
}

func TestOpenIndexRefusesDamage(t *testing.T) {
	good := NewIndex(indexed).data
	for n := range good {
		if _, err := OpenIndex(good[:n]); !errors.Is(err, ErrIndex) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(good), err)
		}
		bad := bytes.Clone(good)
		bad[n] ^= 0x40
		if _, err := OpenIndex(bad); !errors.Is(err, ErrIndex) {
			t.Fatalf("byte %d flipped: %v", n, err)
		}
	}
}

// TestOpenIndexHostile makes damage that the checksum does not show.
func TestOpenIndexHostile(t *testing.T) {
	good := NewIndex(indexed).data
	for n := checkedFrom; n < len(good); n++ {
		for _, value := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[n] = value
			binary.LittleEndian.PutUint32(bad[12:], crc32.Checksum(bad[checkedFrom:], castagnoli))
			if x, err := OpenIndex(bad); err == nil {
				useAll(x)
			}
		}
	}
}

func FuzzOpenIndex(f *testing.F) {
	f.Add(NewIndex(indexed).data)
	f.Add(NewIndex(nil).data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= headerSize {
			copy(data, indexMagic)
			binary.LittleEndian.PutUint32(data[8:], indexVersion)
			binary.LittleEndian.PutUint32(data[12:], crc32.Checksum(data[checkedFrom:], castagnoli))
		}
		if x, err := OpenIndex(data); err == nil {
			useAll(x)
		}
	})
}

func BenchmarkNewIndex(b *testing.B) {
	pkgs := readAll(b, "2014-08-x86_64", "core", "extra", "community")
	b.ReportAllocs()
	for b.Loop() {
		NewIndex(pkgs)
	}
}

func BenchmarkOpenIndex(b *testing.B) {
	pkgs := readAll(b, "2014-08-x86_64", "core", "extra", "community")
	data := NewIndex(pkgs).data
	for _, lookups := range []int{0, 200} {
		b.Run(fmt.Sprintf("and %d lookups", lookups), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x, err := OpenIndex(data)
				if err != nil {
					b.Fatal(err)
				}
				for i := range lookups {
					x.Lookup(pkgs[i*33].Name)
				}
			}
		})
	}
}
