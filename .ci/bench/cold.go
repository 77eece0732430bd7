package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// cold makes the environment from nothing but the lock and the packages, beside
// pacman's installation, plain unpacking, and a download apart. One round has
// all of them, so that the rows share what they are compared with.
func (w *world) cold() ([]row, error) {
	p, err := newPacman(w)
	if err != nil {
		return nil, err
	}
	link, err := w.serve(50e6)
	if err != nil {
		return nil, err
	}
	defer link.close()
	t, err := w.interleave(5, w.fromPackages(), p.install(), w.bsdtar(), w.fromNothing(link), w.download(link))
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("cold build of %d packages, downloaded", len(w.files))
	apart := sum(t[4], t[0])
	return []row{
		timed(what, "`pacman -S --root` of the same files, with signatures, scriptlets and hooks", 0.7, 0.45, t[0], t[1]),
		timed(what, "`bsdtar -x` of each in turn", 1, 0.6, t[0], t[2]),
		timed("cold build over a link of 50 MB/s", fmt.Sprintf("download by `curl` (%.2f s: the ratio cannot be less than %.2f) and build (%.2f s), done apart", median(t[4]), median(t[4])/median(apart), median(t[0])), 0.75, 0, t[3], apart),
	}, nil
}

// forget leaves the databases and the downloaded packages in the cache, and
// nothing that was made of them or found out about them.
func (w *world) forget() error {
	entries, err := os.ReadDir(w.cache())
	if err != nil {
		return err
	}
	for _, e := range entries {
		if slices.Contains([]string{"packages", "sync", "archive", "locks", "projects", "tmp"}, e.Name()) || !e.IsDir() {
			continue
		}
		if err := w.toss(filepath.Join(w.cache(), e.Name())); err != nil {
			return err
		}
	}
	return w.toss(w.cache() + "/archive/verified")
}

// same is one state of the machine before each cold run: both the mirror's
// packages and devenv's own downloaded ones are in memory.
func (w *world) same() error {
	own, err := filepath.Glob(w.cache() + "/packages/*")
	if err != nil {
		return err
	}
	return same(append(own, append(w.files, w.devenv)...))
}

// fromPackages is a build with all packages downloaded, but not yet verified.
func (w *world) fromPackages() command {
	return command{
		args:   []string{w.devenv, "build"},
		before: func() error { return errors.Join(w.forget(), w.same()) },
		after:  w.whole,
	}
}

// whole makes sure that there is an environment after a build.
func (w *world) whole() error {
	for _, kind := range []string{"trees", "setups"} {
		if _, err := w.newest(kind); err != nil {
			return err
		}
	}
	return nil
}

// bsdtar unpacks each package into a directory of its own.
func (w *world) bsdtar() command {
	out := w.dir + "/bsdtar"
	var script strings.Builder
	for i, file := range w.files {
		// Some packages' modes forbid an unprivileged bsdtar something: it says
		// so at the end, when all else is there.
		fmt.Fprintf(&script, "mkdir %s/%d && bsdtar -xf '%s' -C %[1]s/%[2]d || :\n", out, i, file)
	}
	return command{
		args:   []string{"/bin/sh", "-c", script.String()},
		before: func() error { return errors.Join(w.wipe(out), w.same()) },
		after: func() error {
			for i, file := range w.files {
				if found, err := os.ReadDir(fmt.Sprintf("%s/%d", out, i)); err != nil || len(found) < 3 {
					return fmt.Errorf("bsdtar unpacked nothing of %s", file)
				}
			}
			return nil
		},
	}
}

// fromNothing is a build with an empty cache, over the link.
func (w *world) fromNothing(l *link) command {
	home := w.dir + "/home-link"
	return command{
		args:   []string{w.devenv, "build"},
		env:    []string{"HOME=" + home, "DEVENV_MIRROR=" + l.url},
		before: func() error { return errors.Join(w.wipe(home), w.same()) },
		after: func() error {
			got, _ := filepath.Glob(home + "/.cache/devenv/trees/*/fs")
			return errors.Join(unless(len(got) == 1, "the build over the link made no tree"), w.toss(home))
		},
	}
}

// download brings the same packages over the same link, and nothing else.
func (w *world) download(l *link) command {
	to := w.dir + "/download"
	args := []string{"curl", "-sSfZ", "--parallel-max", "6", "--remote-name-all"}
	for _, file := range w.files {
		args = append(args, l.url+strings.TrimPrefix(file, w.mirror))
	}
	return command{
		args: args, dir: to,
		before: func() error { return errors.Join(w.wipe(to), w.same()) },
		after: func() error {
			got, _ := os.ReadDir(to)
			return errors.Join(unless(len(got) == len(w.files), "curl did not bring every package"), w.toss(to))
		},
	}
}

func unless(ok bool, what string) error {
	if ok {
		return nil
	}
	return errors.New(what)
}
