package shellhooks

import (
	"maps"
	"path"
	"slices"
)

// Session is what an interactive shell inside an environment must know.
type Session struct {
	Name, Project string   // for the prompt, and for others
	Path          []string // PATH inside; it wins over the user's own start-up files
	OnEnter       []string // commands, run once per entry, after the user's files
	Aliases       []Alias  // sorted
	Env           []KV     // set again after the user's files ran

	// Etc is the directory that holds Start.Files when the shell starts; ""
	// means /etc.
	Etc string
	// Native says that the shell runs on the host as it is: Path comes first,
	// and whatever else stands on PATH stays behind it. Etc is then a directory
	// of the caller's own.
	Native bool
	// User holds those variables of [Personal] that the user has set: they say
	// where the user's own start-up files are.
	User []KV
}

// Personal are the variables that name the user's own start-up files, for
// Session.User. A shell's start depends on their values.
var Personal = []string{"ENV", "ZDOTDIR"}

// State are the variables of hooks, devenv's and direnv's. They must not pass
// into an environment, where a hook would undo with them what it did outside.
// A name may end in "*".
var State = []string{diffVar, EnterVar, "DIRENV_*"}

// EnterVar is set for the shell that an entry starts, and for no other command:
// the first shell that settles runs the on-enter commands and takes it away.
const EnterVar = "DEVENV_ENTER"

// Alias is a command's other name.
type Alias struct{ Name, Value string }

// KV is a variable.
type KV struct{ Key, Value string }

// File is a file that a started shell reads.
type File struct {
	Name string // relative to Session.Etc
	Data []byte
	// After says that Data is put behind what the environment's own file of
	// that name holds, where there is one.
	After bool
}

// Start is how a shell is started.
type Start struct {
	Argv  []string // the first is the shell's path
	Env   []KV     // variables to set, besides Session.Env and PATH
	Files []File   // sorted by name
}

// Shell is one kind of shell.
type Shell interface {
	Name() string // "bash"
	// Start says how the shell at path, absolute and as seen from inside, is
	// started.
	Start(path string, s Session) Start
	// Hook is the text for `eval "$(devenv hook bash)"`; self is devenv's path
	// and whatever options it is to have.
	Hook(self ...string) string
	// Export gives the statements that make the changes of d.
	Export(d Diff) string
	// Fresh gives the definition of the function that tells a hook whether the
	// files are still as they were found. What it needs for that is made in the
	// directory stamps; on error it watches what it can.
	Fresh(files []Watched, stamps string) (string, error)
}

var shells = map[string]Shell{"bash": bash{}, "fish": fish{}, "sh": sh{}, "zsh": zsh{}}

// posix are shells that are started and told as sh is.
var posix = []string{"ash", "busybox", "dash", "ksh", "ksh93", "loksh", "mksh", "oksh"}

// For gives the shell of that name; false if it is not known well enough to be
// told anything.
func For(name string) (Shell, bool) {
	if slices.Contains(posix, name) {
		name = "sh"
	}
	s, ok := shells[name]
	return s, ok
}

// Names lists the shells that have a hook, sorted.
func Names() []string { return slices.Sorted(maps.Keys(shells)) }

// Enter says how the shell at file is started, whatever shell it is. One that is
// not known gets what all get: PATH and the variables, and the files by which
// shells that are started from it settle. Words of the user's own go after
// Start.Argv.
func Enter(file string, s Session) Start {
	if sh, ok := For(path.Base(file)); ok {
		return sh.Start(file, s)
	}
	return s.start(file)
}
