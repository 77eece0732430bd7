package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// repos and asked are what is resolved.
var (
	repos = []string{"core", "extra", "community"}
	eight = []string{"gcc", "git", "firefox", "vim", "python", "gimp", "qemu", "texlive-core"}
)

// resolve compares `devenv lock` with pacman on the same databases, with what
// each keeps of them in place, and just synced.
func (w *world) resolve() ([]row, error) {
	project, db := w.dir+"/resolve", w.dir+"/pacman-db"
	if err := errors.Join(w.own(project), os.MkdirAll(db+"/sync", 0o755), os.MkdirAll(w.dir+"/resolve-root", 0o755)); err != nil {
		return nil, err
	}
	data, kind, err := databases()
	if err != nil {
		return nil, err
	}
	conf := "[options]\nArchitecture = x86_64\nSigLevel = Never\nDBPath = " + db + "\n"
	for _, repo := range repos {
		dir := filepath.Join(project, "mirror", repo, "os/x86_64")
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, repo+".db"), data[repo], 0o644), os.WriteFile(filepath.Join(db, "sync", repo+".db"), data[repo], 0o644)); err != nil {
			return nil, err
		}
		conf += "[" + repo + "]\nServer = file:///nowhere\n"
	}
	toml := "base = []\narch = \"x86_64\"\n[mirrors]\nservers = [\"mirror/$repo/os/$arch\"]\nrepos = [\"core\", \"extra\", \"community\"]\narchive = \"mirror/archive\"\n[packages]\n"
	for _, n := range eight {
		toml += n + " = \"*\"\n"
	}
	if err := errors.Join(os.WriteFile(w.dir+"/resolve.conf", []byte(conf), 0o644), os.WriteFile(project+"/devenv.toml", []byte(toml), 0o644)); err != nil {
		return nil, err
	}
	lock := project + "/devenv.lock"
	ours := command{args: []string{w.devenv, "lock"}, dir: project, env: []string{"DEVENV_MIRROR=", "HOME=" + project + "/home"}}
	if err := w.own(project + "/home"); err != nil {
		return nil, err
	}
	if _, err := w.time(ours); err != nil { // makes the index
		return nil, err
	}
	cold := ours
	ours.before = func() error { return os.RemoveAll(lock) }
	cold.before = func() error { return errors.Join(os.RemoveAll(lock), withoutIndex(project+"/home")) }
	peer := command{args: append(words("pacman --noconfirm --config "+w.dir+"/resolve.conf --root "+w.dir+"/resolve-root --dbpath "+db+" -Sp --print-format %n"), eight...), asRoot: true}
	t, err := w.interleave(40, ours, peer, cold)
	if err != nil {
		return nil, err
	}
	against := "`pacman -Sp` on the same, synced"
	return []row{
		timed("`devenv lock`: 8 packages of "+kind+", index cached", against, 0.3, 0.14, t[0], t[1]),
		timed("the same, databases just synced, no index yet", against, 1, 0.5, t[2], t[1]),
	}, nil
}

// withoutIndex removes what devenv has made of the databases.
func withoutIndex(home string) error {
	found, err := filepath.Glob(home + "/.cache/devenv/sync/*/*.idx")
	if err != nil || len(found) == 0 {
		return fmt.Errorf("no index in %s (%v)", home, err)
	}
	for _, f := range found {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

// databases are real ones of Arch Linux where they are to be had, else made ones
// of the same size.
func databases() (map[string][]byte, string, error) {
	root := os.Getenv("DEVENV_TEST_DATA")
	if root == "" {
		root = "../shared/data"
	}
	out := map[string][]byte{}
	for _, repo := range repos {
		b, err := os.ReadFile(filepath.Join(root, "2014-08-x86_64", repo+".db"))
		if err != nil {
			return made()
		}
		out[repo] = b
	}
	return out, "Arch's 6,594 of August 2014", nil
}

// made gives databases of packages that need others, the eight more than most.
func made() (map[string][]byte, string, error) {
	const all = 7000
	r := rand.New(rand.NewPCG(1, 2))
	name := func(i int) string {
		if left := all - 1 - i; left < len(eight) {
			return eight[left]
		}
		return fmt.Sprintf("package%04d", i)
	}
	list := map[string][]entry{}
	for i := range all {
		e := entry{name: name(i), file: name(i) + "-1.0-1-x86_64.pkg.tar.zst", size: 1000, sum: strings.Repeat("0", 64)}
		for range min(i, 1+r.IntN(6)) {
			e.depends = append(e.depends, name(r.IntN(1+i/4))) // towards few, as libraries are needed
		}
		repo := repos[min(2, i*7/all/2)]
		list[repo] = append(list[repo], e)
	}
	out := map[string][]byte{}
	for _, repo := range repos {
		b, err := database(list[repo])
		if err != nil {
			return nil, "", err
		}
		out[repo] = b
	}
	return out, "7,000 made ones", nil
}
