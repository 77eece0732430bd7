package manifest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"devenv/env/manifest/tomlfile"
)

// TestEdit reads the archives of testdata/edit. The text before the files has
// commands, one a line: add NAME VERSION, set NAME VERSION, remove NAME. The
// file "after" has the result of all, or the first error.
func TestEdit(t *testing.T) {
	paths, err := filepath.Glob("testdata/edit/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no archives", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := edits(string(a.Comment), a.Files[0].Data)
			if err != nil {
				got = []byte(err.Error() + "\n")
			}
			if *update {
				setFile(a, "after", string(got))
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if string(got) != string(a.Files[1].Data) {
				t.Errorf("got:\n%s\nwant:\n%s", got, a.Files[1].Data)
			}
			// The same with other line ends, and with no end at all.
			if err == nil && len(a.Files[0].Data) > 0 {
				crlf, err := edits(string(a.Comment), []byte(strings.ReplaceAll(string(a.Files[0].Data), "\n", "\r\n")))
				if err != nil || string(crlf) != strings.ReplaceAll(string(got), "\n", "\r\n") {
					t.Errorf("with CRLF: %v:\n%q", err, crlf)
				}
				bare, err := edits(string(a.Comment), []byte(strings.TrimRight(string(a.Files[0].Data), "\n")))
				if err != nil || strings.TrimRight(string(bare), "\n") != strings.TrimRight(string(got), "\n") {
					t.Errorf("without a newline at the end: %v:\n%q", err, bare)
				}
			}
		})
	}
}

func edits(commands string, src []byte) (out []byte, err error) {
	out = src
	for _, line := range strings.Split(strings.TrimSpace(commands), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		name, pin, _ := strings.Cut(rest, " ")
		switch word {
		case "add":
			out, err = Add(out, name, pin)
		case "set":
			out, err = Set(out, name, pin)
		case "remove":
			out, err = Remove(out, name)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pinHint is what to do about a package that is there already.
const pinHint = "\nhint: edit its pin in this line; `devenv update PACKAGE` moves it to the newest version that the pin allows"

func TestEditErrors(t *testing.T) {
	src := []byte("[packages]\ngcc = \"14\"\n\"extra/blas\" = \"*\"\n[host.ws.packages]\ncuda = \"*\"\n")
	for _, c := range []struct {
		do   func() ([]byte, error)
		is   error
		want string
	}{
		{func() ([]byte, error) { return Add(src, "gcc", "*") }, ErrPresent, "devenv.toml:2:1: gcc is there already\n  2 | gcc = \"14\"\n    | ^" + pinHint},
		{func() ([]byte, error) { return Add(src, "blas", "*") }, ErrPresent, "devenv.toml:3:1: blas is there already\n  3 | \"extra/blas\" = \"*\"\n    | ^" + pinHint},
		{func() ([]byte, error) { return Add(src, "core/gcc", "*") }, ErrPresent, "devenv.toml:2:1: gcc is there already\n  2 | gcc = \"14\"\n    | ^" + pinHint},
		{func() ([]byte, error) { return Set(src, "gc", "*") }, ErrAbsent, "devenv.toml: there is no package gc in [packages]\nhint: did you mean `gcc`?"},
		{func() ([]byte, error) { return Remove(src, "cuda") }, ErrAbsent, "devenv.toml: there is no package cuda in [packages]\nhint: cuda is asked for on some hosts alone, in line 5: edit that by hand"},
		{func() ([]byte, error) { return Remove(nil, "x") }, ErrAbsent, "devenv.toml: there is no package x in [packages]"},
		{func() ([]byte, error) { return Add(src, "x", "^1") }, nil, "version of x: \"^1\" is no version; write >=1, <2"},
		{func() ([]byte, error) { return Add(src, "a b", "*") }, nil, "\"a b\" is no name of a package: ' ' cannot be there\nhint: such a name has letters, digits and @ . _ + - :"},
		{func() ([]byte, error) { return Add(src, "/b", "*") }, nil, "the name of a repository is missing"},
		{func() ([]byte, error) { return Add([]byte("packages = 1"), "b", "*") }, nil, "devenv.toml:1:12: packages must be a table, not an integer\n  1 | packages = 1\n    |            ^\nhint: write [packages]"},
		{func() ([]byte, error) { return Set([]byte("[packages]\na = 1"), "a", "*") }, nil, "devenv.toml:2:5: a must be a version or a table, not an integer\n  2 | a = 1\n    |     ^"},
		{func() ([]byte, error) { return Add([]byte("a ="), "b", "*") }, nil, "devenv.toml:1:3: a value is missing\n  1 | a =\n    |   ^\nhint: write, for example, key = \"text\""},
	} {
		_, err := c.do()
		var e *Error
		if !errors.As(err, &e) || c.is != nil && !errors.Is(err, c.is) || err.Error() != c.want {
			t.Errorf("got:\n%v\nwant:\n%s", err, c.want)
		}
	}
}

func TestTemplate(t *testing.T) {
	for _, day := range []string{"", "2026-11-20"} {
		src := Template(day)
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "p", FileName), string(src))
		m, err := Load(filepath.Join(dir, "p", FileName), options(dir))
		if err != nil || m.Snapshot != day {
			t.Errorf("day %q: %v", day, err)
		}
		if _, err := Add(src, "gcc", "14"); err != nil {
			t.Error(err)
		}
		uncommented := strings.NewReplacer("# make ", "make ", "# gcc", "gcc", "# cmake", "cmake", "# CC", "CC", "# build", "build").Replace(string(src))
		writeFile(t, filepath.Join(dir, "p", FileName), uncommented)
		if m, err := Load(filepath.Join(dir, "p", FileName), options(dir)); err != nil || len(m.Packages) != 3 || len(m.Tasks) != 1 {
			t.Errorf("the examples in the template: %v", err)
		}
	}
}

// FuzzEdit adds, changes and removes a package of any file: what comes out must
// mean the same but for that package.
func FuzzEdit(f *testing.F) {
	for _, s := range []string{
		"[packages]\na = \"1\"\n", "packages = { a = '1' }", "packages.a.version = \"1\"\r\n", "[packages.git.env]\nA = \"1\"",
		"packages = { git.env.A = \"1\", x = \"1\" }", "[packages]\n\n# c\ngit.env.A = \"1\"\n[[x]]\n", "\xef\xbb\xbf[packages]#\n[packages.git]#\n[packages.git.files]\n",
	} {
		f.Add([]byte(s), "git")
		f.Add([]byte(s), "extra/c++")
	}
	f.Fuzz(func(t *testing.T, src []byte, name string) {
		before, err := tomlfile.Parse("", "", src)
		if err != nil {
			return
		}
		added, err := Add(src, name, "1.2")
		if errors.Is(err, ErrPresent) {
			changed, err := Set(src, name, "1.2.3")
			if err == nil {
				src = changed
			} else if tomlfile.List(err) == nil {
				t.Fatalf("Set(%q, %q): %v", src, name, err)
			}
			if _, err := Remove(src, name); err != nil {
				t.Fatalf("Remove(%q, %q): %v", src, name, err)
			}
			return
		}
		if err != nil {
			if tomlfile.List(err) == nil {
				t.Fatalf("Add(%q, %q): %v", src, name, err)
			}
			return
		}
		removed, err := Remove(added, name)
		if err != nil {
			t.Fatalf("Remove(%q, %q): %v", added, name, err)
		}
		after, err := tomlfile.Parse("", "", removed)
		if err != nil || !without(after.Root, name).Equal(without(before.Root, name)) {
			t.Fatalf("%q became %q, then %q: %v", src, added, removed, err)
		}
	})
}
