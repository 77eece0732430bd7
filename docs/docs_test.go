package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTopicsAreTheSections(t *testing.T) {
	var titles, names []string
	for _, topic := range Topics() {
		titles = append(titles, topic.Title)
		names = append(append(names, topic.Name), topic.Also...)
		if strings.TrimSpace(topic.Markdown) == "" {
			t.Errorf("%s: reference.md has no section %q", topic.Name, topic.Title)
		}
		for _, name := range append(topic.Also, topic.Name, strings.ToUpper(topic.Name)) {
			if found, ok := Find(name); !ok || found.Name != topic.Name {
				t.Errorf("%s finds %q", name, found.Name)
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(reference, -1) {
		if !slices.Contains(titles, m[1]) {
			t.Errorf("the section %q is no topic", m[1])
		}
	}
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name is that of two topics: %q", names)
	}
}

func TestTextFits(t *testing.T) {
	for _, topic := range Topics() {
		for _, width := range []int{80, 100} {
			for line := range strings.Lines(topic.Text(width)) {
				line = strings.TrimRight(line, "\n")
				if utf8.RuneCountInString(line) > width && !strings.HasPrefix(line, "    ") {
					t.Errorf("%s: %d columns are too few for %q", topic.Name, width, line)
				}
				if strings.TrimRight(line, " ") != line || strings.Contains(line, "](") || strings.Contains(line, "**") {
					t.Errorf("%s: %q", topic.Name, line)
				}
			}
		}
	}
}

func TestText(t *testing.T) {
	const markdown = "A [link](other.md), `code`\nand **more** of [it](https://x.example).\n\n" +
		"- one item\n  goes on\n- two\n\n" +
		"| head | of it |\n|---|---|\n| `a` | b \\| c |\n| long | and longer than that |\n\n" +
		"| | |\n|---|---|\n| x | |\n\n```\nas   it is\n```\n"
	const want = `A link, ` + "`code`" + ` and
more of it
(https://x.example).

- one item goes on
- two

head  of it
a     b | c
long  and longer
      than that

x

    as   it is
`
	if got := Text(markdown, 20); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// sources is the program's text, without tests.
func sources(t *testing.T) string {
	t.Helper()
	var source strings.Builder
	for _, dir := range []string{"cmd/devenv", "env", "cache", "layers", "shellhooks"} {
		err := filepath.WalkDir(filepath.Join("..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			source.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return source.String()
}

// Messages that are explained are those that are printed.
func TestErrorsAreTheProgramsOwn(t *testing.T) {
	source := sources(t)
	topic, _ := Find("errors")
	n := 0
	for _, block := range Blocks(topic.Markdown) {
		if !strings.HasPrefix(block[0], "|") {
			continue
		}
		for _, row := range Rows(block)[1:] {
			for part := range strings.SplitSeq(strings.Trim(row[0], "`"), "…") {
				n++
				part = strings.TrimSpace(part)
				named := strings.ReplaceAll(part, "devenv.toml", "%s")
				if !strings.Contains(source, part) && !strings.Contains(source, named) {
					t.Errorf("nothing prints %q", part)
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d messages were looked for", n)
	}
}

func TestVariablesAreExplained(t *testing.T) {
	topic, _ := Find("environment")
	for _, name := range regexp.MustCompile(`"DEVENV_[A-Z_]+"`).FindAllString(sources(t), -1) {
		if !strings.Contains(topic.Markdown, "`"+strings.Trim(name, `"`)) {
			t.Errorf("%s is not in reference.md", name)
		}
	}
}

// What the documentation links to is there.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../README.md", "../CONTRIBUTING.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range links().FindAllStringSubmatch(string(text), -1) {
			target, anchor, _ := strings.Cut(m[2], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			linked, err := os.ReadFile(file)
			if info, statErr := os.Stat(file); statErr == nil && info.IsDir() {
				err = nil
			}
			if err != nil {
				t.Errorf("%s: %v", page, err)
			}
			if anchor != "" && !slices.Contains(anchors(string(linked)), anchor) {
				t.Errorf("%s: %s has no section %s", page, file, anchor)
			}
		}
	}
}

// anchors are the names that a forge gives to the headings of a page.
func anchors(text string) (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}
