package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// about is what `devenv --json help` says of a command, or of the program.
type about struct {
	Name     string
	Aliases  []string
	Usage    string
	Synopsis []string
	Options  []struct{ Names []string }
	Examples []string
	Commands []about
	Topics   []struct{ Name string }
}

func (a about) all() (out []about) {
	for _, c := range a.Commands {
		out = append(append(out, c), c.all()...)
	}
	return out
}

func (a about) options() (names []string) {
	for _, o := range a.Options {
		names = append(names, o.Names...)
	}
	return append(names, "--help", "-h")
}

func aboutDevenv(t *testing.T) (program about) {
	t.Helper()
	if err := json.Unmarshal([]byte(ask(t, "--json", "help")), &program); err != nil {
		t.Fatal(err)
	}
	if len(program.all()) < 25 || len(program.Topics) < 10 {
		t.Fatalf("%d commands, %d topics", len(program.all()), len(program.Topics))
	}
	return program
}

// ask runs devenv where there is no project and no home.
func ask(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(shared.devenv, args...)
	cmd.Dir, cmd.Env = t.TempDir(), []string{"HOME=/nonexistent"}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("devenv %q: %v\n%s", args, err, stderr.String())
	}
	return string(out)
}

// rows are the lines that a text takes on a terminal of 80 columns.
func rows(text string) (n int) {
	for line := range strings.Lines(text) {
		n += max(1, (utf8.RuneCountInString(strings.TrimSuffix(line, "\n"))+79)/80)
	}
	return n
}

func TestHelpFitsAndHasExamples(t *testing.T) {
	program := aboutDevenv(t)
	screen := ask(t, "--help")
	if n := rows(screen); n > 24 {
		t.Errorf("devenv --help takes %d lines", n)
	}
	for _, c := range program.all() {
		words := strings.Fields(c.Name)
		help := ask(t, append(words, "--help")...)
		if again := ask(t, append([]string{"help"}, words...)...); !strings.HasPrefix(again, help[:strings.Index(help, "USAGE:")]) {
			t.Errorf("devenv help %s is not devenv %[1]s --help", c.Name)
		}
		if n := rows(help); n > 30 || n > 24 && len(c.Options) < 6 {
			t.Errorf("devenv %s --help takes %d lines", c.Name, n)
		}
		if m := regexp.MustCompile(`(?m)^   --[a-z-]+ [a-z]+ `).FindString(help); m != "" {
			t.Errorf("devenv %s --help: %q has a value that is none", c.Name, m)
		}
		if len(c.Examples) == 0 || !strings.Contains(help, "EXAMPLES:") {
			t.Errorf("devenv %s --help has no example", c.Name)
		}
		for _, s := range c.Synopsis {
			if !strings.HasPrefix(s+" ", "devenv "+c.Name+" ") {
				t.Errorf("%s: %q", c.Name, s)
			}
		}
		if top := words[0]; !regexp.MustCompile(`\b` + top + `\b`).MatchString(screen) {
			t.Errorf("devenv --help leaves out %s", top)
		}
	}
}

var (
	called = regexp.MustCompile("devenv ([^)\"|`]*)")
	option = regexp.MustCompile(`^--?[a-zA-Z][a-z-]*`)
)

// Every command and option that an example, a synopsis or the documentation
// calls is there.
func TestWhatIsShownExists(t *testing.T) {
	program := aboutDevenv(t)
	for _, c := range program.all() {
		for _, line := range append(c.Examples, c.Synopsis...) {
			line, _, _ = strings.Cut(line+"   ", "   ") // what stands behind explains it
			shown(t, program, c.Name, line)
		}
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range regexp.MustCompile("(?s)```.*?```|`[^`\n]*`").FindAllString(string(text), -1) {
			for line := range strings.Lines(code) {
				line = strings.TrimLeft(strings.Trim(line, "`\n "), "$ ")
				line, _, _ = strings.Cut(line, " #")
				line, _, _ = strings.Cut(line+"   ", "   ")
				if strings.HasPrefix(line, "devenv ") {
					shown(t, program, filepath.Base(page), line)
				}
			}
		}
	}
}

// shown looks at the calls of devenv in a line.
func shown(t *testing.T, program about, where, line string) {
	t.Helper()
	for _, m := range called.FindAllStringSubmatch(line, -1) {
		at, first := program, true
		for word := range strings.FieldsSeq(m[1]) {
			word = strings.Trim(word, "[],;'…")
			if word == "--" || word == "&&" || strings.HasPrefix(word, ">") {
				break
			}
			if strings.HasPrefix(word, "-") {
				name := option.FindString(word)
				if name != "" && !slices.Contains(at.options(), name) && name != "--version" {
					t.Errorf("%s: %q: devenv %s has no option %s", where, line, at.Name, name)
				}
				continue
			}
			i := slices.IndexFunc(at.Commands, func(c about) bool { return c.Name == strings.TrimSpace(at.Name+" "+word) })
			switch {
			case i >= 0:
				at, first = at.Commands[i], false
			case first && !strings.Contains("COMMAND TOPIC DIR", word) && word != "":
				t.Errorf("%s: %q: there is no command %q", where, line, word)
			case at.Name == "run": // the rest is another program's
				return
			}
		}
	}
}

func TestHelpTopics(t *testing.T) {
	program := aboutDevenv(t)
	list := ask(t, "help")
	for _, topic := range program.Topics {
		if !strings.Contains(list, "   "+topic.Name+" ") {
			t.Errorf("devenv help leaves out %s", topic.Name)
		}
		if text := ask(t, "help", topic.Name); strings.Count(text, "\n") < 5 {
			t.Errorf("devenv help %s: %s", topic.Name, text)
		}
	}
	if out := ask(t, "help", "exit", "codes"); !strings.Contains(out, "127") {
		t.Errorf("exit codes: %s", out)
	}
	if out := ask(t, "help", "cache"); !strings.Contains(out, "cache gc") || !strings.Contains(out, "DEVENV_CACHE_DIR") {
		t.Errorf("neither the command nor the topic: %s", out)
	}
	out, err := exec.Command(shared.devenv, "help", "trsut").CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 2 || !strings.Contains(string(out), "did you mean `devenv help trust`?") {
		t.Errorf("%v: %s", err, out)
	}
}

// A command whose synopsis has no argument takes none, and says so.
func TestNoArgumentIsOverlooked(t *testing.T) {
	options := regexp.MustCompile(`\[(-[^\]]*|OPTIONS)\]`)
	n := 0
	for _, c := range aboutDevenv(t).all() {
		synopsis := strings.TrimSpace(options.ReplaceAllString(strings.Join(c.Synopsis, ""), ""))
		if len(c.Commands) > 0 || synopsis != "devenv "+c.Name {
			continue
		}
		n++
		cmd := exec.Command(shared.devenv, append(strings.Fields(c.Name), "surplus")...)
		cmd.Dir, cmd.Env = t.TempDir(), []string{"HOME=" + t.TempDir()}
		out, err := cmd.CombinedOutput()
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 2 || !strings.Contains(string(out), "takes no arguments") {
			t.Errorf("devenv %s surplus: %v: %s", c.Name, err, out)
		}
	}
	if n < 10 {
		t.Errorf("only %d commands were tried", n)
	}
}

// The man pages are made of what the program says; here every word of that is
// looked for in them, and another program reads them.
func TestManPages(t *testing.T) {
	if testing.Short() {
		t.Skip("making the man pages is left out with -short")
	}
	if os.Getenv(again) != "" {
		t.Skip("whoever runs the tests makes the pages")
	}
	dir := t.TempDir()
	make := exec.Command("go", "run", "devenv/docs/manual", "-devenv", shared.devenv, "-man", dir)
	make.Env = append(os.Environ(), "CGO_ENABLED=0", "SOURCE_DATE_EPOCH=1763600000")
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program := aboutDevenv(t)
	for _, c := range program.all() {
		name, _, _ := strings.Cut(c.Name, " ")
		page := plainMan(t, filepath.Join(dir, "devenv-"+name+".1"))
		for _, want := range slices.Concat(c.options()[:len(c.options())-2], c.Examples, c.Synopsis, []string{c.Usage[1:]}) {
			if !strings.Contains(page, squeeze(want)) {
				t.Errorf("devenv-%s(1) leaves out %q", name, want)
			}
		}
	}
	whole := plainMan(t, filepath.Join(dir, "devenv.1"))
	for _, c := range program.Commands {
		if !strings.Contains(whole, "devenv-"+c.Name+"(1)") {
			t.Errorf("devenv(1) leaves out %s", c.Name)
		}
	}
	for page, wants := range map[string][]string{
		"devenv.1":      {"DEVENV_MIRROR", "EXIT STATUS", "--directory DIR", "127", "2025-11-20"},
		"devenv.toml.5": {"packages.NAME.overwrite", ">=3.28, <4", "devenv.local.toml"},
		"devenv.lock.5": {"sha256", "--frozen"},
	} {
		text := plainMan(t, filepath.Join(dir, page))
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s leaves out %q", page, want)
			}
		}
	}
	pages, _ := filepath.Glob(dir + "/*")
	if _, err := exec.LookPath("mandoc"); err != nil {
		t.Skipf("needs mandoc to look for faults: %v", err)
	}
	if out, err := exec.Command("mandoc", append([]string{"-T", "lint", "-W", "warning"}, pages...)...).CombinedOutput(); err != nil {
		t.Errorf("mandoc: %v\n%s", err, out)
	}
}

// What is installed is where programs look for it, and goes again.
func TestInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("installing is left out with -short")
	}
	if os.Getenv(again) != "" {
		t.Skip("whoever runs the tests installs")
	}
	bin, dest := t.TempDir(), t.TempDir()
	if out, err := exec.Command("cp", shared.devenv, bin).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	do := func(target string) {
		cmd := exec.Command("make", "-C", "../..", "-o", "build", target, "BIN="+bin, "DESTDIR="+dest, "PREFIX=/usr")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "MAKEFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	do("install")
	for path, mode := range map[string]os.FileMode{
		"bin/devenv": 0o755, "share/man/man1/devenv.1": 0o644, "share/man/man1/devenv-run.1": 0o644, "share/man/man5/devenv.toml.5": 0o644,
		"share/bash-completion/completions/devenv": 0o644, "share/zsh/site-functions/_devenv": 0o644, "share/fish/vendor_completions.d/devenv.fish": 0o644,
		"share/devenv/devenv.schema.json": 0o644,
	} {
		info, err := os.Stat(filepath.Join(dest, "usr", path))
		if err != nil || info.Mode() != mode || info.Size() == 0 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	do("uninstall")
	left, err := exec.Command("find", dest, "!", "-type", "d").Output()
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %s, %v", left, err)
	}
}

var roff = regexp.MustCompile(`\\f[A-Z]|\\&`)

// plainMan is the text of a page, without what makes it a man page.
func plainMan(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := roff.ReplaceAllString(string(b), "")
	return squeeze(strings.NewReplacer(`\-`, "-", `\\`, `\`).Replace(text))
}

func squeeze(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "`", "")), " ")
}
