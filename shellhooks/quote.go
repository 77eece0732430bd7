package shellhooks

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// syntax is how a family of shells writes what is generated for it.
type syntax struct {
	quote func(string) string // any bytes but NUL, as one word

	set, unset string // statements for a word's name and its quoted value
	all        string // every other entry of PATH stays
	belowHome  string // or those below the home directory
	end        string // of a function
	nothing    string // a statement
	copyPath   string // remembers PATH

	begin    func(name string) string
	variable func(name, value string) string // of the shell, not exported
	list     func(name string, dirs []string) string
	copy     func(from, to string) string // also that it is not set
	put      func(from, to string) string // the same, exported
	alias    func(Alias) string
}

// posixSyntax is what bash, zsh, dash and the Korn shells have in common.
var posixSyntax = &syntax{
	quote:     quote,
	set:       "export %s=%s;\n",
	unset:     "unset %s;\n",
	all:       "*",
	belowHome: `"$__devenv_home"/?*`,
	end:       "}\n",
	nothing:   ":",
	copyPath:  `__devenv_path=$PATH`,

	begin:    func(name string) string { return name + "() {\n" },
	variable: func(name, value string) string { return name + "=" + quote(value) },
	list:     func(name string, dirs []string) string { return name + "=" + quote(strings.Join(dirs, ":")) },
	copy: func(from, to string) string {
		return fmt.Sprintf("if [ \"${%s+set}\" ]; then %s=$%s; else unset %s; fi", from, to, from, to)
	},
	put: func(from, to string) string {
		return fmt.Sprintf("if [ \"${%s+set}\" ]; then export %s=\"$%s\"; else unset %s; fi", from, to, from, to)
	},
	alias: func(a Alias) string { return "alias " + quote(a.Name+"="+a.Value) },
}

// quote writes any bytes but NUL as one word of a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

var fishSyntax = &syntax{
	quote:     quoteFish,
	set:       "set -gx %s %s;\n",
	unset:     "set -e %s;\n",
	all:       "all",
	belowHome: "home",
	end:       "end\n",
	nothing:   "true",
	copyPath:  `set -g __devenv_path $PATH`,

	begin:    func(name string) string { return "function " + name + "\n" },
	variable: func(name, value string) string { return "set -g " + name + " " + quoteFish(value) },
	list: func(name string, dirs []string) string {
		words := make([]string, len(dirs))
		for i, d := range dirs {
			words[i] = quoteFish(d)
		}
		return "set -g " + name + " " + strings.Join(words, " ")
	},
	copy: func(from, to string) string {
		return fmt.Sprintf("if set -q %s; set -g %s $%s; else; set -e %s; end", from, to, from, to)
	},
	put: func(from, to string) string {
		return fmt.Sprintf("if set -q %s; set -gx %s $%s; else; set -e %s; end", from, to, from, to)
	},
	alias: func(a Alias) string { return "alias " + quoteFish(a.Name) + " " + quoteFish(a.Value) },
}

// quoteFish writes any bytes but NUL as one word of fish: bytes that are no
// UTF-8 stand outside the quotes, by number.
func quoteFish(s string) string {
	b := &strings.Builder{}
	b.WriteByte('\'')
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(b, `'\X%02x'`, s[0])
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	b.WriteByte('\'')
	return b.String()
}
