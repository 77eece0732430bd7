package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

func (w *world) warm() (row, error) {
	r := row{What: "warm `devenv run -- true`", Against: "`bwrap` on the same flattened tree", Must: 1, Runs: 300}
	peer, err := w.bwrap("true")
	if err != nil {
		return r, err
	}
	r.Ours, r.Theirs, err = w.interleave(r.Runs, command{args: []string{w.devenv, "run", "--", "true"}}, command{args: peer})
	return r, err
}

func (w *world) warmMany() (row, error) {
	r := row{What: "64 `devenv run -- true` at once", Against: "64 `bwrap` at once", Must: 1, Runs: 15}
	peer, err := w.bwrap("true")
	if err != nil {
		return r, err
	}
	many := func(c command) (float64, error) {
		var g sync.WaitGroup
		errs := make([]error, 64)
		start := time.Now()
		for i := range errs {
			g.Go(func() { _, errs[i] = w.time(c) })
		}
		g.Wait()
		for _, err := range errs {
			if err != nil {
				return 0, err
			}
		}
		return time.Since(start).Seconds(), nil
	}
	var ours, theirs []float64
	for range r.Runs {
		a, err := many(command{args: []string{w.devenv, "run", "--", "true"}})
		if err != nil {
			return r, err
		}
		b, err := many(command{args: peer})
		if err != nil {
			return r, err
		}
		ours, theirs = append(ours, a), append(theirs, b)
	}
	r.Ours, r.Theirs = median(ours), median(theirs)
	return r, nil
}

func (w *world) warmNix() (row, error) {
	r := row{What: "warm `devenv run -- true`", Against: "`nix-shell` on a derivation without nixpkgs", Must: 0.12, Runs: 40}
	store := w.dir + "/nix"
	expr := `derivation { name = "x"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo >$out" ]; stdenv = builtins.toFile "setup" ""; }`
	nix := command{args: []string{"nix-shell", "--pure", "-E", expr, "--run", "true"}, asRoot: true,
		env: []string{"NIX_BUILD_SHELL=/bin/bash", "NIX_STATE_DIR=" + store + "/var", "NIX_STORE_DIR=" + store + "/store", "NIX_LOG_DIR=" + store + "/log", "HOME=" + w.dir + "/home", "USER=root"}}
	if _, err := w.time(nix); err != nil { // also fills its store
		return r, err
	}
	var err error
	r.Ours, r.Theirs, err = w.interleave(r.Runs, command{args: []string{w.devenv, "run", "--", "true"}}, nix)
	return r, err
}

// forget leaves the downloaded packages in the cache, and nothing made of them.
func (w *world) forget() error {
	for _, d := range []string{"store", "run", "trees", "setups", "hosts", "plans", "layers"} {
		path := filepath.Join(w.cache(), d)
		if out, err := exec.Command("sh", "-c", `[ ! -e "$1" ] || { chmod -R u+w "$1"; rm -rf "$1"; }`, "sh", path).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	return exec.Command("sync").Run()
}

func (w *world) cold() command {
	return command{args: []string{w.devenv, "build"}, before: w.forget}
}

func (w *world) coldPacman() (row, error) {
	pkgs, err := w.packages()
	r := row{What: fmt.Sprintf("cold build of %d packages, downloaded", len(pkgs)), Against: "`pacman -U --root` of the same files", Must: 0.7, Runs: 3}
	if err != nil {
		return r, err
	}
	root := w.dir + "/pacman"
	conf := w.dir + "/pacman.conf"
	if err := os.WriteFile(conf, []byte("[options]\nArchitecture = auto\nSigLevel = Never\nLocalFileSigLevel = Never\n"), 0o644); err != nil {
		return r, err
	}
	args := append([]string{"pacman", "-U", "--root", root, "--dbpath", root + "/var/lib/pacman", "--config", conf, "--cachedir", root + "/cache",
		"--noconfirm", "--noscriptlet", "--noprogressbar", "--hookdir", root + "/none", "--overwrite", "*"}, pkgs...)
	peer := command{args: args, asRoot: true, before: func() error {
		if err := os.RemoveAll(root); err != nil {
			return err
		}
		if err := os.MkdirAll(root+"/var/lib/pacman", 0o755); err != nil {
			return err
		}
		return exec.Command("sync").Run()
	}}
	r.Ours, r.Theirs, err = w.interleave(r.Runs, w.cold(), peer)
	return r, err
}

func (w *world) coldBsdtar() (row, error) {
	pkgs, err := w.packages()
	r := row{What: fmt.Sprintf("cold build of %d packages, downloaded", len(pkgs)), Against: "`bsdtar -x` of each in turn", Must: 1, Runs: 3}
	if err != nil {
		return r, err
	}
	out := w.dir + "/bsdtar"
	script := ""
	for i, p := range pkgs {
		script += fmt.Sprintf("mkdir %s/%d && bsdtar -xf '%s' -C %s/%d || :\n", out, i, p, out, i)
	}
	peer := command{args: []string{"/bin/sh", "-c", script}, before: func() error {
		if o, err := exec.Command("sh", "-c", `[ ! -e "$1" ] || { chmod -R u+w "$1"; rm -rf "$1"; }`, "sh", out).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, o)
		}
		if err := os.Mkdir(out, 0o755); err != nil {
			return err
		}
		if err := os.Chown(out, nobody, nobody); err != nil {
			return err
		}
		return exec.Command("sync").Run()
	}}
	r.Ours, r.Theirs, err = w.interleave(r.Runs, w.cold(), peer)
	return r, err
}

func (w *world) oneMore() (row, error) {
	r := row{What: "one package added to them", Against: "cold build of all", Must: 0.3, Runs: 3}
	further := []string{"lsof", "htop", "ltrace"} // each new to the cache
	more := func() error {
		if err := w.ask(toolchain...); err != nil {
			return err
		}
		if _, err := w.time(command{args: []string{w.devenv, "build"}}); err != nil {
			return err
		}
		name := further[0]
		further = further[1:]
		return w.ask(append([]string{name}, toolchain...)...)
	}
	ours := command{args: []string{w.devenv, "build"}, before: more}
	var err error
	r.Ours, r.Theirs, err = w.interleave(r.Runs, ours, w.cold())
	if err == nil {
		err = w.ask(toolchain...)
	}
	if err == nil {
		_, err = w.time(command{args: []string{w.devenv, "build"}})
	}
	return r, err
}

func (w *world) compile() (row, error) {
	r := row{What: "compile C++ inside", Against: "the same under `bwrap` on the same tree", Must: 1.02, Runs: 9}
	var src strings.Builder
	src.WriteString("#include <map>\n#include <regex>\n#include <string>\n#include <iostream>\n")
	for i := range 40 {
		fmt.Fprintf(&src, "std::map<int, std::string> f%d() { std::map<int, std::string> m; m[%d] = std::regex_replace(\"a\", std::regex(\"a\"), \"b\"); return m; }\n", i, i)
	}
	if err := os.WriteFile(w.dir+"/project/x.cpp", []byte(src.String()), 0o644); err != nil {
		return r, err
	}
	peer, err := w.bwrap("g++", "-O1", "-c", "-o", w.dir+"/project/theirs.o", w.dir+"/project/x.cpp")
	if err != nil {
		return r, err
	}
	r.Ours, r.Theirs, err = w.interleave(r.Runs, command{args: []string{w.devenv, "run", "--", "g++", "-O1", "-c", "-o", "ours.o", "x.cpp"}}, command{args: peer})
	return r, err
}

func (w *world) pipe() (row, error) {
	r := row{What: "1 GiB through a pipe into `devenv run -- cat`", Against: "into `cat` under `bwrap`", Must: 1.05, Runs: 9}
	through := func(cmd string) command {
		return command{args: []string{"/bin/sh", "-c", "head -c 1073741824 /dev/zero | " + cmd + " >/dev/null"}}
	}
	peer, err := w.bwrap("cat")
	if err != nil {
		return r, err
	}
	r.Ours, r.Theirs, err = w.interleave(r.Runs, through(w.devenv+" run -- cat"), through(strings.Join(peer, " ")))
	return r, err
}
