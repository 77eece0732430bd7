package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"devenv/env/manifest/tomlfile"
)

func loadText(t testing.TB, text string) *Manifest {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "p", FileName)
	writeFile(t, path, text)
	m, err := Load(path, options(dir))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b", "c")
	if err := os.MkdirAll(filepath.Join(deep, FileName), 0o755); err != nil { // a directory of that name is none
		t.Fatal(err)
	}
	if path, err := Find(deep); err == nil && strings.HasPrefix(path, dir) {
		t.Errorf("found %s where there is none", path)
	} else if err != nil {
		var e *Error
		want := fmt.Sprintf("there is no devenv.toml in %s or in a directory above it\nhint: `devenv init` makes one in the current directory", deep)
		if !errors.Is(err, ErrNotFound) || !errors.As(err, &e) || err.Error() != want {
			t.Errorf("got %v", err)
		}
	}
	want := filepath.Join(dir, "a", FileName)
	writeFile(t, want, "")
	for _, from := range []string{deep, filepath.Join(dir, "a"), filepath.Join(deep, "gone")} {
		if path, err := Find(from); err != nil || path != want {
			t.Errorf("from %s: %s, %v", from, path, err)
		}
	}
	t.Chdir(deep)
	if path, err := Find("."); err != nil || path != want {
		t.Errorf("from .: %s, %v", path, err)
	}
}

func TestSuggest(t *testing.T) {
	candidates := []string{"make", "cmake", "git", "gcc", "python", "base-devel", "ninja", "imake"}
	for word, want := range map[string]string{
		"cmak": "cmake", "mkae": "make", "gti": "git", "Python": "python", "pyhton": "python", "base-devle": "base-devel",
		"xyz": "", "": "", "amake": "cmake", "zzzzzzzzzzzz": "", "base_devel": "base-devel",
	} {
		if got := Suggest(word, candidates); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestExpand(t *testing.T) {
	look := func(name string) string { return "<" + name + ">" }
	for value, want := range map[string]string{
		"":                 "",
		"plain":            "plain",
		"$A/b:${C_1}d$":    "<A>/b:<C_1>d$",
		"$$A $$$A":         "$A $<A>",
		"$1 $- ${-} ${A":   "$1 $- ${-} ${A",
		"é$É$_":            "é$É<_>",
		"${A}${B}":         "<A><B>",
		"$A$B-$C.":         "<A><B>-<C>.",
		"C:\\$HOME\\${X}y": "C:\\<HOME>\\<X>y",
	} {
		if got := Expand(value, look); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
	if got := References("$A ${B} $$C $A"); !slices.Equal(got, []string{"A", "B", "A"}) {
		t.Errorf("references: %q", got)
	}
}

func TestHostPatterns(t *testing.T) {
	for _, c := range []struct {
		inner, outer string
		want         bool
	}{
		{"build-7", "build-*", true},
		{"build-*", "build-7", false},
		{"build-7*", "build-*", true},
		{"build-*", "b*", true},
		{"*", "b*", false},
		{"b*", "*", true},
		{"a*", "a?", false},
		{"a?", "a*", true},
		{"a*", "a?*", false},
		{"[ab]x", "?x", true},
		{"[ab]x", "[ab]x", true},
		{"[ab]x", "ax", false},
		{"build-7.farm.example", "build-7", true},
		{"build-7", "build-7.farm.example", false},
		{"WS", "ws*", true},
		{"*x", "x*", false},
	} {
		if got := within(c.inner, c.outer); got != c.want {
			t.Errorf("%s within %s: %v", c.inner, c.outer, got)
		}
	}
	sections := []string{"*", "build-*", "build-7", "web-*", "web-1", "*-1"}
	for host, want := range map[string]string{
		"build-7": "build-7", "build-8": "build-*", "other": "*", "web-1": "web-1", "BUILD-8.x": "build-*", "": "*",
	} {
		if kind, other := kindOf(sections, host); kind != want || other != "" {
			t.Errorf("%s is of the kind %s (%s), want %s", host, kind, other, want)
		}
	}
	if _, other := kindOf(sections, "build-1"); other == "" {
		t.Error("build-1 is both build-* and *-1, and nobody said which counts more")
	}
	if got := generalToSpecific(sections, "web-1"); fmt.Sprint(got) != "[* *-1 web-* web-1]" {
		t.Errorf("sections of web-1: %q", got)
	}
}

func TestVariants(t *testing.T) {
	m := loadText(t, "[packages]\na = \"1\"\n[host.\"b-*\".packages]\nb = \"*\"\n[host.b-1.packages]\na = \"2\"\n")
	got := ""
	for _, v := range m.Variants() {
		got += v.Host + ":"
		for _, p := range v.Manifest.Packages {
			got += " " + p.Name + " " + p.Pin.String()
		}
		got += "; "
	}
	if want := "*: a 1; b-*: a 1 b *; b-1: a 2 b *; "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !slices.Equal(m.Hosts(), []string{"b-*", "b-1"}) {
		t.Errorf("hosts %q", m.Hosts())
	}
	for host, want := range map[string]string{"b-1.example": "b-1", "b-2": "b-*", "c": "*"} {
		if v, err := m.ForHost(host); err != nil || v.Host != want || v.ResolutionDigest() != m.ResolutionDigest() {
			t.Errorf("%s: %v, %v", host, v, err)
		}
	}
}

func TestResolutionDigest(t *testing.T) {
	const text = "[packages]\ngcc = \">=14, <15\"\n\"core/git\" = \"*\"\n"
	digest := loadText(t, text).ResolutionDigest()
	if !strings.HasPrefix(digest, "sha256:") || len(digest) != 71 {
		t.Fatal(digest)
	}
	for _, same := range []string{
		"# a comment\n" + text,
		"[packages]\ngit = { repo = 'core' }\ngcc = \" >= 14,<15 \"\n",
		text + "[env]\nA = \"1\"\n[mirrors]\nservers = [\"/x/$repo\"]\n[home]\nmode = \"empty\"",
		"snapshot = \"latest\"\n" + text,
		text + "[packages.gcc_]\n"[:0],
	} {
		if loadText(t, same).ResolutionDigest() != digest {
			t.Errorf("another digest for\n%s", same)
		}
	}
	seen := map[string]string{digest: text}
	for _, other := range []string{
		strings.Replace(text, "15", "16", 1),
		strings.Replace(text, "core", "extra", 1),
		"snapshot = \"2026-11-20\"\n" + text,
		"arch = \"aarch64\"\n" + text,
		"base = []\n" + text,
		text + "make = \"*\"\n",
		text + "x = { with = [\"y\"] }\n",
		text + "x = { snapshot = \"2026-11-20\" }\n",
		text + "[host.ws.packages]\nmake = \"*\"\n",
		text + "[host.ws2.packages]\nmake = \"*\"\n",
		text + "[mirrors]\nrepos = [\"core\"]\n",
		text + "[[mirrors.repo]]\nname = \"x\"\nservers = [\"/x\"]\n",
	} {
		d := loadText(t, other).ResolutionDigest()
		if same := seen[d]; same != "" {
			t.Errorf("one digest for\n%s\nand\n%s", same, other)
		}
		seen[d] = other
	}
}

func TestReposFor(t *testing.T) {
	for day, want := range map[string]string{"": "[core extra]", "2023-05-21": "[core extra]", "2023-05-20": "[core extra community]", "2014-01-01": "[core extra community]"} {
		if got := fmt.Sprint(ReposFor(day)); got != want {
			t.Errorf("%s: %s", day, got)
		}
	}
	if got := ServerURL("https://m/$repo/os/$arch", "core", "x86_64"); got != "https://m/core/os/x86_64" {
		t.Error(got)
	}
}

// TestOddFiles gives Load what is no plain file. It must say so, and not wait.
func TestOddFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path, options(dir))
	if err == nil || !strings.Contains(err.Error(), "cannot be read: not a regular file") {
		t.Errorf("a named pipe: %v", err)
	}
	os.Remove(path)
	if err := os.WriteFile(path, make([]byte, maxFile+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err = Load(path, options(dir)); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Errorf("a large file: %v", err)
	}
	writeFile(t, path, "")
	if err := os.Mkdir(filepath.Join(dir, LocalFileName), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err = Load(path, options(dir)); err == nil || !strings.Contains(err.Error(), "devenv.local.toml: cannot be read: not a regular file") {
		t.Errorf("a directory: %v", err)
	}
}

// TestProcess asks the process and the machine for what no Options give.
func TestProcess(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", "relative/is/ignored")
	t.Setenv(mirrorVar, "")
	writeFile(t, filepath.Join(dir, ".config/devenv/config.toml"), "[env]\nU = \"1\"\n")
	writeFile(t, filepath.Join(dir, FileName), "")
	t.Chdir(dir)
	m, err := Load(FileName, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Env) != 1 || m.Arch != MachineArch() || m.Dir != dir {
		t.Errorf("%s", describe(m))
	}
}

// TestLoadUser has a user's file and no project: what would be the project's
// is not read.
func TestLoadUser(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "p", FileName), "nonsense")
	writeFile(t, filepath.Join(dir, "p", LocalFileName), "nonsense")
	writeFile(t, filepath.Join(dir, "home/.config/devenv/config.toml"), "[env]\nU = \"1\"\n[mirrors]\nkeyring = \"k.gpg\"\n")
	m, err := LoadUser(filepath.Join(dir, "p"), options(dir))
	if err != nil || len(m.Env) != 1 || len(m.Packages) != 0 || m.Mirrors.Keyring != filepath.Join(dir, "home/.config/devenv/k.gpg") {
		t.Fatalf("%v, %+v", err, m)
	}
	os.Remove(filepath.Join(dir, "home/.config/devenv/config.toml"))
	if m, err := LoadUser(filepath.Join(dir, "p"), options(dir)); err != nil || !m.BaseDefault || m.Mirrors.SigLevel != SigRequired {
		t.Fatalf("without a user's file: %v, %+v", err, m)
	}
}

func FuzzLoad(f *testing.F) {
	for _, name := range []string{"manual", "syntax-forms", "err-packages", "err-tables", "err-mirrors", "hosts"} {
		b, err := os.ReadFile(filepath.Join("testdata/load", name+".txt"))
		if err != nil {
			f.Fatal(err)
		}
		_, text, _ := strings.Cut(string(b), "devenv.toml --\n")
		text, _, _ = strings.Cut(text, "\n-- ")
		f.Add([]byte(text+"\n"), []byte("[env]\nA = \"$B\"\n"))
	}
	f.Fuzz(func(t *testing.T, project, local []byte) {
		files := &reader{files: map[string]*content{
			"/nowhere/p/" + FileName:      {data: project, mode: 0o644},
			"/nowhere/p/" + LocalFileName: {data: local, mode: 0o644},
		}}
		m, err := load("/nowhere/p/"+FileName, options("/nowhere"), true, files)
		if err != nil {
			if len(tomlfile.List(err)) == 0 {
				t.Fatalf("%v is no *Error", err)
			}
			return
		}
		for _, v := range m.Variants() {
			if v.Manifest.ResolutionDigest() != m.ResolutionDigest() {
				t.Fatal("a view has another digest")
			}
		}
		for _, p := range m.Packages {
			if p.Name == "" || !p.Pos.IsValid() {
				t.Fatalf("%+v", p)
			}
		}
		describe(m)
	})
}

func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	path := filepath.Join(dir, "p", FileName)
	writeFile(b, path, string(Template("2026-11-20"))+"[packages.git]\nversion = \">=2\"\nfiles = { \"/etc/x\" = \"y\" }\n")
	for b.Loop() {
		if _, err := Load(path, options(dir)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSuggest(b *testing.B) {
	var names []string
	for i := range 15000 {
		names = append(names, fmt.Sprintf("python-package-%d", i))
	}
	for b.Loop() {
		Suggest("python-pacakge-1234", names)
	}
}

func TestLookUp(t *testing.T) {
	m := loadText(t, "[packages]\na = \"1\"\n[tasks]\nb = \"x\"\n")
	if p := m.Package("a"); p == nil || p.Pin.String() != "1" || m.Package("b") != nil {
		t.Error("package a")
	}
	if k := m.Task("b"); k == nil || k.Command != "x" || m.Task("a") != nil {
		t.Error("task b")
	}
}
