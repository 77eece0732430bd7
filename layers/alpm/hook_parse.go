package alpm

import (
	"fmt"
	"io"
	"strings"
)

// What a hook may hold; maxHookLine is PATH_MAX, which libalpm reads a line into.
const (
	maxHook     = 1 << 20
	maxHookLine = 4096
)

// ParseHook reads a hook file of that name, as strictly as libalpm does: an
// unknown section, option or value is an error that names file and line.
func ParseHook(name string, r io.Reader) (*Hook, error) {
	text, err := readText(r, name, maxHook)
	if err != nil {
		return nil, err
	}
	p := hookParser{hook: &Hook{Name: name}}
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		p.line++
		if len(line) >= maxHookLine {
			return nil, p.errorf("line is longer than %d bytes", maxHookLine-1)
		}
		if err := p.read(strings.Trim(line, asciiSpace)); err != nil {
			return nil, err
		}
	}
	if err := p.hook.validate(); err != nil {
		return nil, err
	}
	return p.hook, nil
}

const asciiSpace = " \t\n\v\f\r"

type hookParser struct {
	hook    *Hook
	section string
	line    int
}

func (p *hookParser) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.hook.Name, p.line, fmt.Sprintf(format, args...))
}

func (p *hookParser) warnAgain(option string) {
	p.hook.Warnings = append(p.hook.Warnings,
		fmt.Sprintf("%s:%d: overwriting previous definition of %s", p.hook.Name, p.line, option))
}

func (p *hookParser) read(line string) error {
	switch {
	case line == "" || line[0] == '#':
		return nil
	case len(line) > 1 && line[0] == '[' && line[len(line)-1] == ']':
		return p.begin(line[1 : len(line)-1])
	}
	key, value, given := strings.Cut(line, "=")
	key, value = strings.Trim(key, asciiSpace), strings.Trim(value, asciiSpace)
	switch p.section {
	case "Trigger":
		return p.trigger(key, value, given)
	case "Action":
		return p.action(key, value, given)
	}
	return p.errorf("invalid option %s: it stands before any section", key)
}

func (p *hookParser) begin(section string) error {
	switch section {
	case "Trigger":
		p.hook.Triggers = append(p.hook.Triggers, Trigger{})
	case "Action":
	default:
		return p.errorf("invalid section %s: there are only Trigger and Action", section)
	}
	p.section = section
	return nil
}

func (p *hookParser) trigger(key, value string, given bool) error {
	t := &p.hook.Triggers[len(p.hook.Triggers)-1]
	switch key {
	case "Operation":
		op, ok := operations[value]
		if !ok {
			return p.invalidValue(key, value)
		}
		t.Operations |= op
	case "Type":
		kind, ok := targetTypes[value]
		if !ok {
			return p.invalidValue(key, value)
		}
		if t.Type != 0 {
			p.warnAgain(key)
		}
		t.Type = kind
	case "Target":
		if !given {
			return p.invalidValue(key, value)
		}
		t.Targets = append(t.Targets, value)
	default:
		return p.errorf("invalid option %s in [Trigger]", key)
	}
	return nil
}

var (
	operations  = map[string]Operation{"Install": Install, "Upgrade": Upgrade, "Remove": Remove}
	targetTypes = map[string]TargetType{"Package": PackageTargets, "Path": PathTargets, "File": PathTargets}
	whens       = map[string]When{"PreTransaction": PreTransaction, "PostTransaction": PostTransaction}
)

func (p *hookParser) action(key, value string, given bool) error {
	h := p.hook
	switch key {
	case "AbortOnFail":
		h.AbortOnFail = true
		return nil
	case "NeedsTargets":
		h.NeedsTargets = true
		return nil
	case "When", "Description", "Depends", "Exec":
		if !given {
			return p.invalidValue(key, value)
		}
	default:
		return p.errorf("invalid option %s in [Action]", key)
	}
	switch key {
	case "When":
		when, ok := whens[value]
		if !ok {
			return p.invalidValue(key, value)
		}
		if h.When != 0 {
			p.warnAgain(key)
		}
		h.When = when
	case "Description":
		if h.Description != "" {
			p.warnAgain(key)
		}
		h.Description = value
	case "Depends":
		h.Depends = append(h.Depends, splitDep(value))
	case "Exec":
		if h.Exec != nil {
			p.warnAgain(key)
		}
		words, ok := splitWords(value)
		if !ok {
			return p.errorf("invalid value %s: a quote is not closed", value)
		}
		h.Exec = words
	}
	return nil
}

func (p *hookParser) invalidValue(key, value string) error {
	return p.errorf("invalid value %q of %s", value, key)
}

// splitWords splits a command as libalpm does, which is not quite as a shell
// does: quotes of both kinds may stand anywhere in a word, and a backslash is
// special only before the quote that it would end, or outside before any.
func splitWords(s string) (words []string, ok bool) {
	for {
		s = strings.TrimLeft(s, asciiSpace)
		if s == "" {
			return words, true
		}
		var word string
		if word, s, ok = cutWord(s); !ok {
			return nil, false
		}
		words = append(words, word)
	}
}

// cutWord reads one word, which s begins with.
func cutWord(s string) (word, rest string, ok bool) {
	var b strings.Builder
	var quote byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		escaped := c == '\\' && i+1 < len(s) &&
			(quote != 0 && s[i+1] == quote || quote == 0 && (s[i+1] == '"' || s[i+1] == '\''))
		switch {
		case escaped:
			i++
			b.WriteByte(s[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && strings.IndexByte(asciiSpace, c) >= 0:
			return b.String(), s[i:], true
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", quote == 0
}
