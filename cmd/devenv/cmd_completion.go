package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"devenv/docs"
	"devenv/env"
	"devenv/env/manifest"
	"devenv/shellhooks"
)

// completionCommand prints scripts that ask `devenv _complete` for everything:
// what can be completed is known in one place. cli's own completion is not used,
// because it runs the command line with one more word, and `devenv run make`
// would run make.
func (u *ui) completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a shell's completion script",
		UsageText: "devenv completion bash|zsh|fish",
		Description: examples(
			"devenv completion bash > ~/.local/share/bash-completion/completions/devenv",
			`devenv completion zsh > "${fpath[1]}/_devenv"`,
			"devenv completion fish > ~/.config/fish/completions/devenv.fish"),
		Action: func(c *cli.Context) error {
			script, ok := shellhooks.Completion(c.Args().First())
			if !ok || c.NArg() != 1 {
				return misuse("completion for which shell?").hint("%s", c.Command.UsageText)
			}
			fmt.Fprint(u.out, script)
			return nil
		},
	}
}

// completeCommand answers a completion script. Its arguments are the words of
// the command line behind "devenv" up to the cursor; the last one is being
// written. The first line of the answer says what follows:
//
//	words        candidates, one a line, with a description behind a tab
//	files        complete file names
//	directories  complete directories
//	command N    the words from the Nth on are a command line of their own
func (u *ui) completeCommand() *cli.Command {
	return &cli.Command{
		Name:            "_complete",
		Usage:           "answer a completion script",
		Hidden:          true,
		SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			words := c.Args().Slice()
			if len(words) == 0 {
				words = []string{""}
			}
			ctx, cancel := context.WithTimeout(c.Context, patienceOfATypist)
			defer cancel()
			l := readLine(c.App, words)
			l.answer(ctx, u.out)
			return nil
		},
	}
}

// patienceOfATypist bounds what a completion may take: it reads databases that
// are there, and brings none.
const patienceOfATypist = 700 * time.Millisecond

// line is a command line that is being written.
type line struct {
	command *cli.Command // nil before there is one
	flags   []cli.Flag   // that may stand here
	subs    []*cli.Command
	all     []*cli.Command // of the program
	flag    cli.Flag       // whose value is being written
	dir     string         // of --directory
	args    []string       // of the command, before the last word
	dashes  bool           // "--" was among them
	first   int            // where in the words the first of args stands
	last    string         // the word that is being written
}

func readLine(app *cli.App, words []string) *line {
	l := &line{flags: app.Flags, subs: app.Commands, all: app.Commands, last: words[len(words)-1], dir: "."}
	for i, w := range words[:len(words)-1] {
		switch {
		case l.flag != nil:
			l.value(w)
		case l.dashes || !strings.HasPrefix(w, "-") || w == "-":
			l.word(i, w)
		case w == "--":
			l.dashes = true
		default:
			name, value, has := strings.Cut(w, "=")
			if l.flag = l.find(name); l.flag != nil && has {
				l.value(value)
			}
		}
	}
	return l
}

// find is the option of a name that takes a value.
func (l *line) find(name string) cli.Flag {
	for _, f := range l.flags {
		v, ok := f.(cli.DocGenerationFlag)
		if ok && v.TakesValue() && slices.Contains(f.Names(), strings.TrimLeft(name, "-")) {
			return f
		}
	}
	return nil
}

func (l *line) value(v string) {
	if slices.Contains(l.flag.Names(), "directory") {
		l.dir = v
	}
	l.flag = nil
}

func (l *line) word(i int, w string) {
	for _, sub := range l.subs {
		if sub.HasName(w) {
			l.command, l.flags, l.subs = sub, sub.Flags, sub.Subcommands
			return
		}
	}
	if len(l.args) == 0 {
		l.first = i
	}
	l.args = append(l.args, w)
}

func (l *line) answer(ctx context.Context, w io.Writer) {
	runs := l.command != nil && l.command.Name == "run"
	switch {
	case runs && len(l.args) > 0:
		fmt.Fprintln(w, "command", l.first)
	case l.flag != nil && slices.Contains(l.flag.Names(), "directory"):
		fmt.Fprintln(w, "directories")
	case l.flag != nil:
		fmt.Fprintln(w, "files")
	case strings.HasPrefix(l.last, "-") && !l.dashes:
		l.words(w, l.options())
	case len(l.subs) > 0 && len(l.args) == 0:
		l.words(w, l.commands())
	default:
		os.Chdir(l.dir) // where it cannot, nothing is found either
		l.arguments(ctx, w)
	}
}

// candidate is a word and what it means.
type candidate struct{ word, meaning string }

func (l *line) words(w io.Writer, all []candidate) {
	fmt.Fprintln(w, "words")
	for _, c := range all {
		if strings.HasPrefix(c.word, l.last) && !strings.ContainsAny(c.word, "\t\n") {
			meaning, _, _ := strings.Cut(c.meaning, "\n")
			fmt.Fprintf(w, "%s\t%s\n", c.word, strings.ReplaceAll(meaning, "\t", " "))
		}
	}
}

func (l *line) options() (all []candidate) {
	for _, f := range append(slices.Clone(l.flags), cli.HelpFlag) {
		if v, ok := f.(cli.VisibleFlag); ok && !v.IsVisible() {
			continue
		}
		usage := ""
		if d, ok := f.(cli.DocGenerationFlag); ok {
			usage = strings.ReplaceAll(d.GetUsage(), "`", "")
		}
		for _, name := range f.Names() {
			if len(name) > 1 {
				all = append(all, candidate{"--" + name, usage})
			}
		}
	}
	return all
}

func (l *line) commands() (all []candidate) {
	for _, c := range l.subs {
		if !c.Hidden {
			all = append(all, candidate{c.Name, c.Usage})
		}
	}
	return all
}

// arguments are those of the commands that take some.
func (l *line) arguments(ctx context.Context, w io.Writer) {
	name := ""
	if l.command != nil {
		name = l.command.Name
	}
	switch name {
	case "allow", "deny":
		fmt.Fprintln(w, "directories")
	case "hook":
		l.words(w, wordsOf(append(shellhooks.Names(), "direnv")))
	case "completion":
		l.words(w, wordsOf([]string{"bash", "fish", "zsh"}))
	case "help":
		l.words(w, l.helped())
	case "run":
		l.words(w, append(tasks(), tools()...))
	case "remove":
		l.words(w, wanted())
	case "update", "why":
		l.words(w, locked())
	case "add", "info", "versions", "files", "shell":
		l.words(w, packages(ctx))
	case "owns", "export":
		fmt.Fprintln(w, "files")
	default:
		l.words(w, nil)
	}
}

// helped are the commands and topics that help explains; all is every command.
func (l *line) helped() (all []candidate) {
	l.subs = l.all
	all = l.commands()
	for _, t := range docs.Topics() {
		all = append(all, candidate{t.Name, t.About})
	}
	return all
}

func wordsOf(names []string) (all []candidate) {
	slices.Sort(names)
	for _, n := range names {
		all = append(all, candidate{word: n})
	}
	return all
}

// What cannot be read is not completed: nobody wants to be told in the middle of
// a word.

// project is the manifest of the working directory's project, nil for none.
func project() *manifest.Manifest {
	path, err := manifest.Find(".")
	if err != nil {
		return nil
	}
	m, err := manifest.Load(path, manifest.Options{Getenv: os.Getenv})
	if err != nil {
		return nil
	}
	return m
}

func tasks() (all []candidate) {
	if m := project(); m != nil {
		for _, t := range m.Tasks {
			all = append(all, candidate{t.Name, "task: " + t.Command})
		}
	}
	return all
}

func wanted() (all []candidate) {
	if m := project(); m != nil {
		for _, p := range m.Packages {
			all = append(all, candidate{word: p.Name})
		}
	}
	return all
}

func locked() (all []candidate) {
	p, err := env.Open(".", env.Options{})
	if err != nil {
		return nil
	}
	l, err := p.ReadLock()
	if err != nil || l == nil {
		return nil
	}
	for _, pkg := range l.Packages {
		all = append(all, candidate{pkg.Name, pkg.Version})
	}
	return all
}

// tools are the commands that the project's environment had when it was built
// last.
func tools() []candidate {
	p, err := env.Open(".", env.Options{})
	if err != nil {
		return nil
	}
	uses, err := p.Cache.Uses()
	if err != nil {
		return nil
	}
	var names []string
	for _, use := range uses {
		if use.Project != p.Path {
			continue
		}
		for _, id := range use.Uses.Trees {
			entries, _ := os.ReadDir(filepath.Join(p.Cache.Tree(id), "fs/usr/bin"))
			for _, e := range entries {
				names = append(names, e.Name())
			}
		}
	}
	return wordsOf(slices.Compact(names))
}

func packages(ctx context.Context) (all []candidate) {
	p, err := env.OpenAnywhere(".", env.Options{})
	if err != nil {
		return nil
	}
	repos, err := p.Repos(ctx)
	if err != nil {
		return nil
	}
	var names []string
	for _, r := range repos {
		for n := range r.Index.Names() {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return wordsOf(slices.Compact(names))
}
