package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"

	"devenv/docs"
)

// writeMan writes all man pages. The sections of reference.md that are not about
// a file are devenv(1)'s, under the names that man pages have for them.
func writeMan(dir string, a *app, date string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	pages := map[string]string{"devenv.1": mainPage(a), "devenv.toml.5": tomlPage(), "devenv.lock.5": lockPage()}
	for _, c := range a.Commands {
		pages["devenv-"+c.Name+".1"] = commandPage(c)
	}
	for name, text := range pages {
		title := strings.TrimSuffix(name, filepath.Ext(name))
		head := fmt.Sprintf("%% %s %s %q %q %q\n\n", title, strings.TrimPrefix(filepath.Ext(name), "."), date, "devenv "+a.Version, "devenv manual")
		if err := os.WriteFile(filepath.Join(dir, name), minus(md2man.Render([]byte(head+text))), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func mainPage(a *app) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# NAME\n\ndevenv - %s\n\n# SYNOPSIS\n\n`devenv` [*OPTIONS*] *COMMAND* …\n\n# DESCRIPTION\n\n", escape(a.Usage))
	fmt.Fprintf(&b, "A file devenv.toml in a directory names the tools that a project needs, with pinned versions. `devenv enter` starts a shell that has them.\n\n```\n%s\n```\n\n", strings.Join(a.Description, "\n"))
	b.WriteString("# OPTIONS\n\n")
	optionList(&b, a.Options)
	b.WriteString("# COMMANDS\n\nEach has a page of its own.\n\n")
	for _, g := range a.Groups {
		fmt.Fprintf(&b, "### %s\n\n", sentence(g.Name))
		for _, name := range g.Commands {
			fmt.Fprintf(&b, "**devenv-%s**(1)\n: %s\n\n", name, escape(a.command(name).Usage))
		}
	}
	named := map[string]string{"environment": "ENVIRONMENT", "exit-codes": "EXIT STATUS", "errors": "DIAGNOSTICS", "words": "COMING FROM OTHER TOOLS"}
	for _, t := range docs.Topics() {
		switch t.Name {
		case "commands", "toml", "pins", "lock":
			continue // above, or pages of their own
		}
		heading := named[t.Name]
		if heading == "" {
			heading = strings.ToUpper(t.Title)
		}
		fmt.Fprintf(&b, "# %s\n\n%s", heading, manual(t.Markdown))
	}
	b.WriteString("# SEE ALSO\n\n**devenv.toml**(5), **devenv.lock**(5), **pacman**(8), **vercmp**(8), **direnv**(1)\n")
	return b.String()
}

func tomlPage() string {
	return "# NAME\n\ndevenv.toml - the tools that a project needs\n\n# DESCRIPTION\n\n" + manual(topic("toml")) +
		"# PINS\n\n" + manual(topic("pins")) +
		"# FILES\n\n" + manual(topic("files")) +
		"# SEE ALSO\n\n**devenv**(1), **devenv-add**(1), **devenv.lock**(5)\n"
}

func lockPage() string {
	return "# NAME\n\ndevenv.lock - the exact packages of a project\n\n# DESCRIPTION\n\n" + manual(topic("lock")) +
		"# SEE ALSO\n\n**devenv**(1), **devenv-lock**(1), **devenv-update**(1), **devenv.toml**(5)\n"
}

func topic(name string) string {
	t, ok := docs.Find(name)
	if !ok {
		panic("no topic " + name)
	}
	return t.Markdown
}

func commandPage(c command) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# NAME\n\ndevenv-%s - %s\n\n# SYNOPSIS\n\n", c.Name, escape(c.Usage))
	synopsis(&b, c)
	if len(c.Aliases) > 0 {
		fmt.Fprintf(&b, "Also called `devenv %s`.\n\n", strings.Join(c.Aliases, "`, `devenv "))
	}
	if len(c.Options) > 0 {
		b.WriteString("# OPTIONS\n\nThose of every command stand before its name; see **devenv**(1).\n\n")
		optionList(&b, c.Options)
	}
	if len(c.Commands) > 0 {
		b.WriteString("# COMMANDS\n\n")
	}
	for _, s := range c.Commands {
		fmt.Fprintf(&b, "### devenv %s\n\n%s.\n\n", s.Name, sentence(escape(s.Usage)))
		synopsis(&b, s)
		optionList(&b, s.Options)
		fmt.Fprintf(&b, "```\n%s\n```\n\n", strings.Join(s.Examples, "\n"))
	}
	fmt.Fprintf(&b, "# EXAMPLES\n\n```\n%s\n```\n\n", strings.Join(c.Examples, "\n"))
	b.WriteString("# SEE ALSO\n\n**devenv**(1), **devenv.toml**(5)\n")
	return b.String()
}

func synopsis(b *bytes.Buffer, c command) {
	for _, s := range c.Synopsis {
		fmt.Fprintf(b, "`%s`\n\n", s)
	}
}

// endOfList keeps what follows from being taken for more of the last item.
const endOfList = "<!-- -->\n\n"

func optionList(b *bytes.Buffer, options []option) {
	for _, o := range options {
		fmt.Fprintf(b, "%s\n: %s\n\n", o.term(), escape(o.explained()))
	}
	b.WriteString(endOfList)
}

// manual is a section as a man page has it: tables are lists of terms, and
// links, which lead to other files of the documentation, are their words.
func manual(markdown string) string {
	var b strings.Builder
	for _, block := range docs.Blocks(markdown) {
		if !strings.HasPrefix(block[0], "|") {
			text := strings.Join(block, "\n")
			if !strings.HasPrefix(text, "```") {
				text = docs.Unlink(text)
			}
			b.WriteString(text + "\n\n")
			continue
		}
		rows := docs.Rows(block)
		for _, row := range rows[1:] {
			fmt.Fprintf(&b, "%s\n: %s\n\n", docs.Unlink(row[0]), docs.Unlink(definition(rows[0], row)))
		}
		b.WriteString(endOfList)
	}
	return b.String()
}

func definition(head, row []string) string {
	text := row[1]
	for i := 2; i < len(row); i++ {
		if row[i] != "" {
			text += ". " + sentence(head[i]) + ": " + row[i]
		}
	}
	return text
}

var hyphen = regexp.MustCompile(`\\?-`)

// minus makes every - one that can be copied into a command line.
func minus(roff []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(roff) {
		if !bytes.HasPrefix(line, []byte(".")) {
			line = hyphen.ReplaceAll(line, []byte(`\-`))
		}
		b.Write(line)
	}
	return b.Bytes()
}
