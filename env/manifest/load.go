package manifest

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"devenv/env/manifest/tomlfile"
)

// Options are the things outside the files that Load depends on. What is zero
// is asked of the process and the machine.
type Options struct {
	Getenv   func(string) string
	Home     string // the user's home directory
	Hostname string
	Arch     string // the machine's, in Arch's words
	WorkDir  string // where paths in messages and a relative DEVENV_MIRROR begin
}

func (o Options) withDefaults() (Options, error) {
	var err error
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	o.Home = cmp.Or(o.Home, o.Getenv("HOME"))
	o.Arch = cmp.Or(o.Arch, MachineArch())
	if o.Hostname == "" {
		if o.Hostname, err = os.Hostname(); err != nil {
			return o, fmt.Errorf("ask for the host's name: %w", err)
		}
	}
	if o.WorkDir == "" {
		if o.WorkDir, err = os.Getwd(); err != nil {
			return o, fmt.Errorf("ask for the working directory: %w", err)
		}
	}
	return o, nil
}

// MachineArch is the architecture of this machine in Arch's words.
func MachineArch() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	case "arm":
		return "armv7h"
	case "386":
		return "i686"
	case "ppc64le":
		return "powerpc64le"
	}
	return runtime.GOARCH
}

// Variant is the manifest as one kind of machine sees it.
type Variant struct {
	Host     string // Manifest.Host
	Manifest *Manifest
}

// whole is what every view of a manifest has in common.
type whole struct {
	sections []string // the names of all [host.*] sections, sorted
	variants []Variant
	shared   *Manifest // without devenv.local.toml; nil where there is none
}

// Load reads devenv.toml and all that belongs to it, as the machine that
// Options name sees it. Faults of what is written are an *Error or Errors.
func Load(path string, opt Options) (*Manifest, error) {
	return load(path, opt, true, newReader())
}

// LoadUser is Load where there is no project: what the user's own file and
// DEVENV_MIRROR say, and the defaults. dir is what the project's directory
// would be; no devenv.toml is read.
func LoadUser(dir string, opt Options) (*Manifest, error) {
	return load(filepath.Join(dir, FileName), opt, false, newReader())
}

func load(path string, opt Options, project bool, files *reader) (*Manifest, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	l := &loader{opt: opt, path: path, dir: filepath.Dir(path), files: files, docs: make(map[string]*tomlfile.Document)}
	l.layersOf(userFile(opt), false, true)
	if !project {
		return l.manifest()
	}
	l.layersOf(path, true, false)
	common := len(l.layers)
	l.layersOf(filepath.Join(l.dir, LocalFileName), false, false)
	m, err := l.manifest()
	if err != nil || len(l.layers) == common {
		return m, err
	}
	l.layers = l.layers[:common]
	if m.whole.shared, err = l.manifest(); err != nil {
		return nil, err
	}
	return m, nil
}

// manifest is what the layers come to, as the machine of the options sees it.
func (l *loader) manifest() (*Manifest, error) {
	if err := l.errs.Err(); err != nil {
		return nil, err
	}
	w, err := l.variants()
	if err != nil {
		return nil, err
	}
	return w.forHost(l.opt.Hostname)
}

// userFile is the user's config.toml; relative directories in the environment
// are to be ignored (XDG Base Directory Specification).
func userFile(opt Options) string {
	config := opt.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) {
		if opt.Home == "" {
			return ""
		}
		config = filepath.Join(opt.Home, ".config")
	}
	return filepath.Join(config, "devenv", "config.toml")
}

// Hosts is the names of all [host.*] sections, sorted.
func (m *Manifest) Hosts() []string { return slices.Clone(m.whole.sections) }

// Variants is what all kinds of machines see: those that no [host.*] section
// names, and each section's. A lock serves them all. A variant's manifest has
// the sections that all its machines are in: that of "build-7" has those of
// "build-*", too.
func (m *Manifest) Variants() []Variant { return slices.Clone(m.whole.variants) }

// Shared is what the manifest would be without devenv.local.toml: what everyone
// who has the project sees. It is m itself where there is no such file.
func (m *Manifest) Shared() *Manifest {
	if m.whole.shared == nil {
		return m
	}
	return m.whole.shared
}

// ForHost is what the machine of that name sees.
func (m *Manifest) ForHost(hostname string) (*Manifest, error) { return m.whole.forHost(hostname) }

func (w *whole) forHost(hostname string) (*Manifest, error) {
	kind, other := kindOf(w.sections, hostname)
	if other != "" {
		return nil, &Error{
			Msg:  fmt.Sprintf("the host %q is meant by both [host.%q] and [host.%q], and neither is part of the other", hostname, kind, other),
			Hint: fmt.Sprintf("give the machine a section of its own, [host.%q]: both then apply to it", hostname),
		}
	}
	i := slices.IndexFunc(w.variants, func(v Variant) bool { return v.Host == kind })
	return w.variants[i].Manifest, nil
}

// loader collects the layers of a manifest, the least important first.
type loader struct {
	opt    Options
	path   string
	dir    string
	files  *reader
	docs   map[string]*tomlfile.Document // by the name in positions
	layers []layer
	errs   Errors
}

// layer is one file.
type layer struct {
	common *tomlfile.Value   // what holds for every machine
	hosts  []*tomlfile.Entry // the [host.*] sections
}

// layersOf adds a file and its includes, which count less than it does.
func (l *loader) layersOf(path string, required, user bool) {
	if path == "" {
		return
	}
	_, _, err := l.files.read(path)
	if !required && err != nil && isAbsent(err) {
		return
	}
	g := group{loader: l, user: user, seen: make(map[string]bool)}
	if err != nil {
		l.errs = append(l.errs, &Error{Pos: Pos{File: shortName(path, l.opt.WorkDir)}, Msg: "cannot be read: " + reason(err, false), Err: err})
		return
	}
	g.visit(path, nil)
}

// group is a file with all that it includes.
type group struct {
	*loader
	user  bool
	seen  map[string]bool
	chain []string // files that are being read, outermost first
}

func (g *group) visit(path string, from *tomlfile.Value) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		real = path
	}
	if i := slices.Index(g.chain, real); i >= 0 {
		var names []string
		for _, p := range append(slices.Clone(g.chain[i:]), real) {
			names = append(names, shortName(p, g.opt.WorkDir))
		}
		g.errs = append(g.errs, from.Faultf("remove one of these includes", "files include each other in a circle: %s", chain(names)))
		return
	}
	if g.seen[real] {
		return
	}
	g.seen[real] = true
	data, _, err := g.files.read(path)
	if err != nil {
		fault := from.Faultf("", "the include cannot be read: %s", reason(err, true))
		if fault.Err = err; isAbsent(err) {
			fault.Hint = "the path is relative to " + filepath.Base(from.Doc.Path)
		}
		g.errs = append(g.errs, fault)
		return
	}
	doc, err := tomlfile.Parse(shortName(path, g.opt.WorkDir), path, data)
	if err != nil {
		g.errs = append(g.errs, tomlfile.List(err)...)
		return
	}
	g.docs[doc.Name] = doc
	g.chain = append(g.chain, real)
	g.document(doc)
	g.chain = g.chain[:len(g.chain)-1]
}

// document checks a file, reads its includes and adds it as a layer.
func (g *group) document(doc *tomlfile.Document) {
	d := g.decoder()
	root := d.normalFile(doc.Root)
	d.root(root)
	var hosts []*tomlfile.Entry
	if e := root.Get("host"); e != nil {
		d.each(e, func(e *tomlfile.Entry) {
			section := g.decoder()
			section.hostSection(e)
			d.errs = append(d.errs, section.errs...)
		})
		hosts = e.Value.Entries
	}
	if e := root.Get("include"); e != nil {
		for _, item := range d.words(e, checkInclude) {
			g.include(doc, e, item)
		}
	}
	if g.user {
		g.noPackages(d, root, hosts)
	}
	g.errs = append(g.errs, d.errs...)
	g.layers = append(g.layers, layer{common: root, hosts: hosts})
}

func checkInclude(s string) (msg, hint string) {
	if s == "" {
		return "the name of a file is missing", `write, for example, ["../common.toml"]`
	}
	return "", ""
}

func (g *group) include(doc *tomlfile.Document, e *tomlfile.Entry, item Item) {
	i := slices.IndexFunc(e.Value.Items, func(v *tomlfile.Value) bool { return v.Text == item.Name })
	path := g.decoder().path(filepath.Dir(doc.Path), item.Name)
	g.visit(path, e.Value.Items[i])
}

// noPackages refuses packages in the user's file.
func (g *group) noPackages(d *decoder, root *tomlfile.Value, hosts []*tomlfile.Entry) {
	const hint = "name them in the project's devenv.toml, or in devenv.local.toml beside it"
	tables := []*tomlfile.Value{root}
	for _, h := range hosts {
		tables = append(tables, h.Value)
	}
	for _, t := range tables {
		if e := t.Get("packages"); e != nil {
			d.add(e.Faultf(hint, "a user's file has no packages: they would differ from person to person"))
		}
	}
}

func (l *loader) decoder() *decoder {
	return &decoder{m: &Manifest{Path: l.path, Dir: l.dir}, files: l.files, home: l.opt.Home}
}
