package env

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"devenv/cache"
	"devenv/cache/fetch"
	"devenv/cache/mirror"
	"devenv/env/manifest"
)

// Options are what a command says about how to work. The zero Options says
// nothing, asks the process's environment and reports nothing.
type Options struct {
	Getenv  func(string) string
	Report  func(Event) // several goroutines may call it at once
	Refresh bool        // ask the mirrors even if they were asked just now
}

func (o Options) withDefaults() Options {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Report == nil {
		o.Report = func(Event) {}
	}
	return o
}

// Event is something that a person who waits wants to know.
type Event struct {
	Step Step
	Name string // the package or database
	// Done and Total are bytes of Name, or packages of Step; Total is 0 if it
	// is not known.
	Done, Total int64
	End         bool   // Name is done
	Text        string // for Note, Warning and Detail: one line
}

// Step says what an Event is about.
type Step string

// The steps.
const (
	Note     Step = "note"
	Warning  Step = "warning"
	Detail   Step = "detail" // for those who want to know more
	Sync     Step = "sync"
	Download Step = "download"
	Unpack   Step = "unpack"
	Link     Step = "link"
	SetUp    Step = "set up"
)

// Project is a directory with a devenv.toml, and the cache that serves it.
type Project struct {
	*manifest.Manifest        // as this host sees it
	Dir                string // real path of the directory
	Cache              *cache.Cache

	opt     Options
	client  *fetch.Client
	mirror  *mirror.Mirror
	frozen  bool // devenv.lock may not be written
	outside bool // nothing is to be entered
	single  bool // it is single tools, without a base set
	loose   bool // its lock is no file

	// shared is the project as everyone has it, where devenv.local.toml asks for
	// other packages; else nil. See Lock.
	shared *Project

	databases []string // those asked so far, for cache.Uses
}

// Open finds the project that dir lies in and reads what it says. A fault in
// what a person wrote is a manifest.Error.
func Open(dir string, opt Options) (*Project, error) {
	opt = opt.withDefaults()
	if _, err := os.Getwd(); err != nil && !filepath.IsAbs(dir) {
		return nil, fmt.Errorf("the working directory is no more: %w\nhint: cd into a directory that exists", err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for devenv.toml: %w", err)
	}
	path, err := manifest.Find(real)
	if err != nil {
		return nil, err
	}
	m, err := load(path, opt)
	if err != nil {
		return nil, err
	}
	return project(m, opt)
}

// OpenAnywhere is Open for questions that need no project: outside one it is a
// project that asks for nothing, with the mirrors of the user's own file.
func OpenAnywhere(dir string, opt Options) (*Project, error) {
	p, err := Open(dir, opt)
	if !errors.Is(err, manifest.ErrNotFound) {
		return p, err
	}
	opt = opt.withDefaults()
	m, err := manifest.LoadUser(dir, manifest.Options{Getenv: opt.Getenv})
	if err != nil {
		return nil, err
	}
	return project(m, opt)
}

func project(m *manifest.Manifest, opt Options) (*Project, error) {
	c, err := cache.Open(cache.Dir(opt.Getenv))
	if err != nil {
		return nil, err
	}
	client := fetch.New(fetch.FromEnv(opt.Getenv))
	p := &Project{
		Manifest: m, Dir: m.Dir, Cache: c, opt: opt,
		client: client, mirror: mirror.New(c, client, mirrorConfig(m)),
	}
	if s := m.Shared(); s.ResolutionDigest() != m.ResolutionDigest() {
		p.shared = &Project{Manifest: s, Dir: m.Dir, Cache: c, opt: opt, client: client, mirror: mirror.New(c, client, mirrorConfig(s))}
	}
	return p, nil
}

// Mirror is where the project's packages come from.
func (p *Project) Mirror() *mirror.Mirror { return p.mirror }

func mirrorConfig(m *manifest.Manifest) mirror.Config {
	c := mirror.Config{Servers: names(m.Mirrors.Servers), Archive: m.Mirrors.Archive, Arch: m.Arch, Repos: names(m.Mirrors.Repos)}
	for _, r := range m.Mirrors.Extra {
		c.Extra = append(c.Extra, mirror.ExtraRepo{Name: r.Name, Servers: names(r.Servers)})
	}
	return c
}

func names(items []manifest.Item) []string {
	out := make([]string, len(items))
	for i, it := range items {
		out[i] = it.Name
	}
	return out
}

func (p *Project) note(format string, args ...any) {
	p.opt.Report(Event{Step: Note, Text: fmt.Sprintf(format, args...)})
}

func (p *Project) warn(format string, args ...any) {
	p.opt.Report(Event{Step: Warning, Text: fmt.Sprintf(format, args...)})
}
