package manifest

import (
	"io/fs"

	"devenv/env/manifest/tomlfile"
)

// Pos is where a value stands: file, line and column, from 1. The zero Pos is
// that of a default.
type Pos = tomlfile.Pos

// Error is one fault of what a person wrote, or of where they wrote it. A
// command that meets one (errors.As) exits with 2.
type Error = tomlfile.Error

// Errors are several of them.
type Errors = tomlfile.Errors

// Manifest is what devenv.toml, its includes, devenv.local.toml, the user's
// config.toml and DEVENV_MIRROR say together, as one kind of machine sees it.
// It is plain data and, once loaded, never changed.
type Manifest struct {
	Path   string  // devenv.toml, absolute
	Dir    string  // the directory it is in: the project
	Inputs []Input // sorted: every file that had a say, or would have if it existed

	// Host is the kind of machine this view is of: the name of the [host.*]
	// section that names it most closely, or AnyHost. See Variants.
	Host string

	Snapshot    string // a day, "2026-11-20"; "" means the mirrors of today
	SnapshotPos Pos
	Arch        string // "x86_64"
	ArchPos     Pos
	Base        []Item // sorted by name
	BaseDefault bool   // Base is the documented set: nobody chose it

	Packages []Package // sorted by name; those of Base are not among them

	Env     []Var // in an order in which each comes after those it refers to
	Shell   Shell
	Tasks   []Task // sorted by name
	Home    Home
	Locale  Locale
	Options Settings
	Cache   Cache
	Mirrors Mirrors

	whole *whole
}

// Input is one file that the manifest depends on.
type Input struct {
	Path   string // absolute
	Exists bool   // false: it was looked for and is not there
}

// Item is a word with its place.
type Item struct {
	Name string
	Pos  Pos
}

// Package is one key of [packages]: a package, a group or a virtual name.
type Package struct {
	Name     string
	Pos      Pos    // of the key
	Repo     string // from `repo =` or a key of the form "repo/name"; "" for any
	RepoPos  Pos
	Pin      Pin
	PinPos   Pos
	Snapshot string // its own day, or Latest; "" for the manifest's
	SnapPos  Pos

	With      []Item // dependencies that its packager forgot
	Expose    []Item // the only commands to be seen, if ExposeSet
	ExposeSet bool
	Env       []Var  // as in Manifest
	Files     []File // sorted by target
	OnEnter   string
	EnterPos  Pos
	Overwrite []Item // globs of paths without leading slash
}

// Var is one variable. Its value may refer to others: see Expand.
type Var struct {
	Name  string
	Value string
	Pos   Pos // of the name
}

// File is a file that a package's configuration puts into the environment.
type File struct {
	Target string // absolute and clean
	Pos    Pos
	Data   []byte      // its content, also if it came from Source
	Mode   fs.FileMode // permission bits
	Source string      // absolute path of the file it came from, or ""
}

// Shell is what `devenv enter` starts.
type Shell struct {
	Command  []string // words; empty for the user's own shell
	Pos      Pos
	OnEnter  string // runs once per entry
	EnterPos Pos
	Aliases  []Var // sorted by name; their values refer to nothing
}

// Task is what `devenv run NAME` does.
type Task struct {
	Name    string
	Pos     Pos
	Command string // for the shell; "" if the task only gathers others
	Depends []Item // run before it, in this order; no cycles
	Dir     string // absolute
	Env     []Var
}

// The values of Home.Mode.
const (
	HomeHost      = "host"
	HomeEphemeral = "ephemeral"
	HomeEmpty     = "empty"
)

// Home says which home directory the environment sees.
type Home struct {
	Mode    string
	ModePos Pos
	Keep    []Item // clean paths relative to home
}

// Locale lists the locales to generate; none means the user's own.
type Locale struct {
	Generate []Item
}

// Settings are those of [options].
type Settings struct {
	NoExtract []Item // globs of paths without leading slash; "!" takes one back
	HostCA    bool   // trust the host's certificate authorities inside
}

// Cache names the registry that layers travel through.
type Cache struct {
	Remote string // a reference such as registry.example/team/devenv, or an absolute directory; "" for none
	Pos    Pos
	Push   bool
}

// Package is the package of that name in m, or nil.
func (m *Manifest) Package(name string) *Package {
	for i := range m.Packages {
		if m.Packages[i].Name == name {
			return &m.Packages[i]
		}
	}
	return nil
}

// Task is the task of that name in m, or nil.
func (m *Manifest) Task(name string) *Task {
	for i := range m.Tasks {
		if m.Tasks[i].Name == name {
			return &m.Tasks[i]
		}
	}
	return nil
}
