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
	"path/filepath"
	"slices"
	"strings"
	"time"

	"devenv/cache"
	"devenv/env/lock"
	"devenv/env/manifest"
	"devenv/env/native"
	"devenv/env/resolve"
	"devenv/shellhooks"
)

// AdHoc is an environment that no file asks for: some packages of the mirrors
// of today, or of a day. What it leaves is cache.
type AdHoc struct {
	p       *Project
	args    []string // as a person wrote them
	wants   []manifest.Package
	refresh bool
}

// answered is what an AdHoc is found by the next time.
type answered struct {
	Time     time.Time
	Lock     *lock.Lock
	Asked    []string // packages that were asked for by name, group or virtual name
	Launcher string   // id; "" before there were any
	Uses     cache.Uses
}

// today is how long an answer counts as that of today.
const today = 24 * time.Hour

// OpenAdHoc takes packages as the command line has them: NAME, REPO/NAME, a
// group or a virtual name, each with or without @PIN. day is one of the archive,
// or "" for what the user's own file says.
func OpenAdHoc(dir string, args []string, day string, opt Options) (*AdHoc, error) {
	opt = opt.withDefaults()
	m, err := manifest.LoadUser(dir, manifest.Options{Getenv: opt.Getenv})
	if err != nil {
		return nil, err
	}
	if day != "" {
		if m.Snapshot, err = manifest.ParseDay(day); err != nil {
			return nil, err
		}
	}
	a := &AdHoc{args: args, refresh: opt.Refresh}
	for _, arg := range args {
		w, err := adHocWant(arg)
		if err != nil {
			return nil, err
		}
		a.wants = append(a.wants, w)
	}
	if a.p, err = project(m, opt); err != nil {
		return nil, err
	}
	a.p.loose = true
	return a, nil
}

func adHocWant(arg string) (manifest.Package, error) {
	name, pin, pinned := strings.Cut(arg, "@")
	if !pinned {
		pin = "*"
	}
	if _, err := manifest.Add(nil, name, pin); err != nil { // the same rules hold for both
		return manifest.Package{}, err
	}
	w := manifest.Package{Name: name}
	w.Repo, w.Name, _ = cutRepo(name)
	var err error
	w.Pin, err = manifest.ParsePin(pin)
	return w, err
}

// label names no more packages than a prompt has room for.
func label(asked []string) string {
	const most = 3
	asked = slices.Sorted(slices.Values(asked))
	if len(asked) > most {
		return strings.Join(asked[:most], " ") + " …"
	}
	return strings.Join(asked, " ")
}

// Name is what was asked for.
func (a *AdHoc) Name() string { return strings.Join(a.args, " ") }

// Cache is where it is made.
func (a *AdHoc) Cache() *cache.Cache { return a.p.Cache }

// Native makes the tools run on the host as it is. A package whose programs
// cannot is a *native.CannotError. A second time within a day it asks no
// network, and reads one small file.
func (a *AdHoc) Native(ctx context.Context) (_ *Outside, err error) {
	if err := native.CheckExec(a.p.Cache.Dir()); err != nil {
		return nil, err
	}
	index := a.index("native")
	if o, err := a.again(index); o != nil || err != nil {
		return o, err
	}
	got, err := a.solve(ctx, index, false)
	if err != nil {
		return nil, err
	}
	a.p.outside, a.p.single = true, true
	b, err := a.p.build(ctx, got.Lock, true)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.Release()
		}
	}()
	what := launching{asked: map[string][]string{}, all: true}
	for _, name := range got.Asked {
		what.asked[name] = nil
	}
	if got.Launcher, err = a.p.launchers(b, got.Lock, what); err != nil {
		return nil, err
	}
	got.Uses.Launchers = []string{got.Launcher}
	return a.outside(got, b), a.keep(index, got, b)
}

// again is what the last answer came to; nil if there is none that counts, or
// gc has taken something of it.
func (a *AdHoc) again(index string) (*Outside, error) {
	got := a.answer(index)
	if got == nil || got.Launcher == "" {
		return nil, nil
	}
	b := new(Built)
	for _, kept := range []struct {
		kind cache.Kind
		ids  []string
	}{{cache.Launchers, got.Uses.Launchers}, {cache.Trees, got.Uses.Trees}, {cache.Setups, got.Uses.Setups}} {
		for _, id := range kept.ids {
			err := b.keep(a.p.Cache, kept.kind, id)
			if err == nil {
				_, err = os.Stat(a.p.Cache.Path(kept.kind, id))
			}
			if err != nil {
				b.Release()
				if errors.Is(err, cache.ErrGone) || errors.Is(err, fs.ErrNotExist) {
					err = nil
				}
				return nil, err
			}
		}
	}
	return a.outside(got, b), a.p.Cache.RecordUse(a.record(), got.Uses)
}

// outside is the answer as it is used.
func (a *AdHoc) outside(got *answered, b *Built) *Outside {
	dir, name := a.p.Cache.Launcher(got.Launcher), label(got.Asked)
	bin := filepath.Join(dir, native.Bin)
	return &Outside{
		Dir: dir, Vars: map[string]string{"PATH": bin}, cache: a.p.Cache, held: b,
		session: shellhooks.Session{Name: name, Path: []string{bin}, Native: true},
	}
}

// Namespace makes the tools' own environment: what an entry that has no project
// of its own shows beside the host's directories, and the host's root at
// /run/host, to be read.
func (a *AdHoc) Namespace(ctx context.Context, e Entry) (*Plan, *Built, error) {
	a.p.Packages = a.wants
	index := a.index("namespace")
	got := a.answer(index)
	if got == nil {
		var err error
		if got, err = a.solve(ctx, index, true); err != nil {
			return nil, nil, err
		}
	}
	b, err := a.p.Build(ctx, got.Lock)
	if err != nil {
		return nil, nil, err
	}
	e.Once, e.HostRoot = true, true
	plan, err := a.p.Plan(ctx, b, e)
	if err == nil {
		err = a.keep(index, got, b)
	}
	if err != nil {
		b.Release()
		return nil, nil, err
	}
	return plan, b, nil
}

// index is the file that keeps the answer, named by all that it depends on.
func (a *AdHoc) index(kind string) string {
	p := a.p
	text, err := json.Marshal([]any{"ad hoc 1", native.Format, kind, a.args, p.Snapshot, p.Arch, p.Manifest.Mirrors, p.Base, p.Manifest.Options, native.LookHost(a.p.opt.Getenv)})
	if err != nil {
		panic("env: a manifest does not marshal: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return p.Cache.Path(cache.Sync, "adhoc-"+hex.EncodeToString(sum[:12]))
}

func (a *AdHoc) answer(index string) *answered {
	b, err := os.ReadFile(index)
	if err != nil || a.refresh {
		return nil
	}
	got := new(answered)
	if json.Unmarshal(b, got) != nil || got.Lock == nil {
		return nil // made anew
	}
	if age := time.Since(got.Time); age < 0 || age > today && a.p.Snapshot == "" {
		return nil
	}
	return got
}

// record is what gc knows it by.
func (a *AdHoc) record() string { return "shell " + a.Name() }

func (a *AdHoc) keep(index string, got *answered, b *Built) error {
	launchers := got.Uses.Launchers
	got.Uses = b.uses
	got.Uses.Launchers = launchers
	rel, _ := a.p.Cache.Rel(index)
	got.Uses.Files = append(slices.Clone(a.p.databases), rel)
	text, err := json.Marshal(got)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(index), 0o755); err != nil {
		return err
	}
	if err := a.p.Cache.WriteFile(index, text, 0o600); err != nil {
		return err
	}
	return a.p.Cache.RecordUse(a.record(), got.Uses)
}

// solve finds the packages and what they need. base says whether the base set
// is among them: natively, the host has all that.
func (a *AdHoc) solve(ctx context.Context, index string, base bool) (*answered, error) {
	m := *a.p.Manifest
	m.Packages = a.wants
	if !base {
		m.Base = nil
	}
	s := &solving{p: a.p, days: map[string][]*resolve.Repo{}}
	request, err := s.request(ctx, &m)
	if err != nil {
		return nil, err
	}
	for i := range a.wants {
		request.Wants[i].Origin = "devenv shell " + a.args[i]
	}
	solution, err := resolve.Solve(ctx, *request)
	if err != nil {
		return nil, err
	}
	got := &answered{Time: time.Now(), Lock: &lock.Lock{Snapshot: m.Snapshot, Arch: m.Arch, Hosts: []string{m.Host}}}
	for _, c := range solution.Packages {
		pkg, err := s.locked(ctx, c)
		if err != nil {
			return nil, err
		}
		got.Lock.Packages = append(got.Lock.Packages, *pkg)
		if slices.ContainsFunc(a.wants, func(w manifest.Package) bool { return slices.Contains(c.Wants, w.Name) }) {
			got.Asked = append(got.Asked, c.Name)
		}
	}
	if len(got.Asked) == 0 {
		return nil, fmt.Errorf("nothing of %s is a package", a.Name())
	}
	return got, nil
}
