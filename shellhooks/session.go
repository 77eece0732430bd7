package shellhooks

import (
	"cmp"
	"embed"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// scripts are what the shells read: the same for every environment, but for
// the places written @ETC@ (the directory of Session.Etc) and @OTHERS@ (which
// other entries of PATH stay).
//
//go:embed all:scripts
var scripts embed.FS

const here = "devenv/" // below Session.Etc

func (s Session) etc() string { return cmp.Or(s.Etc, "/etc") }

// label is what the prompt begins with. A name comes from a directory's, so it
// may hold anything: what a terminal would obey is left out.
func (s Session) label() string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s.Name)
	return "(" + name + ") "
}

// settled are the variables that are put back after the user's files: those
// that a shell can set, and that do not say where such files are.
func (s Session) settled() []KV {
	all := append([]KV{{"DEVENV_NAME", s.Name}}, s.Env...)
	if s.Project != "" {
		all = append(all, KV{"DEVENV_PROJECT", s.Project})
	}
	return slices.DeleteFunc(all, func(v KV) bool {
		return !settable(v.Key) || v.Key == "PATH" || slices.Contains(Personal, v.Key)
	})
}

func (s Session) sets(name string) bool {
	return slices.ContainsFunc(s.Env, func(v KV) bool { return v.Key == name })
}

// start is what is the same for every shell. A variable that the environment
// sets is left to it: ENV means other things to other programs.
func (s Session) start(argv ...string) Start {
	st := Start{Argv: argv, Env: []KV{{EnterVar, "1"}}}
	for _, v := range []KV{{"ENV", s.etc() + "/" + here + "shrc"}, {"SHELL", argv[0]}} {
		if !s.sets(v.Key) {
			st.Env = append(st.Env, v)
		}
	}
	for _, v := range s.User {
		// in an environment that is entered from inside of another, the user's
		// value has that name already
		ours := strings.HasSuffix(v.Value, "/"+here+"shrc") || strings.HasSuffix(v.Value, "/"+here+"zsh")
		if slices.Contains(Personal, v.Key) && !s.sets(v.Key) && !ours {
			st.Env = append(st.Env, KV{"DEVENV_USER_" + v.Key, v.Value})
		}
	}
	st.Files = s.files()
	return st
}

// files are all that shells inside may read: whichever shell is started, others
// will be started from it.
func (s Session) files() []File {
	files := []File{
		{Name: here + "values.sh", Data: s.values(posixSyntax)},
		{Name: here + "values.fish", Data: s.values(fishSyntax)},
		{Name: here + "enter.sh", Data: s.enter(posixSyntax, enterSh)},
		{Name: here + "enter.bash", Data: s.enter(posixSyntax, enterBash)},
		{Name: here + "enter.fish", Data: s.enter(fishSyntax, enterFish)},
	}
	for _, name := range []string{"settle.sh", "shrc", "bashrc", "bash.sh", "zsh/.zshenv", "zsh/.zprofile", "zsh/.zshrc", "zsh/.zlogin", "settle.fish", "config.fish"} {
		files = append(files, File{Name: here + name, Data: s.script(name)})
	}
	if !s.Native {
		files = append(files,
			File{Name: "bash.bashrc", Data: s.script("bash.bashrc"), After: true},
			File{Name: "zsh/zshenv", Data: s.script("zshenv"), After: true},
			File{Name: "fish/conf.d/devenv.fish", Data: s.script("conf.fish")})
	}
	for i, command := range s.OnEnter {
		files = append(files, File{Name: onEnter(i), Data: []byte(command + "\n")})
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files
}

// script is one of scripts, with its places filled in.
func (s Session) script(name string) []byte {
	data, err := scripts.ReadFile("scripts/" + name)
	if err != nil {
		panic(err) // the names are constants
	}
	x := posixSyntax
	if strings.HasSuffix(name, ".fish") {
		x = fishSyntax
	}
	others := x.belowHome
	if s.Native {
		others = x.all
	}
	fill := strings.NewReplacer("@ETC@", x.quote(s.etc()), "@OTHERS@", others)
	return []byte(fill.Replace(string(data)))
}

// values writes what differs from environment to environment, as functions that
// settle.* calls: __devenv_fixed is what the environment says, __devenv_found
// what this shell was started with, __devenv_variables puts the one or the other
// back.
func (s Session) values(x *syntax) []byte {
	vars := s.settled()
	w := &strings.Builder{}
	fmt.Fprintf(w, "%s\n", x.variable("__devenv_label", s.label()))

	w.WriteString(x.begin("__devenv_fixed"))
	fmt.Fprintf(w, "\t%s\n", x.list("__devenv_path", s.Path))
	for _, v := range vars {
		fmt.Fprintf(w, "\t%s\n", x.variable(saved(v.Key), v.Value))
	}
	w.WriteString(x.end)

	w.WriteString(x.begin("__devenv_found"))
	fmt.Fprintf(w, "\t%s\n", x.copyPath)
	for _, v := range vars {
		fmt.Fprintf(w, "\t%s\n", x.copy(v.Key, saved(v.Key)))
	}
	w.WriteString(x.end)

	w.WriteString(x.begin("__devenv_variables"))
	fmt.Fprintf(w, "\t%s\n", x.nothing)
	for _, v := range vars {
		fmt.Fprintf(w, "\t%s\n", x.put(saved(v.Key), v.Key))
	}
	w.WriteString(x.end)

	w.WriteString(x.begin("__devenv_aliases"))
	fmt.Fprintf(w, "\t%s\n", x.nothing)
	for _, a := range s.Aliases {
		fmt.Fprintf(w, "\t%s\n", x.alias(a))
	}
	w.WriteString(x.end)

	return []byte(w.String())
}

func onEnter(i int) string { return fmt.Sprintf("%son-enter/%d", here, i+1) }

// enter runs the on-enter commands, at the top level of a shell, so that what
// they define stays.
func (s Session) enter(x *syntax, how [3]string) []byte {
	w := &strings.Builder{}
	w.WriteString(how[0])
	for i, command := range s.OnEnter {
		first, rest, _ := strings.Cut(strings.TrimSpace(command), "\n")
		if rest != "" {
			first += " …"
		}
		fill := strings.NewReplacer("@FILE@", x.quote(s.etc()+"/"+onEnter(i)), "@TEXT@", x.quote(command), "@NAME@", x.quote(first))
		w.WriteString(fill.Replace(how[1]))
	}
	w.WriteString(how[2])
	return []byte(w.String())
}

// What comes before each on-enter command, it, and what comes after. Where a
// command is a file of its own, a shell says in which line of which one it found
// a fault; but to dash a fault in a file is the end of whatever reads it. No
// alias of the user's may get in between.
var (
	enterBash = [3]string{"\\unset DEVENV_ENTER; __devenv_flags=$-\n", "\\. @FILE@ || __devenv_told @NAME@\n", "__devenv_calm\n"}
	enterSh   = [3]string{"\\unset DEVENV_ENTER; __devenv_flags=$-\n", "\\command eval @TEXT@ || __devenv_told @NAME@\n", "__devenv_calm\n"}
	enterFish = [3]string{"set -e DEVENV_ENTER\n", "builtin source @FILE@; or __devenv_told @NAME@\n", ""}
)

// saved is the shell variable that remembers an environment variable.
func saved(key string) string { return "__devenv_v_" + key }

// settable reports whether shells can and may set the variable: its name must
// be one, and not one of those that belong to the shell itself.
func settable(name string) bool {
	for i, r := range name {
		if r != '_' && !(r >= 'a' && r <= 'z') && !(r >= 'A' && r <= 'Z') && !(i > 0 && r >= '0' && r <= '9') {
			return false
		}
	}
	return name != "" && !slices.Contains(shellsOwn, name)
}

var shellsOwn = []string{
	"BASHOPTS", "BASH_VERSINFO", "EGID", "ERRNO", "EUID", "GID", "HOME", "IFS", "LINENO", "OLDPWD", "OPTIND", "PIPESTATUS", "PPID", "PWD", "RANDOM",
	"SECONDS", "SHELLOPTS", "SHLVL", "TTYIDLE", "UID", "USERNAME", "_", "argv", "history", "path", "pipestatus", "status", "status_generation", "version",
}
