package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"devenv/docs"
	"devenv/env/manifest"
)

// group is some commands of one purpose.
type group struct {
	Name     string   `json:"name"`
	Commands []string `json:"commands"`
}

// usual are the commands in the order of a day's work.
var usual = []group{
	{"every day", []string{"enter", "run", "shell", "build", "init", "add", "remove"}},
	{"versions", []string{"lock", "update", "versions", "outdated", "diff"}},
	{"asking", []string{"search", "info", "why", "tree", "files", "owns", "show", "check"}},
	{"shells", []string{"hook", "allow", "deny", "completion"}},
	{"disk", []string{"cache", "export"}},
	{"help", []string{"doctor", "help"}},
}

// groups are all commands: usual, and what is in none of them.
func groups(commands []*cli.Command) []group {
	out := slices.Clone(usual)
	other := group{Name: "other"}
	for _, c := range commands {
		grouped := func(g group) bool { return slices.Contains(g.Commands, c.Name) }
		if !c.Hidden && !slices.ContainsFunc(usual, grouped) {
			other.Commands = append(other.Commands, c.Name)
		}
	}
	if other.Commands != nil {
		out = append(out, other)
	}
	return out
}

func (u *ui) helpCommand() *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "explain a command or a topic, or list them",
		UsageText: "devenv help [COMMAND|TOPIC]",
		Description: examples(
			"devenv help                  every command and every topic in a line",
			"devenv help toml             the keys of devenv.toml",
			"devenv help errors           what to do about a message",
			"devenv help cache gc         a command's options"),
		SkipFlagParsing: true, // cli takes --help behind "help" for the program's
		Action: func(c *cli.Context) error {
			words := c.Args().Slice()
			switch {
			case len(words) == 0:
				return u.value(describe(c.App), func(w io.Writer) { overview(w, c.App) })
			case words[0] == "--help", words[0] == "-h":
				words = []string{c.Command.Name}
			case strings.HasPrefix(words[0], "-"):
				return misuse("unknown option %s", words[0]).hint("`devenv help --help` lists the options")
			}
			return u.explain(c.App, words)
		},
	}
}

// explain prints what there is of a name: it may be a command's and a topic's.
func (u *ui) explain(app *cli.App, words []string) error {
	command := find(app.Commands, words)
	topic, known := docs.Find(strings.Join(words, "-"))
	switch {
	case u.json && command != nil:
		return u.value(describeCommand(strings.Join(words[:len(words)-1], " "), command), nil)
	case u.json && known:
		return u.value(aboutTopic{topic.Name, topic.Also, topic.About, topic.Markdown}, nil)
	case command == nil && !known:
		return noTopic(app, words)
	}
	if command != nil {
		c := *command
		c.HelpName = strings.Join(append([]string{app.Name}, words...), " ")
		cli.HelpPrinter(u.out, c.CustomHelpTemplate, &c)
	}
	if command != nil && known {
		fmt.Fprintf(u.out, "\n%s\n\n", strings.ToUpper(topic.Title))
	}
	if known {
		fmt.Fprint(u.out, topic.Text(u.columns()))
	}
	return nil
}

func noTopic(app *cli.App, words []string) error {
	what := strings.Join(words, " ")
	f := misuse("there is no command and no topic %q", what)
	var names []string
	for _, c := range app.VisibleCommands() {
		names = append(names, c.Names()...)
	}
	for _, t := range docs.Topics() {
		names = append(append(names, t.Name), t.Also...)
	}
	if s := manifest.Suggest(what, names); s != "" {
		f.hint("did you mean `devenv help %s`?", s)
	}
	return f.hint("`devenv help` lists them")
}

// find follows the words of a command and its subcommands.
func find(commands []*cli.Command, words []string) *cli.Command {
	for _, c := range commands {
		switch {
		case c.Hidden || !c.HasName(words[0]):
		case len(words) == 1:
			return c
		default:
			return find(c.Subcommands, words[1:])
		}
	}
	return nil
}

// columns is the width to write text in.
func (u *ui) columns() int {
	const usual, readable = 80, 100
	f, ok := u.out.(*answer)
	if !ok {
		return usual
	}
	w, _, err := term.GetSize(int(f.file.Fd()))
	if err != nil || w <= 0 {
		return usual
	}
	return min(w, readable)
}

// overview lists commands and topics.
func overview(w io.Writer, app *cli.App) {
	fmt.Fprint(w, "COMMANDS: `devenv COMMAND --help` has options and examples\n\n")
	for _, g := range groups(app.Commands) {
		for i, name := range g.Commands {
			head := ""
			if i == 0 {
				head = g.Name
			}
			fmt.Fprintf(w, "   %-11s %-11s %s\n", head, name, app.Command(name).Usage)
		}
	}
	fmt.Fprint(w, "\nTOPICS: devenv help TOPIC\n\n")
	for _, t := range docs.Topics() {
		fmt.Fprintf(w, "   %-12s %s\n", t.Name, t.About)
	}
}

// appHelp is what `devenv --help` shows: one screen.
func appHelp(commands []*cli.Command) string {
	var b strings.Builder
	b.WriteString("devenv: {{.Usage}}\n\n{{.Description}}\n\nCOMMANDS:\n")
	for _, g := range groups(commands) {
		fmt.Fprintf(&b, "   %-11s %s\n", g.Name, strings.Join(g.Commands, "  "))
	}
	b.WriteString("   `devenv help` explains them and lists topics; COMMAND --help has examples\n\nOPTIONS before the command:{{template \"visibleFlagTemplate\" .}}\n")
	return b.String()
}

// commandHelp is cli's own, with subcommands, and with the examples last.
const commandHelp = `NAME:
   {{template "helpNameTemplate" .}}

USAGE:
   {{template "usageTemplate" .}}{{if .VisibleCommands}}

COMMANDS:{{template "visibleCommandTemplate" .}}{{end}}{{if .VisibleFlags}}

OPTIONS:{{template "visibleFlagTemplate" .}}{{end}}{{if .Description}}

EXAMPLES:
{{.Description}}{{end}}
`

// finish gives each command what all have.
func finish(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = usageError
		c.CustomHelpTemplate = commandHelp
		c.HideHelpCommand = true
		c.UsageText = strings.Join(lines(c.UsageText), "\n")
		for _, f := range c.Flags {
			if b, ok := f.(*cli.BoolFlag); ok {
				b.DisableDefaultText = true                    // none is true
				b.Usage = strings.ReplaceAll(b.Usage, "`", "") // cli takes what is quoted for the name of a value
			}
		}
		finish(c.Subcommands)
	}
}

// aboutApp is the command line as data: what the man pages are made of.
type aboutApp struct {
	Version     string         `json:"version"`
	Usage       string         `json:"usage"`
	Description []string       `json:"description"`
	Options     []aboutOption  `json:"options"`
	Groups      []group        `json:"groups"`
	Commands    []aboutCommand `json:"commands"`
	Topics      []aboutTopic   `json:"topics"`
}

type aboutCommand struct {
	Name     string         `json:"name"` // "cache gc"
	Aliases  []string       `json:"aliases,omitempty"`
	Usage    string         `json:"usage"`
	Synopsis []string       `json:"synopsis"`
	Options  []aboutOption  `json:"options,omitempty"`
	Examples []string       `json:"examples"`
	Commands []aboutCommand `json:"commands,omitempty"`
}

type aboutOption struct {
	Names   []string `json:"names"`           // "--directory", "-C"
	Value   string   `json:"value,omitempty"` // "DIR"
	Usage   string   `json:"usage"`
	Default string   `json:"default,omitempty"`
}

type aboutTopic struct {
	Name  string   `json:"name"`
	Also  []string `json:"also,omitempty"`
	About string   `json:"about"`
	Text  string   `json:"text,omitempty"`
}

func describe(app *cli.App) aboutApp {
	out := aboutApp{Version: version, Usage: app.Usage, Description: lines(app.Description), Options: describeOptions(app.VisibleFlags()), Groups: groups(app.Commands)}
	for _, g := range out.Groups {
		for _, name := range g.Commands {
			out.Commands = append(out.Commands, describeCommand("", app.Command(name)))
		}
	}
	for _, t := range docs.Topics() {
		out.Topics = append(out.Topics, aboutTopic{t.Name, t.Also, t.About, ""})
	}
	return out
}

func describeCommand(parent string, c *cli.Command) aboutCommand {
	out := aboutCommand{
		Name: strings.TrimSpace(parent + " " + c.Name), Aliases: c.Aliases, Usage: c.Usage,
		Synopsis: lines(c.UsageText), Options: describeOptions(c.VisibleFlags()), Examples: lines(c.Description),
	}
	for _, s := range c.Subcommands {
		out.Commands = append(out.Commands, describeCommand(out.Name, s))
	}
	return out
}

func describeOptions(flags []cli.Flag) []aboutOption {
	var out []aboutOption
	for _, f := range flags {
		names := f.Names()
		if slices.Contains(names, "help") || slices.Contains(names, "version") {
			continue // everywhere
		}
		o := aboutOption{}
		for _, n := range names {
			dashes := "--"
			if len(n) == 1 {
				dashes = "-"
			}
			o.Names = append(o.Names, dashes+n)
		}
		if d, ok := f.(cli.DocGenerationFlag); ok {
			o.Usage = strings.ReplaceAll(d.GetUsage(), "`", "")
			if d.TakesValue() {
				_, rest, _ := strings.Cut(d.GetUsage(), "`")
				o.Value, _, _ = strings.Cut(rest, "`")
				o.Default = d.GetValue()
			}
		}
		out = append(out, o)
	}
	return out
}

func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		out = append(out, strings.TrimSpace(line))
	}
	return out
}
