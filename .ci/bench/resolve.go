package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// resolve compares `devenv lock` with pacman on real databases of 2014, both
// with what they keep of them in place.
func (w *world) resolve() (row, error) {
	r := row{What: "`devenv lock`: 8 of 6,594 packages, index cached", Against: "`pacman -Sp` on the same databases, synced", Must: 0.3, Runs: 60}
	data := os.Getenv("DEVENV_TEST_DATA")
	if data == "" {
		data = "../shared/data"
	}
	repos := []string{"core", "extra", "community"}
	names := []string{"gcc", "git", "firefox", "vim", "python", "gimp", "qemu", "texlive-core"}
	project, db := w.dir+"/resolve", w.dir+"/pacman-db"
	if err := os.MkdirAll(db+"/sync", 0o755); err != nil {
		return r, err
	}
	conf := "[options]\nArchitecture = x86_64\nSigLevel = Never\nDBPath = " + db + "\n"
	for _, repo := range repos {
		b, err := os.ReadFile(filepath.Join(data, "2014-08-x86_64", repo+".db"))
		if err != nil {
			return r, fmt.Errorf("the real databases are not here: %w", err)
		}
		dir := filepath.Join(project, "mirror", repo, "os/x86_64")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return r, err
		}
		for _, to := range []string{filepath.Join(dir, repo+".db"), filepath.Join(db, "sync", repo+".db")} {
			if err := os.WriteFile(to, b, 0o644); err != nil {
				return r, err
			}
		}
		conf += "[" + repo + "]\nServer = file:///nowhere\n"
	}
	if err := os.WriteFile(w.dir+"/resolve.conf", []byte(conf), 0o644); err != nil {
		return r, err
	}
	toml := "base = []\narch = \"x86_64\"\n[mirrors]\nservers = [\"mirror/$repo/os/$arch\"]\nrepos = [\"core\", \"extra\", \"community\"]\narchive = \"mirror/archive\"\n[packages]\n"
	for _, n := range names {
		toml += n + " = \"*\"\n"
	}
	if err := os.WriteFile(project+"/devenv.toml", []byte(toml), 0o644); err != nil {
		return r, err
	}
	if out, err := exec.Command("chown", "-R", fmt.Sprint(nobody), project).CombinedOutput(); err != nil {
		return r, fmt.Errorf("%w: %s", err, out)
	}
	root := w.dir + "/resolve-root"
	if err := os.MkdirAll(root, 0o755); err != nil {
		return r, err
	}
	again := func() error {
		err := os.Remove(project + "/devenv.lock")
		if os.IsNotExist(err) {
			return nil
		}
		return err
	}
	ours := command{args: []string{w.devenv, "lock"}, dir: project, before: again, env: []string{"DEVENV_MIRROR="}}
	if _, err := w.time(ours); err != nil { // makes the index
		return r, err
	}
	peer := command{args: strings.Fields("pacman --noconfirm --config " + w.dir + "/resolve.conf --root " + root + " --dbpath " + db + " -Sp --print-format %n " + strings.Join(names, " ")), asRoot: true}
	var err error
	r.Ours, r.Theirs, err = w.interleave(r.Runs, ours, peer)
	return r, err
}
