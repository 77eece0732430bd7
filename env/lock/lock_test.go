package lock

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"devenv/env/manifest/tomlfile"
)

var update = flag.Bool("update", false, "write the golden files anew")

func sum(c string) string { return strings.Repeat(c, 64) }

// sample has every key that a lock may have.
func sample() *Lock {
	return &Lock{
		Snapshot: "2026-11-20", Arch: "x86_64", Inputs: "sha256:" + sum("a"), Hosts: []string{"*", "work-*", "workstation"},
		Trust: Trust{SigLevel: "required", Keyring: "archlinux-keyring 20241203-1", Digest: "sha256:" + sum("b")},
		Packages: []Package{
			{Name: "bash", Version: "5.2.037-1", Repo: "core", Arch: "x86_64", Size: 1920133, SHA256: sum("1"), File: "bash-5.2.037-1-x86_64.pkg.tar.zst", By: []string{"bash", "make"}, Base: true, Signer: strings.Repeat("AB", 20)},
			{Name: "cuda", Version: "12.6.3-1", Repo: "extra", Arch: "x86_64", Size: 2, SHA256: sum("2"), File: "cuda-12.6.3-1-x86_64.pkg.tar.zst", By: []string{"cuda"}, Hosts: []string{"workstation"}},
			{Name: "gcc", Version: "13.2.1-6", Arch: "x86_64", Size: 3, SHA256: sum("3"), File: "gcc-13.2.1-6-x86_64.pkg.tar.zst", By: []string{"base-devel"}, Hosts: []string{"work-*", "workstation"}, From: Archive},
			{Name: "gcc", Version: "14.2.1+r753+g1cd744a6828f-1", Repo: "core", Arch: "x86_64", Size: 4, SHA256: sum("4"), File: "gcc-14.2.1+r753+g1cd744a6828f-1-x86_64.pkg.tar.zst", Hosts: []string{"*"}},
			{Name: "icu", Version: "76.1-1", Repo: "core", Arch: "x86_64", Size: 5, SHA256: sum("5"), File: "icu-76.1-1-x86_64.pkg.tar.zst"},
			{Name: "icu", Version: "74.2-2", Arch: "x86_64", Size: 6, SHA256: sum("6"), File: "icu-74.2-2-x86_64.pkg.tar.zst", From: Archive, Compat: "kicad", By: []string{"kicad"}},
			{Name: "kicad", Version: "1:8.0.3-1", Repo: "extra", Arch: "any", Size: 7, SHA256: sum("7"), File: "kicad-1:8.0.3-1-any.pkg.tar.xz", From: "2024-06-12"},
		},
	}
}

func TestMarshal(t *testing.T) {
	text := Marshal(sample())
	golden(t, "sample.lock", text)

	shuffled := sample()
	slices.Reverse(shuffled.Packages)
	slices.Reverse(shuffled.Packages[6].By)
	if !bytes.Equal(Marshal(shuffled), text) {
		t.Error("the order of what is given decides the bytes")
	}
	got, err := Parse("devenv.lock", text)
	if err != nil {
		t.Fatal(err)
	}
	if want := sample(); !reflect.DeepEqual(got, want) {
		t.Errorf("read back:\n%+v\nwant:\n%+v", got, want)
	}
	if _, err := Parse("devenv.lock", bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))); err != nil {
		t.Errorf("with other line ends: %v", err)
	}
	var peer map[string]any
	if _, err := toml.Decode(string(text), &peer); err != nil || len(peer["package"].([]map[string]any)) != 7 {
		t.Errorf("the other TOML library: %v", err)
	}
}

func TestMarshalSmall(t *testing.T) {
	l := &Lock{Arch: "x86_64", Inputs: "sha256:" + sum("0"), Hosts: []string{"*"}}
	text := Marshal(l)
	got, err := Parse("devenv.lock", text)
	if err != nil || !reflect.DeepEqual(got, l) {
		t.Errorf("%+v, %v from\n%s", got, err, text)
	}
}

// TestSmallDiff changes one package: nothing else but the header may differ.
func TestSmallDiff(t *testing.T) {
	a, b := sample(), sample()
	b.Packages[4].Version = "76.2-1"
	b.Packages[0].By = append(b.Packages[0].By, "meson")
	before := strings.Split(string(Marshal(a)), "\n")
	var changed []string
	for _, line := range strings.Split(string(Marshal(b)), "\n") {
		if !slices.Contains(before, line) {
			changed = append(changed, line)
		}
	}
	if len(changed) != 3 || changed[1] != `  "meson",` || changed[2] != `version = "76.2-1"` {
		t.Errorf("changed lines: %q", changed)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (run with -update and look at the difference):\n%s", path, got)
	}
}

// TestErrors changes the sample in one way at a time and compares the errors
// with testdata/errors.golden.
func TestErrors(t *testing.T) {
	text := string(Marshal(sample()))
	var got strings.Builder
	for _, c := range []struct{ old, new string }{
		{`"bash"`, `"../bash"`},
		{`"bash"`, `"-bash"`},
		{`"5.2.037-1"`, `"5.2.037"`},
		{`"5.2.037-1"`, `"../5-1"`},
		{`"core"`, `"co re"`},
		{`"core"`, `"co/re"`},
		{`arch = "x86_64"` + "\nsize", `arch = "aarch64"` + "\nsize"},
		{"1920133", "-1"},
		{"1920133", "1.5"},
		{"1920133", `"1"`},
		{sum("1"), sum("1")[1:]},
		{sum("1"), strings.ToUpper(sum("a"))},
		{`"bash-5`, `"a/../../bash-5`},
		{`"bash-5`, `".bash-5`},
		{`"bash-5`, `"bash\u0000-5`},
		{`  "bash",` + "\n  \"make\",", `  "make",` + "\n  \"bash\","},
		{`  "make",`, `  "ma\nke",`},
		{`hosts = ["workstation"]`, `hosts = ["laptop"]`},
		{`hosts = ["*"]`, `hosts = ["*", "workstation"]`},
		{`base = true`, `base = "yes"`},
		{`from = "archive"`, `from = "somewhere"`},
		{`from = "2024-06-12"`, `from = "2024-13-12"`},
		{`signer = "AB`, `signer = "XY`},
		{`base = true`, `bsae = true`},
		{"name = \"cuda\"\n", ""},
		{"repo = \"extra\"\n", ""},
		{"name = \"cuda\"", `name = "aaa"`},
		{"version = 1\n", "version = 2\n"},
		{"version = 1\n", "version = \"1\"\n"},
		{"version = 1\n", ""},
		{`snapshot = "2026-11-20"`, `snapshot = "2026-11-31"`},
		{`siglevel = "required"`, `siglevel = "maybe"`},
		{"[trust]\n", "[[trust]]\n"},
		{"[[package]]\nname = \"bash\"", "[package]\nname = \"bash\""},
		{"[[package]]\nname = \"bash\"", "package = []\n[[package]]\nname = \"bash\""},
		{"name = \"bash\"", "name = bash"},
		{"5.2.037-1", "5.2.038-1"},
		{"checksum = ", "# checksum = "},
		{"# Written", "# Also written"},
		{"name = \"bash\"\n", "<<<<<<< HEAD\nname = \"bash\"\n=======\nname = \"bash\"\n>>>>>>> other\n"},
	} {
		changed := strings.Replace(text, c.old, c.new, 1)
		if changed == text {
			t.Fatalf("%q is not in the sample", c.old)
		}
		fmt.Fprintf(&got, "== %q → %q\n", c.old, c.new)
		_, err := Parse("devenv.lock", []byte(changed))
		if len(tomlfile.List(err)) == 0 {
			t.Errorf("%q → %q: %v", c.old, c.new, err)
			continue
		}
		if !errors.Is(err, ErrEdited) && !errors.Is(err, ErrMerge) && !errors.Is(err, ErrNewer) {
			t.Errorf("%q → %q: nobody can tell what to do about: %v", c.old, c.new, err)
		}
		got.WriteString(err.Error() + "\n\n")
	}
	golden(t, "errors.golden", []byte(got.String()))
}

func TestForeign(t *testing.T) {
	for _, text := range []string{
		"{\n  \"nodes\": {\n    \"devenv\": {\n      \"locked\": {}\n    },\n    \"root\": {}\n  },\n  \"root\": \"root\",\n  \"version\": 7\n}\n",
		"\xef\xbb\xbf {}",
	} {
		_, err := Parse("devenv.lock", []byte(text))
		if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "left alone") {
			t.Errorf("%q: %v", text, err)
		}
		if _, err := Salvage("devenv.lock", []byte(text)); !errors.Is(err, ErrForeign) {
			t.Errorf("Salvage of %q: %v", text, err)
		}
	}
}

func TestSalvage(t *testing.T) {
	text := string(Marshal(sample()))
	edited := strings.Replace(text, `"5.2.037-1"`, `"5.2.038-1"`, 1)
	l, err := Salvage("devenv.lock", []byte(edited))
	if err != nil || l.Packages[0].Version != "5.2.038-1" {
		t.Errorf("an edited lock: %v", err)
	}
	merge := strings.Replace(text, "version = \"5.2.037-1\"\n", "<<<<<<< HEAD\nversion = \"5.2.038-1\"\n||||||| base\nversion = \"5.2.036-1\"\n=======\nversion = \"5.2.037-1\"\n>>>>>>> other\n", 1)
	if _, err := Parse("devenv.lock", []byte(merge)); !errors.Is(err, ErrMerge) {
		t.Errorf("a merge: %v", err)
	}
	l, err = Salvage("devenv.lock", []byte(merge))
	if err != nil || len(l.Packages) != 7 || l.Packages[0].Version != "5.2.038-1" {
		t.Errorf("a merge: %v", err)
	}
	if _, err := Salvage("devenv.lock", []byte("nonsense")); !errors.Is(err, ErrEdited) {
		t.Errorf("nonsense: %v", err)
	}
}

func TestForHost(t *testing.T) {
	names := func(kind string) (out []string) {
		for _, p := range sample().ForHost(kind) {
			out = append(out, p.Name+p.Version)
		}
		return out
	}
	common := []string{"icu76.1-1", "icu74.2-2", "kicad1:8.0.3-1"}
	for kind, want := range map[string][]string{
		"*":           append([]string{"bash5.2.037-1", "gcc14.2.1+r753+g1cd744a6828f-1"}, common...),
		"work-*":      append([]string{"bash5.2.037-1", "gcc13.2.1-6"}, common...),
		"workstation": append([]string{"bash5.2.037-1", "cuda12.6.3-1", "gcc13.2.1-6"}, common...),
	} {
		if got := names(kind); !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", kind, got, want)
		}
	}
}

func TestDiff(t *testing.T) {
	old, next := sample(), sample()
	next.Packages[0].Version = "5.2.036-1" // bash
	next.Packages[1].Hosts = nil           // cuda: no change
	next.Packages[3].Version = "15.1.1-1"  // gcc of *
	next.Packages[4].SHA256 = sum("e")     // icu
	next.Packages[5].Version = "74.3-1"    // icu for kicad
	next.Packages[6].Version = "2:1.0-1"   // kicad
	next.Packages = append(next.Packages, Package{Name: "make", Version: "4.4-1"})
	next.Packages = slices.Delete(next.Packages, 2, 3) // gcc of work-*
	var got []string
	for _, c := range Diff(old, next) {
		line := string(c.Kind) + " " + c.Name
		if c.Old != nil {
			line += " " + c.Old.Version
		}
		if c.New != nil {
			line += " → " + c.New.Version
		}
		got = append(got, line)
	}
	want := []string{
		"downgraded bash 5.2.037-1 → 5.2.036-1",
		"removed gcc 13.2.1-6",
		"upgraded gcc 14.2.1+r753+g1cd744a6828f-1 → 15.1.1-1",
		"rebuilt icu 76.1-1 → 76.1-1",
		"upgraded icu 74.2-2 → 74.3-1",
		"upgraded kicad 1:8.0.3-1 → 2:1.0-1",
		"added make → 4.4-1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(Diff(old, old)) != 0 || len(Diff(nil, nil)) != 0 || len(Diff(nil, old)) != 7 || len(Diff(old, nil)) != 7 {
		t.Error("the same, nothing, everything: wrong")
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	if err := Write(path, sample()); err != nil {
		t.Fatal(err)
	}
	long := time.Unix(1e9, 0)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, sample()); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); !info.ModTime().Equal(long) {
		t.Error("a lock that did not change was written")
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(FileName, link); err != nil {
		t.Fatal(err)
	}
	other := sample()
	other.Snapshot = ""
	if err := Write(link, other); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); !bytes.Equal(b, Marshal(other)) {
		t.Error("a link was replaced, not the lock")
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 {
		t.Errorf("left over: %v", entries)
	}
	if err := Write(filepath.Join(dir, "gone", FileName), other); err == nil || !strings.Contains(err.Error(), "write ") {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Marshal(sample()))
	f.Add([]byte("{}"))
	f.Add([]byte("version = 1\nchecksum = \"x\"\n[[package]]\n"))
	f.Add([]byte("<<<<<<< a\n=======\n>>>>>>> b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := Parse("devenv.lock", text); err != nil && len(tomlfile.List(err)) == 0 {
			t.Fatalf("%v is no *Error", err)
		}
		l, err := Salvage("devenv.lock", text)
		if err != nil {
			return
		}
		again, err := Parse("devenv.lock", Marshal(l))
		if err != nil || !bytes.Equal(Marshal(again), Marshal(l)) {
			t.Fatalf("not read back: %v\n%s", err, Marshal(l))
		}
	})
}

func BenchmarkParse(b *testing.B) {
	l := &Lock{Arch: "x86_64", Inputs: "sha256:" + sum("0"), Hosts: []string{"*"}}
	for i := range 200 {
		name := fmt.Sprintf("package-%03d", i)
		l.Packages = append(l.Packages, Package{Name: name, Version: "1.2.3-1", Repo: "core", Arch: "x86_64", Size: int64(i), SHA256: sum("1"), File: name + "-1.2.3-1-x86_64.pkg.tar.zst", By: []string{"a", "b", "c"}})
	}
	text := Marshal(l)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse("devenv.lock", text); err != nil {
			b.Fatal(err)
		}
	}
}
