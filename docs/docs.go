// Package docs is the reference manual, for `devenv help TOPIC` to answer from.
// There is one source, reference.md: its sections are the topics, and the man
// pages and the descriptions in devenv.schema.json are made of it by
// docs/manual.
//
// [Topics] are the sections, [Topic.Text] is one of them as a terminal shows it.
// Nothing here is ever changed; it may be used by any number of goroutines.
package docs

import (
	_ "embed"
	"slices"
	"strings"
)

//go:embed reference.md
var reference string

// Topic is one section of the reference.
type Topic struct {
	Name     string
	Also     []string // other names people try
	About    string   // in a list of topics
	Title    string   // the section's heading
	Markdown string   // the section without it
}

// topics are the sections in the order in which they are listed.
var topics = []Topic{
	{Name: "commands", Also: []string{"command", "options"}, About: "what there is, and the options that all have", Title: "Commands"},
	{Name: "toml", Also: []string{"devenv.toml", "manifest", "keys"}, About: "every key of devenv.toml", Title: "devenv.toml"},
	{Name: "pins", Also: []string{"pin", "version", "pinning"}, About: "how a version is pinned", Title: "Pins"},
	{Name: "lock", Also: []string{"devenv.lock", "lockfile"}, About: "devenv.lock, and when versions move", Title: "devenv.lock"},
	{Name: "files", Also: []string{"config", "config.toml", "file"}, About: "the files that devenv reads and writes, and which wins", Title: "Files"},
	{Name: "environment", Also: []string{"variables", "env", "environment-variables"}, About: "the variables that devenv reads, sets and keeps out", Title: "Environment variables"},
	{Name: "exit-codes", Also: []string{"exit", "exit-status", "exit-code", "codes"}, About: "what a command returns", Title: "Exit codes"},
	{Name: "output", Also: []string{"json", "quiet", "colour", "color"}, About: "what is printed where, and --json", Title: "Output"},
	{Name: "inside", Also: []string{"entry", "sandbox", "namespace", "namespaces"}, About: "what is yours in an environment, and what is its own", Title: "Inside an environment"},
	{Name: "native", Also: []string{"outside"}, About: "tools on the host as it is", Title: "Native tools"},
	{Name: "mirrors", Also: []string{"mirror", "archive", "snapshot", "offline", "proxy"}, About: "where packages come from", Title: "Mirrors"},
	{Name: "trust", Also: []string{"keys-and-signatures", "keyring", "signatures", "siglevel"}, About: "who must have signed a package", Title: "Trust"},
	{Name: "cache", Also: []string{"disk", "gc"}, About: "what is kept on disk, and how to be rid of it", Title: "Cache"},
	{Name: "words", Also: []string{"nix", "nix-shell", "pixi", "docker", "conda", "migration"}, About: "nix-shell's, pixi's and docker's words in devenv's", Title: "Words of other tools"},
	{Name: "errors", Also: []string{"error", "troubleshooting", "problems", "messages"}, About: "what to do about a message", Title: "Errors"},
	{Name: "why-not", Also: []string{"why-no", "missing", "faq", "questions"}, About: "why there is no …", Title: "Why there is no …"},
}

// Topics are all sections of the reference.
func Topics() []Topic {
	out := slices.Clone(topics)
	for i := range out {
		out[i].Markdown = section(out[i].Title)
	}
	return out
}

// Find is the topic of a name.
func Find(name string) (Topic, bool) {
	name = strings.ToLower(name)
	for _, t := range topics {
		if t.Name == name || slices.Contains(t.Also, name) {
			t.Markdown = section(t.Title)
			return t, true
		}
	}
	return Topic{}, false
}

// Text is the topic for a terminal of that many columns.
func (t Topic) Text(width int) string { return Text(t.Markdown, width) }

// section is what stands below a heading of the second level.
func section(title string) string {
	_, rest, _ := strings.Cut(reference, "\n## "+title+"\n")
	body, _, _ := strings.Cut(rest, "\n## ")
	return strings.Trim(body, "\n") + "\n"
}
