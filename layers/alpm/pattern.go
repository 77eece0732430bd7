package alpm

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Patterns are globs as hooks' targets, NoExtract and overwrite have them: the
// last that matches decides, and with "!" before it decides against. A
// backslash at the start is dropped, so that a name may begin with "!".
type Patterns []string

// Match says whether s is meant.
func (p Patterns) Match(s string) bool {
	for i := len(p) - 1; i >= 0; i-- {
		pattern := p[i]
		inverted := strings.HasPrefix(pattern, "!")
		if inverted || strings.HasPrefix(pattern, `\`) {
			pattern = pattern[1:]
		}
		if Fnmatch(pattern, s) {
			return !inverted
		}
	}
	return false
}

// Fnmatch is fnmatch(3) without flags, as libalpm calls it: "*" and "?" match
// "/" and a leading "." too, "[...]" knows "!", "^", ranges and classes, a
// backslash takes the next character as it is.
func Fnmatch(pattern, s string) bool {
	// Where the last "*" was seen, to come back to with one more character.
	starPattern, starText := "", ""
	star := false
	for {
		if c, rest, ok := next(pattern); ok && c == '*' {
			star, pattern = true, rest
			starPattern, starText = rest, s
			continue
		}
		if pattern == "" && s == "" {
			return true
		}
		if rest, tail, ok := matchOne(pattern, s); ok {
			pattern, s = rest, tail
			continue
		}
		if !star || starText == "" {
			return false
		}
		_, starText, _ = next(starText)
		pattern, s = starPattern, starText
	}
}

// next takes off a character; a byte that is no UTF-8 is one by itself.
func next(s string) (c rune, rest string, ok bool) {
	if s == "" {
		return 0, "", false
	}
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), s[1:], true
	}
	c, size := utf8.DecodeRuneInString(s)
	if c == utf8.RuneError && size == 1 {
		c = -rune(s[0]) // equal to itself alone, in no range
	}
	return c, s[size:], true
}

// matchOne matches the first element of pattern, no "*", with the first
// character of s.
func matchOne(pattern, s string) (rest, tail string, ok bool) {
	want, rest, ok := next(pattern)
	if !ok {
		return "", "", false
	}
	c, tail, ok := next(s)
	if !ok {
		return "", "", false
	}
	switch want {
	case '?':
		return rest, tail, true
	case '[':
		if set, after, ok := parseBracket(rest); ok {
			return after, tail, set.holds(c)
		}
	case '\\':
		if want, rest, ok = next(rest); !ok {
			return "", "", false
		}
	}
	return rest, tail, want == c
}

// bracket is the inside of "[...]".
type bracket struct {
	negated bool
	never   bool // it names a class or character that does not exist
	ranges  [][2]rune
	classes []func(rune) bool
}

func (b *bracket) holds(c rune) bool {
	if b.never {
		return false
	}
	for _, r := range b.ranges {
		if r[0] <= c && c <= r[1] {
			return !b.negated
		}
	}
	for _, in := range b.classes {
		if in(c) {
			return !b.negated
		}
	}
	return b.negated
}

// parseBracket reads what follows "["; where no "]" ends it, "[" stands for
// itself.
func parseBracket(s string) (set bracket, rest string, ok bool) {
	if s != "" && (s[0] == '!' || s[0] == '^') {
		set.negated, s = true, s[1:]
	}
	for first := true; ; first = false {
		if s == "" {
			return set, "", false
		}
		if s[0] == ']' && !first {
			return set, s[1:], true
		}
		if name, after, ok := quoted(s, "[:", ":]"); ok && isClassName(name) {
			in := classes[name]
			set.classes, set.never = append(set.classes, in), set.never || in == nil
			s = after
			continue
		}
		var from, to rune
		if from, s, ok = bracketChar(s); !ok {
			return bracket{never: true}, "", s != ""
		}
		to = from
		if len(s) > 1 && s[0] == '-' && s[1] != ']' {
			if to, s, ok = bracketChar(s[1:]); !ok {
				return bracket{never: true}, "", s != ""
			}
		}
		set.ranges = append(set.ranges, [2]rune{from, to})
	}
}

// bracketChar reads one character, named ("[.-.]", "[=a=]"), escaped or as it
// is. Where it is not ok, s is left where a character has no such name, and
// empty where the pattern ends.
func bracketChar(s string) (c rune, rest string, ok bool) {
	if name, after, ok := quoted(s, "[=", "=]"); ok {
		if c, left, ok := next(name); ok && left == "" {
			return c, after, true
		}
	}
	if strings.HasPrefix(s, "[.") {
		name, after, _ := quoted(s, "[.", ".]")
		if c, left, ok := next(name); ok && left == "" {
			return c, after, true
		}
		return 0, s, false
	}
	if c, rest, ok = next(s); ok && c == '\\' {
		return next(rest)
	}
	return c, rest, ok
}

// quoted takes what stands between open, with which s begins, and end.
func quoted(s, open, end string) (name, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, open); !ok {
		return "", "", false
	}
	return strings.Cut(s, end)
}

// isClassName says whether "[:" begins a class; otherwise "[" is a character.
func isClassName(s string) bool {
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

var classes = map[string]func(rune) bool{
	"alnum":  func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) },
	"alpha":  unicode.IsLetter,
	"blank":  func(c rune) bool { return c == ' ' || c == '\t' },
	"cntrl":  unicode.IsControl,
	"digit":  func(c rune) bool { return c >= '0' && c <= '9' },
	"graph":  func(c rune) bool { return unicode.IsGraphic(c) && !unicode.IsSpace(c) },
	"lower":  unicode.IsLower,
	"print":  unicode.IsPrint,
	"punct":  func(c rune) bool { return unicode.IsPunct(c) || unicode.IsSymbol(c) },
	"space":  unicode.IsSpace,
	"upper":  unicode.IsUpper,
	"xdigit": func(c rune) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' },
}
