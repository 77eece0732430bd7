package manifest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden parts of testdata anew")

// TestLoad reads the archives of testdata/load. The text before the first file
// has, one a line: env NAME=VALUE; host NAME; show REGEXP, which lines of the
// description to compare. The file "want" has the description, or the error.
func TestLoad(t *testing.T) {
	paths, err := filepath.Glob("testdata/load/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no archives", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) { testArchive(t, path) })
	}
}

func testArchive(t *testing.T, path string) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir, want := t.TempDir(), ""
	for _, f := range a.Files {
		if f.Name == "want" {
			want = string(f.Data)
			continue
		}
		writeFile(t, filepath.Join(dir, f.Name), string(f.Data))
	}
	got := ""
	opt, show := directives(t, string(a.Comment), dir)
	m, err := Load(filepath.Join(dir, "p", FileName), opt)
	if err != nil {
		got = err.Error() + "\n"
	} else {
		for _, line := range strings.SplitAfter(describe(m), "\n") {
			if show.MatchString(line) {
				got += line
			}
		}
	}
	got = strings.ReplaceAll(got, dir, "$DIR")
	if *update {
		setFile(a, "want", got)
		if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func directives(t *testing.T, comment, dir string) (Options, *regexp.Regexp) {
	opt, show := options(dir), regexp.MustCompile("")
	env := map[string]string{}
	opt.Getenv = func(name string) string { return env[name] }
	for _, line := range strings.Split(strings.TrimSpace(comment), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "env":
			name, value, _ := strings.Cut(rest, "=")
			env[name] = strings.ReplaceAll(value, "$DIR", dir)
		case "host":
			opt.Hostname = rest
		case "show":
			show = regexp.MustCompile(rest)
		case "#", "":
		default:
			t.Fatalf("unknown directive %q", line)
		}
	}
	return opt, show
}

// options are those of a test: nothing of this machine.
func options(dir string) Options {
	return Options{
		Getenv: func(string) string { return "" },
		Home:   filepath.Join(dir, "home"), Hostname: "somehost", Arch: "x86_64", WorkDir: filepath.Join(dir, "p"),
	}
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func setFile(a *txtar.Archive, name, text string) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = []byte(text)
			return
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)})
}

// describe prints all that a manifest says.
func describe(m *Manifest) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("host %s of %q, snapshot %q (%s), arch %s (%s)", m.Host, m.Hosts(), m.Snapshot, m.SnapshotPos, m.Arch, m.ArchPos)
	p("base %v, default %v", m.Base, m.BaseDefault)
	for _, i := range m.Inputs {
		p("input %s %v", i.Path, i.Exists)
	}
	for _, k := range m.Packages {
		p("package %s (%s) pin %s (%s) repo %q (%s) snapshot %q (%s)", k.Name, k.Pos, k.Pin, k.PinPos, k.Repo, k.RepoPos, k.Snapshot, k.SnapPos)
		p("package %s with %v expose %v %v env %v on-enter %q overwrite %v", k.Name, k.With, k.Expose, k.ExposeSet, k.Env, k.OnEnter, k.Overwrite)
		for _, f := range k.Files {
			p("package %s file %s (%s) %v %q from %q", k.Name, f.Target, f.Pos, f.Mode, f.Data, f.Source)
		}
	}
	for _, v := range m.Env {
		p("env %s=%s (%s)", v.Name, v.Value, v.Pos)
	}
	p("shell %q (%s) on-enter %q aliases %v", m.Shell.Command, m.Shell.Pos, m.Shell.OnEnter, m.Shell.Aliases)
	for _, t := range m.Tasks {
		p("task %s (%s) %q depends %v dir %s env %v", t.Name, t.Pos, t.Command, t.Depends, t.Dir, t.Env)
	}
	p("home %s (%s) keep %v", m.Home.Mode, m.Home.ModePos, m.Home.Keep)
	p("locale %v options %v cache %v", m.Locale.Generate, m.Options, m.Cache)
	p("mirrors archive %s keyring %q optional %v siglevel %s env %q", m.Mirrors.Archive, m.Mirrors.Keyring, m.Mirrors.KeyringOptional, m.Mirrors.SigLevel, m.Mirrors.FromEnv)
	for _, r := range m.Mirrors.Repositories(m.Snapshot) {
		p("repository %s %v %q %s extra %v", r.Name, r.Servers, r.Keyring, r.SigLevel, r.Extra)
	}
	return b.String()
}
