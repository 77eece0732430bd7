package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// further is a package that needs nothing but the toolchain.
const further = "cython"

// oneMore adds one package to an environment that is there. What it is made of
// by itself is its own unpacking, by bsdtar, and the set-up layer, by a build
// that lacks nothing else.
func (w *world) oneMore() ([]row, error) {
	more := w.dir + "/more"
	if err := w.own(more); err != nil {
		return nil, err
	}
	if err := w.ask(more, append([]string{further}, w.asked...)...); err != nil {
		return nil, err
	}
	names, files, err := w.locked(more)
	if err != nil {
		return nil, err
	}
	if err := unless(len(names) == len(w.names)+1, further+" needs more than itself"); err != nil {
		return nil, err
	}
	file := ""
	for _, f := range files {
		if strings.HasPrefix(filepath.Base(f), further+"-") {
			file = f
		}
	}
	build := command{args: []string{w.devenv, "build"}, dir: more, after: w.whole}
	ours, setup := build, build
	ours.before = func() error {
		// Nobody uses it any more: gc takes package, layer, tree and set-up away.
		lock, err := os.ReadFile(more + "/devenv.lock")
		if err != nil {
			return err
		}
		if err := os.RemoveAll(more); err != nil {
			return err
		}
		if _, err := w.time(command{args: []string{w.devenv, "cache", "gc"}}); err != nil {
			return err
		}
		if err := w.build(w.project); err != nil {
			return err
		}
		if err := w.own(more); err != nil {
			return err
		}
		if err := w.ask(more, append([]string{further}, w.asked...)...); err != nil {
			return err
		}
		again, err := os.ReadFile(more + "/devenv.lock")
		return errors.Join(err, unless(string(lock) == string(again), "the lock has changed meanwhile"), w.same())
	}
	setup.before = func() error {
		made, err := w.newest("setups")
		if err != nil {
			return err
		}
		return errors.Join(os.RemoveAll(made), w.same())
	}
	out := w.dir + "/one"
	unpack := command{args: []string{"bsdtar", "-xf", file, "-C", out}, before: func() error { return errors.Join(w.wipe(out), w.same()) }}
	t, err := w.interleave(5, ours, setup, unpack)
	if err != nil {
		return nil, err
	}
	apart := sum(t[1], t[2])
	return []row{timed(fmt.Sprintf("one package (%s) added to the %d", further, len(w.names)), fmt.Sprintf("its `bsdtar -x` (%.0f ms) and the set-up layer alone (%.0f ms)", median(t[2])*1e3, median(t[1])*1e3), 1.3, 1, t[0], apart)}, nil
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
	defer os.RemoveAll(home)
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
	return []row{sized(fmt.Sprintf("disk: two environments that differ in %d of %d packages", len(others), len(names)), "one environment (`du` of the cache)", 1.05, 0, taken[1], taken[0])}, nil
}
