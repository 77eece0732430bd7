package env

import (
	"regexp"
	"slices"
	"strings"

	"devenv/env/manifest"
)

func taskNames(m *manifest.Manifest) []string {
	out := make([]string, len(m.Tasks))
	for i, t := range m.Tasks {
		out[i] = t.Name
	}
	return out
}

// Task gives the command that does a task after all that it depends on, each
// once, and stops at the first that fails. Arguments go to the end of the
// task's own command, unless it says itself where they go. ok is false if there
// is no such task.
func (p *Project) Task(name string, args []string) (command []string, ok bool) {
	var script strings.Builder
	script.WriteString("set -e\n")
	var done []string
	var add func(name string, last bool)
	add = func(name string, last bool) {
		i := slices.IndexFunc(p.Tasks, func(t manifest.Task) bool { return t.Name == name })
		if i < 0 || slices.Contains(done, name) {
			return
		}
		done = append(done, name)
		t := p.Tasks[i]
		for _, d := range t.Depends {
			add(d.Name, false)
		}
		if t.Command == "" {
			return
		}
		script.WriteString("(\n")
		if t.Dir != "" {
			script.WriteString("cd " + quote(t.Dir) + "\n")
		}
		for _, v := range t.Env {
			script.WriteString("export " + v.Name + "=" + quoteExpanding(v.Value) + "\n")
		}
		command := strings.TrimRight(t.Command, " \t\n")
		if last && len(args) > 0 && !usesArguments(command) {
			command += ` "$@"`
		} else if !last {
			script.WriteString("set --\n")
		}
		script.WriteString(command + "\n)\n")
	}
	if !slices.Contains(taskNames(p.Manifest), name) {
		return nil, false
	}
	add(name, true)
	return append([]string{"/bin/sh", "-c", script.String(), name}, args...), true
}

// usesArguments reports whether a command says by $@, $* or $1 … $9 where its
// arguments go.
func usesArguments(command string) bool { return arguments.MatchString(command) }

var arguments = regexp.MustCompile(`\$\{?[@*1-9]`)

// quote makes one word of s for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// quoteExpanding makes one word of a value whose references the shell resolves.
func quoteExpanding(s string) string {
	var out strings.Builder
	rest := manifest.Expand(s, func(name string) string { return "\x00" + name + "\x00" })
	for i, part := range strings.Split(rest, "\x00") {
		if i%2 == 0 {
			out.WriteString(quote(part))
		} else {
			out.WriteString(`"${` + part + `-}"`)
		}
	}
	return out.String()
}
