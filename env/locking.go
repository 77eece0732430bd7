package env

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"devenv/cache/fetch"
	"devenv/cache/mirror"
	"devenv/env/lock"
	"devenv/env/manifest"
	"devenv/env/resolve"
)

// LockMode says what may happen to devenv.lock.
type LockMode struct {
	Frozen bool     // nothing: a lock that does not fit is an error
	Update []string // these packages may move; see All
	All    bool     // every package may move
	DryRun bool     // resolve, and write nothing
	Mend   bool     // a lock that a merge or a hand edit has damaged is written anew
}

// StaleLockError says that devenv.lock does not fit devenv.toml and may not be
// written.
type StaleLockError struct {
	Path string
	Why  string
}

func (e *StaleLockError) Error() string {
	return fmt.Sprintf("%s: %s, and may not be written\nhint: run `devenv lock` and commit the result", e.Path, e.Why)
}

// LockPath is where the lock of this machine stands: devenv.lock, or a file of
// the cache where devenv.local.toml asks for other packages than the project.
func (p *Project) LockPath() string {
	if p.shared != nil {
		return p.Cache.Local(p.Path)
	}
	return filepath.Join(p.Dir, lock.FileName)
}

// LockName is the file to name where a person is told what moved in the lock of
// this machine.
func (p *Project) LockName() string {
	if p.shared != nil {
		return filepath.Join(p.Dir, manifest.LocalFileName)
	}
	return p.LockPath()
}

// ReadLock reads the lock of this machine; nil if there is none.
func (p *Project) ReadLock() (*lock.Lock, error) {
	b, err := os.ReadFile(p.LockPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return lock.Parse(p.LockPath(), b)
}

// Lock brings devenv.lock up to date with what devenv.toml asks for, and says
// what changed. A lock that fits is only read.
//
// devenv.lock is everyone's, and devenv.local.toml one person's. So where that
// asks for other packages, the lock of this machine is a second one, which
// follows devenv.lock wherever it can.
func (p *Project) Lock(ctx context.Context, mode LockMode) (*lock.Lock, []lock.Change, error) {
	if p.shared == nil {
		return p.lock(ctx, mode, nil)
	}
	theirs := mode
	common, err := p.shared.ReadLock()
	if err == nil {
		theirs.Update = slices.DeleteFunc(slices.Clone(mode.Update), func(name string) bool { return !holds(common, name) })
	}
	common, changes, err := p.shared.lock(ctx, theirs, nil)
	if err != nil {
		return nil, nil, err
	}
	p.databases = p.shared.databases
	old, _ := p.ReadLock()
	mode.Frozen, mode.Mend = false, true // it is cache
	own, moved, err := p.lock(ctx, mode, common)
	if err == nil && old == nil {
		moved = append(changes, lock.Diff(common, own)...)
	}
	return own, moved, err
}

// inputs says what a lock is made from; common is the lock that it follows, or
// nil.
func (p *Project) inputs(common *lock.Lock) string {
	digest := p.ResolutionDigest()
	if common == nil {
		return digest
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(append([]byte(digest), lock.Marshal(common)...)))
}

// lock is Lock for one file.
func (p *Project) lock(ctx context.Context, mode LockMode, common *lock.Lock) (*lock.Lock, []lock.Change, error) {
	p.frozen = mode.Frozen
	old, err := p.ReadLock()
	damaged := errors.Is(err, lock.ErrMerge) || errors.Is(err, lock.ErrEdited)
	if mode.Mend && !mode.Frozen && damaged {
		old, err = p.salvage()
	}
	if err != nil {
		return nil, nil, err
	}
	inputs := p.inputs(common)
	update := mode.All || len(mode.Update) > 0 || damaged
	if old != nil && old.Inputs == inputs && !update {
		return old, nil, nil
	}
	if mode.Frozen {
		why := "it is missing"
		if old != nil {
			why = "devenv.toml asks for something else"
		}
		return nil, nil, &StaleLockError{Path: p.LockPath(), Why: why}
	}
	next, err := p.resolve(ctx, old, common, mode)
	if err != nil {
		return nil, nil, err
	}
	next.Inputs = inputs
	keepCompat(next, common)
	keepCompat(next, old)
	changes := lock.Diff(old, next)
	if mode.DryRun {
		return next, changes, nil
	}
	return next, changes, lock.Write(p.LockPath(), next)
}

// salvage reads what is left of a damaged lock, the versions to prefer; nil if
// that is nothing.
func (p *Project) salvage() (*lock.Lock, error) {
	b, err := os.ReadFile(p.LockPath())
	if err != nil {
		return nil, err
	}
	p.note("%s was changed by a merge or by hand: writing it anew", p.LockPath())
	l, err := lock.Salvage(p.LockPath(), b)
	if err != nil {
		return nil, nil
	}
	return l, nil
}

// resolve solves for every kind of machine that devenv.toml names; what they
// share they share in one version wherever that is possible.
func (p *Project) resolve(ctx context.Context, old, common *lock.Lock, mode LockMode) (*lock.Lock, error) {
	for _, name := range mode.Update {
		if !holds(old, name) && !holds(common, name) {
			return nil, p.unknown(name, old, common)
		}
	}
	s := &solving{p: p, days: map[string][]*resolve.Repo{}}
	prefer := map[string]string{}
	if old != nil && !mode.All {
		p.prefer(prefer, old, mode.Update)
	}
	if common != nil {
		p.prefer(prefer, common, nil)
	}
	next := &lock.Lock{Snapshot: p.Snapshot, Arch: p.Arch}
	merged := map[string]*lock.Package{}
	for _, v := range p.Variants() {
		next.Hosts = append(next.Hosts, v.Host)
		request, err := s.request(ctx, v.Manifest)
		if err != nil {
			return nil, err
		}
		request.Locked = maps.Clone(prefer)
		solution, err := resolve.Solve(ctx, *request)
		if err != nil {
			return nil, err
		}
		for _, c := range solution.Packages {
			prefer[c.Name] = c.Version
			pkg, err := s.locked(ctx, c)
			if err != nil {
				return nil, err
			}
			key := pkg.Name + " " + pkg.Version + " " + pkg.SHA256
			if m := merged[key]; m != nil {
				m.By = slices.Compact(slices.Sorted(slices.Values(append(m.By, pkg.By...))))
				m.Base = m.Base || pkg.Base
				m.Hosts = append(m.Hosts, v.Host)
			} else {
				pkg.Hosts = []string{v.Host}
				merged[key] = pkg
			}
		}
	}
	slices.Sort(next.Hosts)
	for _, key := range slices.Sorted(maps.Keys(merged)) {
		pkg := merged[key]
		slices.Sort(pkg.Hosts)
		if len(pkg.Hosts) == len(next.Hosts) {
			pkg.Hosts = nil
		}
		next.Packages = append(next.Packages, *pkg)
	}
	next.Trust = lock.Trust{SigLevel: p.Mirrors.SigLevel}
	return next, nil
}

// prefer notes the versions of a lock, but for what may move. Another day means
// other versions.
func (p *Project) prefer(versions map[string]string, l *lock.Lock, update []string) {
	if l.Snapshot != p.Snapshot {
		return
	}
	for _, pkg := range l.Packages {
		if pkg.Compat == "" && !slices.Contains(update, pkg.Name) {
			versions[pkg.Name] = pkg.Version
		}
	}
}

// holds reports whether a lock has a package of that name.
func holds(l *lock.Lock, name string) bool { return slices.Contains(lockedNames(l), name) }

func lockedNames(l *lock.Lock) []string {
	if l == nil {
		return nil
	}
	var out []string
	for _, pkg := range l.Packages {
		out = append(out, pkg.Name)
	}
	return out
}

// unknown says that what is to be updated is not locked.
func (p *Project) unknown(name string, locks ...*lock.Lock) error {
	var have []string
	for _, l := range locks {
		have = append(have, lockedNames(l)...)
	}
	err := fmt.Errorf("%s is not in %s", name, p.LockPath())
	if s := manifest.Suggest(name, have); s != "" {
		err = fmt.Errorf("%w\nhint: did you mean %s?", err, s)
	}
	return &UnknownPackageError{Err: err}
}

// UnknownPackageError says that a command was given the name of no package.
type UnknownPackageError struct{ Err error }

func (e *UnknownPackageError) Error() string { return e.Err.Error() }
func (e *UnknownPackageError) Unwrap() error { return e.Err }

// solving keeps what the solutions for several kinds of machines share.
type solving struct {
	p    *Project
	days map[string][]*resolve.Repo
}

// request puts what a manifest asks for into the resolver's words.
func (s *solving) request(ctx context.Context, m *manifest.Manifest) (*resolve.Request, error) {
	repos, err := s.repos(ctx, m, m.Snapshot)
	if err != nil {
		return nil, err
	}
	r := &resolve.Request{Arch: m.Arch, Repos: repos, Archive: s.p.mirror.Archive(), History: &resolve.History{
		Days: s.p.mirror.Archive().Days,
		At: func(ctx context.Context, day string) ([]*resolve.Repo, error) {
			return s.repos(ctx, m, day)
		},
	}}
	for _, pkg := range m.Packages {
		w := resolve.Want{Name: pkg.Name, Repo: pkg.Repo, Origin: origin(pkg), With: names(pkg.With)}
		if !pkg.Pin.IsAny() {
			w.Pin, w.Accept = pkg.Pin.String(), pkg.Pin.Matches
			w.Exact, _ = pkg.Pin.Exact()
		}
		if pkg.Snapshot != "" {
			day := pkg.Snapshot
			if day == manifest.Latest {
				day = ""
			}
			if w.Repos, err = s.repos(ctx, m, day); err != nil {
				return nil, fmt.Errorf("%s: %w", pkg.SnapPos, err)
			}
		}
		r.Wants = append(r.Wants, w)
	}
	for _, it := range m.Base {
		w := resolve.Want{Name: it.Name, Base: true, Origin: "the base set"}
		if !m.BaseDefault {
			w.Origin = fmt.Sprintf("%s: base", it.Pos)
		}
		r.Wants = append(r.Wants, w)
	}
	return r, nil
}

func origin(pkg manifest.Package) string {
	return fmt.Sprintf("%s: %s = %q", pkg.Pos, pkg.Name, pkg.Pin.String())
}

// repos gives a day's repositories, in order of preference.
func (s *solving) repos(ctx context.Context, m *manifest.Manifest, day string) ([]*resolve.Repo, error) {
	if r, ok := s.days[day]; ok {
		return r, nil
	}
	list, err := s.p.syncDay(ctx, m, day)
	if err != nil {
		return nil, err
	}
	s.days[day] = list
	return list, nil
}

func (p *Project) syncDay(ctx context.Context, m *manifest.Manifest, day string) ([]*resolve.Repo, error) {
	var repos []string
	for _, r := range m.Mirrors.Repositories(day) {
		repos = append(repos, r.Name)
	}
	synced, err := p.mirror.SyncAll(ctx, repos, day, mirror.Options{Refresh: p.opt.Refresh, Progress: func(e fetch.Event) {
		p.opt.Report(Event{Step: Sync, Name: e.Name, Done: e.Done, Total: e.Total, End: e.State == fetch.Finished})
	}})
	if err != nil {
		return nil, err
	}
	var list []*resolve.Repo
	for _, s := range synced {
		if s.Info.Stale {
			p.warn("%s: no network; using the database of %s", s.Info.Repo, s.Info.Checked.Format("2006-01-02 15:04"))
		}
		if !slices.Contains(p.databases, s.Info.File) {
			p.databases = append(p.databases, s.Info.File)
		}
		list = append(list, &resolve.Repo{Name: s.Info.Repo, Day: s.Info.Day, Index: s.Index})
	}
	return list, nil
}

// Repos gives the repositories that the project resolves against.
func (p *Project) Repos(ctx context.Context) ([]*resolve.Repo, error) {
	return p.syncDay(ctx, p.Manifest, p.Snapshot)
}

// locked is a chosen package as devenv.lock has it. One of the archive, of
// which only the head was read, is downloaded: its hash is not known before.
func (s *solving) locked(ctx context.Context, c resolve.Chosen) (*lock.Package, error) {
	pkg := &lock.Package{Name: c.Name, Version: c.Version, Repo: c.Repo, Arch: c.Arch, Size: c.Size, SHA256: c.SHA256, File: c.Filename, Base: c.Base}
	pkg.By = append(slices.Clone(c.By), c.Wants...)
	slices.Sort(pkg.By)
	pkg.By = slices.Compact(pkg.By)
	switch {
	case c.From == resolve.FromArchive:
		pkg.From = "archive"
	case c.Day != "" && c.Day != s.p.Snapshot:
		pkg.From = c.Day
	}
	if pkg.SHA256 != "" {
		return pkg, nil
	}
	got, err := s.p.mirror.Package(ctx, s.p.file(*pkg))
	if err != nil {
		return nil, err
	}
	pkg.SHA256, pkg.Size = got.SHA256, got.Size
	return pkg, nil
}

// file says where a locked package may be had.
func (p *Project) file(pkg lock.Package) mirror.File {
	f := mirror.File{Repo: pkg.Repo, Day: p.Snapshot, Filename: pkg.File, SHA256: pkg.SHA256, Size: pkg.Size}
	switch pkg.From {
	case "":
	case "archive":
		f.Repo, f.Day = "", ""
	default:
		f.Day = pkg.From
	}
	f.Progress = func(e fetch.Event) {
		p.opt.Report(Event{Step: Download, Name: pkg.Name, Done: e.Done, Total: e.Total, End: e.State == fetch.Finished})
	}
	return f
}
