package tomlfile

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// explain puts the parser's message into words that say what to write.
func (d *Document) explain(at int, msg string) (text, hint string) {
	word := d.wordAt(at)
	r, _ := utf8.DecodeRune(d.Src[at:])
	switch {
	case strings.Contains(msg, "carriage return"), r == '\r':
		return "a carriage return stands without a newline", "end lines with a newline"
	case strings.Contains(msg, "UTF-8"), r == utf8.RuneError:
		return "not UTF-8 text", "save the file as UTF-8"
	case strings.Contains(msg, "at start of value"), strings.HasPrefix(msg, "expected keyword"):
		return explainValue(word, r)
	case strings.HasPrefix(msg, "expected value"):
		return "a value is missing", `write, for example, key = "text"`
	case strings.Contains(msg, "start of key"):
		if unicode.IsLetter(r) || strings.ContainsRune("+@/:", r) {
			return fmt.Sprintf("%q cannot be in a key without quotes", r), "put the key in quotes"
		}
		return fmt.Sprintf("a key is expected here, not %q", r), `write, for example, key = "text"`
	case strings.HasPrefix(msg, "expected '='"):
		return d.explainKey(at, r)
	case strings.HasPrefix(msg, "expected newline"):
		return d.explainRest(at, word, r)
	case strings.Contains(msg, "escape"):
		return msg, `write \\ for a backslash, or single quotes around the text`
	case strings.Contains(msg, "after array value"):
		return "a comma or ] is missing", ""
	case strings.Contains(msg, "to close table name"), strings.Contains(msg, "to close array table name"):
		return "the header is not closed", "write [name], with quotes around a name that has other characters than letters, digits, _ and -"
	case strings.Contains(msg, "cannot have new lines"), strings.Contains(msg, "new line"), strings.Contains(msg, "not terminated"), strings.Contains(msg, "unterminated"):
		return "the string is not closed", "end it with the quote that began it"
	case strings.Contains(msg, "array is incomplete"):
		return "the array is not closed", "end it with ]"
	case strings.Contains(msg, "inline table is incomplete"):
		return "the inline table is not closed", "end it with }"
	}
	return msg, ""
}

func explainValue(word string, r rune) (text, hint string) {
	switch lower := strings.ToLower(word); {
	case r == '\n' || r == '#':
		return "a value is missing", `write, for example, key = "text"`
	case word == "":
		return fmt.Sprintf("a value is expected here, not %q", r), `text stands in quotes: "text"`
	case lower == "true" || lower == "false":
		return fmt.Sprintf("%s is no value", word), "write " + lower
	case lower == "yes" || lower == "on":
		return fmt.Sprintf("%s is no value", word), `write true, or put text in quotes: "` + word + `"`
	case lower == "no" || lower == "off":
		return fmt.Sprintf("%s is no value", word), `write false, or put text in quotes: "` + word + `"`
	}
	return fmt.Sprintf("%s is no value", word), `put text in quotes: "` + word + `"`
}

// explainRest says what to do with the rest of a line. A version without
// quotes looks like a number with a rest.
func (d *Document) explainRest(at int, word string, r rune) (text, hint string) {
	if word == "" {
		word = string(r)
	}
	start := at
	for start > 0 && !strings.ContainsRune(" \t\n=,[", rune(d.Src[start-1])) {
		start--
	}
	if start < at && !strings.ContainsAny(string(d.Src[start:at]), `"']}`) {
		return fmt.Sprintf("%s is no value", d.wordAt(start)), `put text in quotes: "` + d.wordAt(start) + `"`
	}
	return fmt.Sprintf("%q is left over after the end", word), "start a new line, or write # before a comment"
}

// explainKey tells a key that needs quotes from a line that is no setting.
func (d *Document) explainKey(at int, r rune) (text, hint string) {
	if unicode.IsLetter(r) || unicode.IsDigit(r) {
		return fmt.Sprintf("%q is out of place after a key", d.wordAt(at)), "a key with blanks in it stands in quotes"
	}
	if strings.ContainsRune("+@/:<>", r) {
		return fmt.Sprintf("%q cannot be in a key without quotes", r), "put the key in quotes"
	}
	return "the key has no value", `write key = "text"`
}

// wordAt is what stands at an offset, up to a blank or bracket.
func (d *Document) wordAt(at int) string {
	rest := d.Src[at:min(len(d.Src), at+64)]
	if n := strings.IndexFunc(string(rest), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`,]}#="`, r)
	}); n >= 0 {
		rest = rest[:n]
	}
	return strings.ToValidUTF8(string(rest), "")
}
