package alpm

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

func TestFnmatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", ".a/b", true}, {"?", "/", true}, {"?", "é", true},
		{"usr/share/*", "usr/share/man/man1/a.1.gz", true}, {"usr/lib/*.so*", "usr/lib/x/liba.so.1", true},
		{"a*b*c", "aXbXbc", true}, {"a*b*c", "aXbXb", false}, {"**", "a", true}, {`\*`, "*", true}, {`\*`, "a", false},
		{`a\`, "a", false}, {`a\`, `a\`, false}, {"[a-c]x", "bx", true}, {"[!a-c]x", "bx", false}, {"[^a-c]x", "dx", true},
		{"[]a]", "]", true}, {"[]a]", "a", true}, {"[!]a]", "]", false}, {"[a", "[a", true}, {"[", "[", true},
		{"[a-]", "-", true}, {"[-a]", "-", true}, {`[\]]`, "]", true}, {`[\\]`, `\`, true}, {"[[:alpha:]]", "x", true},
		{"[[:alpha:]]", "1", false}, {"[[:digit:]x]", "x", true}, {"[[.-.]]", "-", true}, {"[[=a=]]", "a", true},
		{"[/]", "/", true}, {"*/x", "a/b/x", true}, {"[b-a]", "a", false}, {"\xff", "\xff", true}, {"?", "\xff", true},
	} {
		if got := Fnmatch(c.pattern, c.s); got != c.want {
			t.Errorf("Fnmatch(%q, %q) = %v", c.pattern, c.s, got)
		}
	}
}

func TestPatterns(t *testing.T) {
	p := Patterns{"usr/share/man/*", "!usr/share/man/man1/*", "usr/share/man/man1/z*", `\!odd`}
	for s, want := range map[string]bool{
		"usr/share/man/man3/a": true, "usr/share/man/man1/a": false, "usr/share/man/man1/za": true,
		"usr/lib/a": false, "!odd": true, `\!odd`: false,
	} {
		if got := p.Match(s); got != want {
			t.Errorf("%q matches: %v", s, got)
		}
	}
	if (Patterns{"!*"}).Match("a") || (Patterns{}).Match("a") {
		t.Error("nothing is meant, and yet it matches")
	}
}

// askLibc runs fnmatch(3) of the C library on pairs of pattern and string.
const askLibc = `
import ctypes, json, locale, sys
locale.setlocale(locale.LC_ALL, "C.UTF-8")
libc = ctypes.CDLL(None)
print(json.dumps([libc.fnmatch(p.encode(), s.encode(), 0) == 0 for p, s in json.load(sys.stdin)]))
`

func TestFnmatchAgreesWithLibc(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed, which calls the C library's fnmatch: no peer to compare with")
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	// What is one character beyond ASCII is the locale's affair, and in C.UTF-8
	// at odds with other UTF-8 locales.
	parts := []string{"a", "b", "c", "-", "*", "?", "[", "]", "!", "^", "\\", "/", ".", "[a-c]", "[!a]", "[[:alpha:]]", "[:digit:]", "[[:digit:]", "[=a=]", "[.a.]", "[[.a.]", "]]", "[!", "[^", "[[", "1", ":", "="}
	text := func(from []string, n int) string {
		var b strings.Builder
		for range rnd.IntN(n) {
			b.WriteString(from[rnd.IntN(len(from))])
		}
		return b.String()
	}
	var pairs [][2]string
	for range 20_000 {
		pairs = append(pairs, [2]string{text(parts, 8), text([]string{"a", "b", "c", "-", "[", "]", "/", ".", "\\", "1", ":"}, 6)})
	}
	input, err := json.Marshal(pairs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", askLibc)
	cmd.Stdin = strings.NewReader(string(input))
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("python3 cannot call the C library's fnmatch: %v", err)
	}
	var want []bool
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	differ, matched := 0, 0
	for i, p := range pairs {
		if strings.Contains(p[0], "-[:") || strings.Contains(p[0], "-[=") {
			continue // a class at the end of a range has no meaning (POSIX)
		}
		if got := Fnmatch(p[0], p[1]); got != want[i] {
			if differ++; differ < 40 {
				t.Errorf("Fnmatch(%q, %q) = %v, the C library says %v", p[0], p[1], got, want[i])
			}
		} else if got {
			matched++
		}
	}
	t.Logf("%d pairs, %d of them match, %d differ", len(pairs), matched, differ)
}

func FuzzFnmatch(f *testing.F) {
	f.Add("usr/*/[a-c]?", "usr/lib/ax")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		Fnmatch(pattern, s)
		if !Fnmatch("*", s) {
			t.Errorf("* does not match %q", s)
		}
	})
}
