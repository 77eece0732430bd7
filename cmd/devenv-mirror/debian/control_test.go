package debian

import (
	"reflect"
	"strings"
	"testing"
)

const list = `Package: zlib1g
Source: zlib
Version: 1:1.2.13.dfsg-1
Architecture: amd64
Pre-Depends: dpkg (>= 1.15)
Depends: libc6 (>= 2.14), awk | mawk:any [amd64], perl:any
Provides: libz1 (= 1.2.13), libz
Description: compression library - runtime
 zlib is a library.
Homepage: https://zlib.net/
Size: 86660
SHA256: aa

Package: old
Version: 1
Architecture: amd64
Status: install ok installed

Package: foreign
Version: 1
Architecture: i386
SHA256: bb

Package: libssl3t64
Version: 3.0-1
Architecture: amd64
SHA256: cc

Package: gcc-9
Version: 9-1
Architecture: amd64
SHA256: dd

Package: gcc-12
Version: 12-1
Architecture: amd64
SHA256: ee

Package: gcc-12-base
Version: 12-1
Architecture: amd64
SHA256: ff
`

func read(t *testing.T) *Available {
	t.Helper()
	a, err := Read("amd64", strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestReadPackage(t *testing.T) {
	got := read(t).Get("zlib1g")
	want := &Package{
		Name: "zlib1g", Version: "1:1.2.13.dfsg-1", Arch: "amd64", Source: "zlib",
		Depends: [][]Relation{
			{{Name: "dpkg", Op: ">=", Version: "1.15"}},
			{{Name: "libc6", Op: ">=", Version: "2.14"}},
			{{Name: "awk"}, {Name: "mawk"}},
			{{Name: "perl"}},
		},
		Provides: []string{"libz1", "libz"}, Description: "compression library - runtime",
		Homepage: "https://zlib.net/", Size: 86660, SHA256: "aa",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if name := got.Filename(); name != "zlib1g_1%3a1.2.13.dfsg-1_amd64.deb" {
		t.Errorf("file name %s", name)
	}
}

func TestWhatCannotBeFetchedIsLeftOut(t *testing.T) {
	for _, name := range []string{"old", "foreign"} {
		if read(t).Get(name) != nil {
			t.Errorf("%s is there", name)
		}
	}
}

func TestMatch(t *testing.T) {
	for pattern, want := range map[string][]string{
		"gcc-#":      {"gcc-9", "gcc-12"},
		"gcc-#-base": {"gcc-12-base"},
		"libssl3":    {"libssl3t64"},
		"libssl#":    {"libssl3t64"},
		"zlib1g":     {"zlib1g"},
		"none":       nil,
		"none#":      {},
	} {
		if got := read(t).Match(pattern); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
	if got := read(t).Providers("libz"); !reflect.DeepEqual(got, []string{"zlib1g"}) {
		t.Errorf("providers of libz: %q", got)
	}
}
