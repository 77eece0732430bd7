package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// further is a package that needs nothing but the toolchain.
const further = "cython"

// oneMore adds one package to the project whose environment is there. What it is
// made of by itself is its own unpacking, by bsdtar, and the set-up layer, by a build
// that lacks nothing else.
func (w *world) oneMore() ([]row, error) {
	// In a cache of its own: no other project uses the same tree.
	own := *w
	w = &own
	w.home, w.project = w.dir+"/home-one", w.dir+"/more"
	defer w.toss(w.home)
	if err := errors.Join(w.own(w.home), w.own(w.project)); err != nil {
		return nil, err
	}
	a, err := w.newAddition()
	if err != nil {
		return nil, err
	}
	build := command{args: []string{w.devenv, "build"}, after: w.whole}
	ours, setup := build, build
	ours.before, setup.before = a.undo, a.undoSetup
	out := w.dir + "/one"
	unpack := command{args: []string{"bsdtar", "-xf", a.file, "-C", out}, before: func() error { return errors.Join(w.wipe(out), w.same()) }}
	t, err := w.interleave(5, ours, setup, unpack)
	if err != nil {
		return nil, err
	}
	against := fmt.Sprintf("its `bsdtar -x` (%.0f ms) and the set-up layer alone (%.0f ms)", median(t[2])*1e3, median(t[1])*1e3)
	return []row{timed(fmt.Sprintf("one package (%s) added to the %d", further, len(w.names)), against, 1.3, 1, t[0], sum(t[1], t[2]))}, nil
}

// addition is the toolchain's project with one package more.
type addition struct {
	w          *world
	file       string // the package, in the mirror
	downloaded string // in the cache
	aside      string // the same file: gc takes that of the cache
	tree       string
	lock       []byte
}

// newAddition makes its environment once, to have all that belongs to it.
func (w *world) newAddition() (*addition, error) {
	a := &addition{w: w, aside: w.dir + "/aside"}
	if err := a.ask(); err != nil {
		return nil, err
	}
	names, files, err := w.locked(w.project)
	if err != nil {
		return nil, err
	}
	if err := unless(len(names) == len(w.names)+1, further+" needs more than itself"); err != nil {
		return nil, err
	}
	for _, f := range files {
		if strings.HasPrefix(filepath.Base(f), further+"-") {
			a.file = f
		}
	}
	if err := w.build(w.project); err != nil {
		return nil, err
	}
	if a.tree, err = w.newest("trees"); err != nil {
		return nil, err
	}
	found, err := filepath.Glob(w.cache() + "/packages/*" + filepath.Base(a.file))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("%s is not among the downloaded packages (%v)", further, err)
	}
	a.downloaded = found[0]
	a.lock, err = os.ReadFile(w.project + "/devenv.lock")
	return a, errors.Join(err, os.Link(a.downloaded, a.aside))
}

func (a *addition) ask() error {
	return a.w.ask(a.w.project, append([]string{further}, a.w.asked...)...)
}

// undo leaves the toolchain's environment, the new lock and the new package's
// file. What no project uses gc takes away: layer, tree and set-up.
func (a *addition) undo() error {
	if err := errors.Join(a.w.ask(a.w.project, a.w.asked...), a.w.build(a.w.project)); err != nil {
		return err
	}
	if _, err := a.w.time(command{args: []string{a.w.devenv, "cache", "gc"}}); err != nil {
		return err
	}
	if _, err := os.Stat(a.tree); err == nil {
		return fmt.Errorf("gc left the tree %s, which no project uses", a.tree)
	}
	if err := a.ask(); err != nil {
		return err
	}
	lock, err := os.ReadFile(a.w.project + "/devenv.lock")
	if err := errors.Join(err, unless(string(lock) == string(a.lock), "the lock has changed meanwhile")); err != nil {
		return err
	}
	if err := os.Link(a.aside, a.downloaded); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return a.w.same()
}

// undoSetup takes only the set-up layer away.
func (a *addition) undoSetup() error {
	made, err := a.w.newest("setups")
	if err != nil {
		return err
	}
	return errors.Join(a.w.toss(made), a.w.same())
}

// others are five packages in the place of five of the toolchain.
var others = map[string]string{"swig": "ripgrep", "nasm": "yasm", "wget": "nano", "scons": "parallel", "eigen": "stow"}

// disk counts what a cache takes with one environment and with two; a file with
// several names is counted once.
func (w *world) disk() ([]row, error) {
	home, second := w.dir+"/home-disk", w.dir+"/second"
	if err := errors.Join(w.own(home), w.own(second)); err != nil {
		return nil, err
	}
	defer w.toss(home)
	var asked []string
	for _, name := range w.asked {
		if other := others[name]; other != "" {
			name = other
		}
		asked = append(asked, name)
	}
	if err := w.ask(second, asked...); err != nil {
		return nil, err
	}
	names, _, err := w.locked(second)
	if err != nil {
		return nil, err
	}
	if err := unless(len(names) == len(w.names), fmt.Sprintf("the second environment has %d packages, the first %d", len(names), len(w.names))); err != nil {
		return nil, err
	}
	var taken []float64
	for _, project := range []string{w.project, second} {
		if _, err := w.time(command{args: []string{w.devenv, "build"}, dir: project, env: []string{"HOME=" + home}}); err != nil {
			return nil, err
		}
		out, err := output(nil, "du", "-s", "--block-size=1", home+"/.cache/devenv")
		if err != nil {
			return nil, err
		}
		var bytes float64
		if _, err := fmt.Sscan(out, &bytes); err != nil {
			return nil, err
		}
		taken = append(taken, bytes)
	}
	return []row{sized(fmt.Sprintf("disk: two environments that differ in %d of %d packages", len(others), len(names)), "one environment (`du` of the cache)", 1.05, 0, taken[1:], taken[0])}, nil
}
