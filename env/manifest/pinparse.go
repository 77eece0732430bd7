package manifest

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"devenv/layers/alpm"
)

// PinError says what is wrong with a pin and where in it.
type PinError struct {
	Pin  string
	Col  int // of the fault, in characters from 1
	Msg  string
	Hint string
}

func (e *PinError) Error() string {
	text := e.Msg
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// ParsePin reads a version as devenv.toml has it; see Pin. Its error is a
// *PinError.
func ParsePin(s string) (Pin, error) {
	p := pinParser{text: s}
	if strings.TrimSpace(s) == "" {
		return Pin{}, p.fault(0, "a version is missing", `write "*" for any version`)
	}
	pin := Pin{text: strings.TrimSpace(s)}
	for start := 0; start <= len(s); {
		end := start + strings.IndexByte(s[start:]+",", ',')
		t, all, err := p.condition(start, end)
		if err != nil {
			return Pin{}, err
		}
		if !all {
			pin.terms = append(pin.terms, t)
		}
		start = end + 1
	}
	if err := p.possible(pin.terms); err != nil {
		return Pin{}, err
	}
	return pin, nil
}

type pinParser struct{ text string }

func (p *pinParser) fault(at int, msg, hint string) error {
	return &PinError{Pin: p.text, Col: utf8.RuneCountInString(p.text[:at]) + 1, Msg: msg, Hint: hint}
}

// operators, longest first.
var operators = []struct {
	text string
	op   op
}{{">=", atLeast}, {"<=", atMost}, {"==", equal}, {"!=", notEqual}, {">", greater}, {"<", less}, {"=", equal}}

// condition reads text[start:end]; all says that it is "*".
func (p *pinParser) condition(start, end int) (t term, all bool, err error) {
	at, body := trimAt(p.text, start, end)
	if body == "" {
		return t, false, p.fault(min(at, len(p.text)), "a condition is missing beside the comma", "remove the comma or write a condition such as >=1.2")
	}
	if body == "*" {
		return t, true, nil
	}
	if hint := foreign(body); hint != "" {
		return t, false, p.fault(at, fmt.Sprintf("%q is no version", body), hint)
	}
	opAt, opText := at, ""
	for _, o := range operators {
		if strings.HasPrefix(body, o.text) {
			t.op, opText = o.op, o.text
			at, body = trimAt(p.text, at+len(o.text), end)
			break
		}
	}
	if body == "" {
		return t, false, p.fault(opAt, fmt.Sprintf("%s has no version after it", opText), "write "+opText+"1.2, for example")
	}
	if body == "*" && opText != "" {
		return t, false, p.fault(at, fmt.Sprintf("%s cannot compare with *", opText), `write "*" alone for any version`)
	}
	return t, false, p.version(&t, at, body, opText)
}

// foreign recognises what other tools write and says what is written here.
func foreign(body string) string {
	switch strings.ToLower(body) {
	case "latest", "any", "newest", "stable", "current":
		return `write "*" for any version: the newest is taken`
	}
	bare := strings.TrimSpace(strings.TrimLeft(body, "^~=>"))
	next := nextMajor(bare)
	switch {
	case strings.Contains(body, "||") || strings.Contains(body, "|"):
		return "there is no or: write one range such as >=1.2, <3"
	case strings.HasPrefix(body, "^"), strings.HasPrefix(body, "~"):
		if next != "" {
			return fmt.Sprintf("write >=%s, <%s", bare, next)
		}
		return "write a range such as >=1.2, <2"
	case strings.HasPrefix(body, "=>"), strings.HasPrefix(body, "=<"):
		return fmt.Sprintf("write %c=%s", body[1], strings.TrimSpace(body[2:]))
	case strings.HasPrefix(body, "<>"):
		return "write !=" + strings.TrimSpace(body[2:])
	case strings.HasSuffix(body, ".x"), strings.HasSuffix(body, ".X"):
		return "write " + body[:len(body)-1] + "*"
	}
	return ""
}

// nextMajor is one more than the first number of v, "" if v has none.
func nextMajor(v string) string {
	first, _, _ := strings.Cut(v, ".")
	n := 0
	if _, err := fmt.Sscanf(first+"\n", "%d\n", &n); err != nil || n < 0 || len(first) > 9 {
		return ""
	}
	return fmt.Sprint(n + 1)
}

// version reads [epoch:]pkgver[-pkgrel] or [epoch:]components.* at offset at.
func (p *pinParser) version(t *term, at int, body, opText string) error {
	t.version = body
	verAt := at
	if colon := strings.IndexByte(body, ':'); colon >= 0 {
		if colon == 0 || !digits(body[:colon]) {
			return p.fault(at, fmt.Sprintf("the epoch %q is no number", body[:colon]), "an epoch is written as in 1:2.3-1")
		}
		t.epoch = true
		body, verAt = body[colon+1:], at+colon+1
	}
	if strings.ContainsRune(body, '*') {
		return p.components(t, verAt, body, opText)
	}
	pkgver := body
	if dash := strings.LastIndexByte(body, '-'); dash >= 0 {
		t.release = true
		pkgver = body[:dash]
		if rel := body[dash+1:]; !validRelease(rel) {
			return p.fault(verAt+dash+1, fmt.Sprintf("the pkgrel %q is no number", rel), "a pkgrel is written as in 2.3-1; inside a version Arch writes _ for -")
		}
	}
	return p.pkgver(verAt, pkgver)
}

// components reads "18.*" or "18.1.*".
func (p *pinParser) components(t *term, at int, body, opText string) error {
	star := strings.IndexByte(body, '*')
	head := strings.TrimSuffix(body[:star], ".")
	switch {
	case star != len(body)-1:
		return p.fault(at+star, "* stands only at the end of a version", fmt.Sprintf("write %s.*", head))
	case head == body[:star] && head != "":
		return p.fault(at+star, "* stands for whole components", fmt.Sprintf("write %s.*", head))
	case head == "":
		return p.fault(at, fmt.Sprintf("%q has no component before the *", body), `write "*" for any version`)
	case t.op != equal && t.op != notEqual:
		return p.fault(at+star, fmt.Sprintf("%s cannot compare with a *", opText), fmt.Sprintf("write %s%s", opText, head))
	}
	if err := p.pkgver(at, head); err != nil {
		return err
	}
	t.version = strings.TrimSuffix(t.version, ".*")
	t.parts = strings.FieldsFunc(head, isSeparator)
	return nil
}

// pkgver checks the upstream part.
func (p *pinParser) pkgver(at int, v string) error {
	for i, r := range v {
		switch {
		case isAlnum(r) || i > 0 && strings.ContainsRune("._+~^", r):
		case r == ' ' || r == '\t':
			return p.fault(at+i, "two conditions need a comma between them", "write >=1.2, <3, for example")
		case strings.ContainsRune("<>=!", r):
			return p.fault(at+i, fmt.Sprintf("%q is out of place here", r), "a comma stands between conditions: >=1.2, <3")
		case r == '-':
			return p.fault(at+i, "a version has no - but before its pkgrel", "inside a version Arch writes _ for -")
		default:
			return p.fault(at+i, fmt.Sprintf("%q cannot be in a version", r), "a version is written as in 14.2.1, 18.*, >=3.28 or 1:1.3.1-2")
		}
	}
	if v == "" {
		return p.fault(at, "a version is missing", "a version is written as in 14.2.1, 18.*, >=3.28 or 1:1.3.1-2")
	}
	return nil
}

// possible finds a lower bound above an upper bound, which no version meets.
func (p *pinParser) possible(terms []term) error {
	lowers := []op{equal, greater, atLeast}
	uppers := []op{equal, less, atMost}
	for i := range terms {
		for j := range terms {
			low, high := &terms[i], &terms[j]
			if low.parts != nil || high.parts != nil || low.epoch != high.epoch ||
				low.release || high.release || !slices.Contains(lowers, low.op) || !slices.Contains(uppers, high.op) {
				continue
			}
			if strings.HasPrefix(low.version, high.version+"+") {
				continue
			}
			if c := alpm.Compare(low.version, high.version); c > 0 || c == 0 && (low.op == greater || high.op == less) {
				return p.fault(0, fmt.Sprintf("no version is both %s and %s", low, high), "give a range that some version is in")
			}
		}
	}
	return nil
}

func (t *term) String() string {
	text := t.version
	if t.parts != nil {
		text += ".*"
	}
	return t.op.String() + text
}

func (o op) String() string {
	return [...]string{equal: "", notEqual: "!=", less: "<", atMost: "<=", greater: ">", atLeast: ">="}[o]
}

// trimAt is text[start:end] without blanks around it, and where that begins.
func trimAt(text string, start, end int) (at int, trimmed string) {
	left := strings.TrimLeft(text[start:end], " \t")
	return end - len(left), strings.TrimRight(left, " \t")
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// validRelease accepts 2 and 2.1, as PKGBUILD(5) does.
func validRelease(s string) bool {
	whole, part, dotted := strings.Cut(s, ".")
	return digits(whole) && (!dotted || digits(part))
}
