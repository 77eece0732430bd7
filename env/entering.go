package env

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"devenv/cache"
	"devenv/env/manifest"
	"devenv/env/sandbox"
	"devenv/layers"
	"devenv/shellhooks"
)

// Entry says how an environment is entered, beyond what devenv.toml says.
type Entry struct {
	Pure            bool // only a short list of the host's variables passes
	KeepProcesses   bool // what runs in the background stays
	NoNetwork       bool
	ReadOnlyProject bool
	Ephemeral       bool     // home is a view that goes with the entry, and so does /tmp
	Without         []string // abilities of the host to do without: see sandbox.Abilities
	HostRoot        bool     // the host's root can be read at /run/host: see sandbox.Spec
	Once            bool     // the plan is not kept: the environment is not the project's own
}

// plain reports whether an entry is what devenv.toml says and nothing else:
// then its plan is kept for the next time.
func (e Entry) plain() bool {
	return !e.Pure && !e.KeepProcesses && !e.NoNetwork && !e.ReadOnlyProject && !e.Ephemeral && !e.HostRoot && len(e.Without) == 0 && !e.Once
}

// Plan is how an environment is entered this time.
type Plan struct {
	*sandbox.Plan
	File  string // where it is kept; "" if it is for this time only
	Clean func() // for a plan that is not entered after all; nil if that leaves nothing. A Sweep cleans up after an entry
}

// noChown keeps fakeroot from trying in earnest what it pretends. It takes a
// refusal for granted (EPERM), but not the answer where ids have no meaning
// (EINVAL), as all but one's own have here.
const noChown = "FAKEROOTDONTTRYCHOWN"

// paths are where commands are looked for inside, as Arch's /etc/profile and
// the perl package's own profile have it; those that the environment lacks
// are left out.
var paths = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/bin", "/usr/bin/site_perl", "/usr/bin/vendor_perl", "/usr/bin/core_perl"}

// Plan makes the entry plan of a built environment, and keeps the one of a
// plain entry for the next time.
func (p *Project) Plan(ctx context.Context, b *Built, e Entry) (*Plan, error) {
	home, err := p.home()
	if err != nil {
		return nil, err
	}
	host, err := sandbox.Look(ctx, p.Dir, home, b.exists)
	if err != nil {
		return nil, err
	}
	abilities, err := sandbox.Probe(ctx, p.Cache.Dir(), host.Privileged)
	if err != nil {
		return nil, err
	}
	if host.Abilities, err = abilities.Without(e.Without...); err != nil {
		return nil, err
	}
	start, err := p.session(b)
	if err != nil {
		return nil, err
	}
	for _, f := range start.Files {
		data := f.Data
		if f.After {
			own, err := os.ReadFile(b.file(path.Join("etc", f.Name)))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			data = append(own, data...)
		}
		host.Etc = append(host.Etc, sandbox.EtcFile{Name: f.Name, Data: data})
	}
	host.Hide = b.hidden
	layer, err := p.hostLayer(b, host)
	if err != nil {
		return nil, err
	}
	spec := sandbox.Spec{
		Cache: p.Cache.Dir(), Project: p.Dir, Name: p.name(),
		Lower: append([]string{layer}, b.lower...), Hold: b.hold,
		Unset: shellhooks.State,
		Env:   p.variables(b), Path: b.path, Shell: start.Argv, Tasks: taskNames(p.Manifest),
		Depend: append(checks(p.Manifest), b.checks...), Want: p.wanted(),
		Pure: e.Pure, KeepProcesses: e.KeepProcesses, NoNetwork: e.NoNetwork, ReadOnlyProject: e.ReadOnlyProject,
		HostRoot: e.HostRoot,
	}
	if b.store.Unsettled() {
		spec.Depend = append(spec.Depend, sandbox.Stat(layers.BootMark))
	}
	if _, set := spec.Env[noChown]; !set && !host.Privileged && b.exists("/usr/bin/fakeroot") {
		spec.Env[noChown] = "1"
	}
	for _, v := range start.Env {
		if v.Key == shellhooks.EnterVar {
			spec.Once = append(spec.Once, v.Key+"="+v.Value)
		} else {
			spec.Env[v.Key] = v.Value
		}
	}
	if err := p.ownHome(&spec, home, e); err != nil {
		return nil, err
	}
	if spec.Home == sandbox.HomeEphemeral {
		if err := p.viewOfHome(home, host); err != nil {
			return nil, err
		}
	}
	out := new(Plan)
	if host.NeedsTop() {
		if spec.Top, out.Clean, err = p.Cache.Temp("top"); err != nil {
			return nil, err
		}
		spec.Hold = append(spec.Hold, cache.TempLock(spec.Top))
	}
	if out.Plan, err = sandbox.Build(spec, host); err != nil {
		return nil, err
	}
	if !e.plain() || out.Clean != nil {
		return out, nil
	}
	file, err := out.Encode()
	if err != nil {
		return nil, err
	}
	key := sandbox.FileName(p.Dir)
	b.uses.Hosts, b.uses.Plans = []string{path.Base(path.Dir(layer))}, []string{key}
	err = p.record(b)
	if err == nil {
		err = p.Cache.WriteFile(p.Cache.Plan(key), file, 0o600)
	}
	if err != nil {
		// The entry itself needs nothing of it: a full disk is no reason to stay out.
		p.warn("the next entry will be no faster: %v", err)
		return out, nil
	}
	out.File = p.Cache.Plan(key)
	return out, nil
}

// record notes what the project uses, for gc. Where no database was asked this
// time, those of the last time stay.
func (p *Project) record(b *Built) error {
	b.uses.Files = p.databases
	if len(p.databases) == 0 {
		uses, err := p.Cache.Uses()
		if err != nil {
			return err
		}
		for _, u := range uses {
			if u.Project == p.Path {
				b.uses.Files = u.Uses.Files
			}
		}
	}
	return p.Cache.RecordUse(p.Path, b.uses)
}

// ownHome says which home the entry has; one that is not the host's has a /tmp
// of its own with it. What is to be kept is made on the
// host where it is missing: what is written to it would be lost otherwise.
func (p *Project) ownHome(spec *sandbox.Spec, home string, e Entry) error {
	spec.Home = sandbox.HomeMode(p.Home.Mode)
	if e.Ephemeral && spec.Home == sandbox.HomeHost {
		spec.Home = sandbox.HomeEphemeral
	}
	if spec.Home == sandbox.HomeHost {
		return nil
	}
	spec.PrivateTmp = true
	spec.Also = gitDirs(p.Dir)
	if p.Dir == home || strings.HasPrefix(home, p.Dir+"/") {
		return fmt.Errorf("the home directory %s is the project or lies in it, so it cannot be %s\nhint: move devenv.toml into a directory of its own", home, spec.Home)
	}
	for _, k := range p.Home.Keep {
		path := filepath.Join(home, k.Name)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			if err := os.MkdirAll(path, 0o755); err != nil {
				return fmt.Errorf("%s: keeping %s: %w", k.Pos, k.Name, err)
			}
		}
		spec.Keep = append(spec.Keep, path)
	}
	return nil
}

// viewOfHome refuses a copy-on-write view of the home directory that the kernel
// would refuse, and says where there can be none at all.
func (p *Project) viewOfHome(home string, host *sandbox.Host) error {
	if !host.Overlay {
		p.warn("this host allows no overlay, so there is no copy-on-write view of %s: the home directory is empty", home)
		return nil
	}
	if at := sandbox.MountedBelow(home); at != "" && !host.Privileged {
		return fmt.Errorf("no copy-on-write view of the home directory %s can be made: %s is mounted below it, and the kernel refuses that to a user\nhint: `[home] mode = \"empty\"`, with what you need of it in `keep`", home, at)
	}
	return nil
}

// home is the user's home directory, a real path where it exists.
func (p *Project) home() (string, error) {
	home := p.opt.Getenv("HOME")
	if home == "" {
		return "", errors.New("HOME is not set: set it to your home directory")
	}
	real, err := filepath.EvalSymlinks(home)
	if errors.Is(err, fs.ErrNotExist) {
		return filepath.Clean(home), nil
	}
	return real, err
}

// name is what prompts show.
func (p *Project) name() string { return filepath.Base(p.Dir) }

// wanted are the variables that a plan depends on, as they are.
func (p *Project) wanted() []string {
	names := append([]string{"HOME", "XDG_CONFIG_HOME", "DEVENV_MIRROR", "SHELL"}, shellhooks.Personal...)
	if len(p.Locale.Generate) == 0 {
		names = append(names, localeVariables...)
	}
	for _, v := range p.allVars() {
		names = append(names, manifest.References(v.Value)...)
	}
	slices.Sort(names)
	var out []string
	for _, n := range slices.Compact(names) {
		if n == sandbox.NameVar || n == sandbox.ProjectVar {
			continue // ours, whatever they are outside
		}
		if v, ok := os.LookupEnv(n); ok {
			out = append(out, n+"="+v)
		} else {
			out = append(out, n)
		}
	}
	return out
}

// allVars are the variables of the packages, then those of [env], which win.
func (p *Project) allVars() []manifest.Var {
	var vars []manifest.Var
	for _, pkg := range p.Packages {
		vars = append(vars, pkg.Env...)
	}
	return append(vars, p.Env...)
}

// variables are those that devenv.toml sets, with their references resolved:
// against each other, and against what passes from the host.
func (p *Project) variables(b *Built) map[string]string {
	set := map[string]string{}
	host := map[string]string{"PATH": strings.Join(b.path, ":"), sandbox.NameVar: p.name(), sandbox.ProjectVar: p.Dir}
	look := func(name string) string {
		if v, ok := set[name]; ok {
			return v
		}
		if v, ok := host[name]; ok {
			return v
		}
		if sandbox.Passes(name) {
			return p.opt.Getenv(name)
		}
		return ""
	}
	for _, v := range p.allVars() {
		set[v.Name] = manifest.Expand(v.Value, look)
	}
	return set
}

// hostLayer makes the layer of the host's own files, named by what is in it,
// and gives its path in the cache.
func (p *Project) hostLayer(b *Built, h *sandbox.Host) (string, error) {
	text, err := json.Marshal([]any{"host layer 3", h.Shared, h.Links, h.Extra, h.Etc, h.Hide, h.Self})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	id := hex.EncodeToString(sum[:12])
	if err := b.keep(p.Cache, cache.Hosts, id); err != nil {
		return "", err
	}
	final := p.Cache.Host(id)
	rel := path.Join("hosts", id, "fs")
	if _, err := os.Stat(final); err == nil {
		return rel, nil
	}
	tmp, release, err := p.Cache.Temp("host")
	if err != nil {
		return "", err
	}
	defer release()
	made := filepath.Join(tmp, "layer")
	if err := os.MkdirAll(filepath.Join(made, "fs"), 0o755); err != nil {
		return "", err
	}
	if err := h.Write(filepath.Join(made, "fs")); err != nil {
		return "", fmt.Errorf("writing the host's own files: %w", err)
	}
	_, err = b.store.PublishLater(cache.Hosts, made, id)
	return rel, err
}
