package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"devenv/cmd/devenv-mirror/archpkg"
	"devenv/cmd/devenv-mirror/convert"
)

// madeTime is when everything made here was made.
const madeTime = 1700000000

// entry is one package of a database.
type entry struct {
	name, file, sum string
	size            int
	depends         []string
}

func (e *entry) desc() string {
	text := fmt.Sprintf("%%FILENAME%%\n%s\n\n%%NAME%%\n%s\n\n%%BASE%%\n%[2]s\n\n%%VERSION%%\n1.0-1\n\n%%DESC%%\nMade for a measurement\n\n%%CSIZE%%\n%d\n\n%%ISIZE%%\n1000\n\n%%SHA256SUM%%\n%s\n\n%%ARCH%%\nx86_64\n\n%%BUILDDATE%%\n%d\n\n", e.file, e.name, e.size, e.sum, madeTime)
	if len(e.depends) > 0 {
		text += "%DEPENDS%\n" + strings.Join(e.depends, "\n") + "\n\n"
	}
	return text
}

// database is REPO.db as repo-add writes it.
func database(entries []entry) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	for _, e := range entries {
		dir := e.name + "-1.0-1/"
		for _, h := range []tar.Header{{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755}, {Name: dir + "desc", Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(e.desc()))}} {
			if err := t.WriteHeader(&h); err != nil {
				return nil, err
			}
			if h.Typeflag == tar.TypeReg {
				if _, err := t.Write([]byte(e.desc())); err != nil {
					return nil, err
				}
			}
		}
	}
	err := errors.Join(t.Close(), z.Close())
	return out.Bytes(), err
}

// makeRepo makes n small packages, of a few files each, and their database.
func makeRepo(dir string, n int) (names []string, err error) {
	var entries []entry
	for i := range n {
		e := entry{name: fmt.Sprintf("made%04d", i)}
		e.file = e.name + "-1.0-1-x86_64.pkg.tar.zst"
		tree := convert.Tree{}
		for _, f := range []string{"usr/share/NAME/data", "usr/share/doc/NAME/README", "usr/share/licenses/NAME/LICENSE", "usr/lib/NAME/module", "usr/bin/NAME"} {
			f = strings.ReplaceAll(f, "NAME", e.name)
			tree[f] = &convert.Node{Path: f, Kind: convert.File, Mode: 0o644, Data: []byte(f + "\n"), Mtime: madeTime}
			for d := path.Dir(f); d != "."; d = path.Dir(d) {
				tree[d] = &convert.Node{Path: d, Kind: convert.Dir, Mode: 0o755, Mtime: madeTime}
			}
		}
		var b bytes.Buffer
		meta := &archpkg.Meta{Name: e.name, Base: e.name, Version: "1.0-1", Arch: "x86_64", Desc: "Made for a measurement", BuildDate: madeTime}
		if err := archpkg.Write(&b, archpkg.Fast, meta, tree, nil); err != nil {
			return nil, err
		}
		e.size, e.sum = b.Len(), fmt.Sprintf("%x", sha256.Sum256(b.Bytes()))
		if err := os.WriteFile(filepath.Join(dir, e.file), b.Bytes(), 0o644); err != nil {
			return nil, err
		}
		names, entries = append(names, e.name), append(entries, e)
	}
	db, err := database(entries)
	if err != nil {
		return nil, err
	}
	return names, os.WriteFile(filepath.Join(dir, "made.db"), db, 0o644)
}

// thousand enters an environment of a thousand packages: the toolchain, and
// small ones.
func (w *world) thousand() ([]row, error) {
	const most = 1000
	repo, project := w.dir+"/made", w.dir+"/thousand"
	if err := errors.Join(w.own(repo), w.own(project)); err != nil {
		return nil, err
	}
	names, err := makeRepo(repo, most-len(w.names))
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("[[mirrors.repo]]\nname = \"made\"\nservers = [\"file://%s\"]\nsiglevel = \"never\"\n[packages]\n", repo)
	for _, n := range append(names, w.asked...) {
		text += n + " = \"*\"\n"
	}
	if err := os.WriteFile(project+"/devenv.toml", []byte(text), 0o644); err != nil {
		return nil, err
	}
	if err := w.build(project); err != nil {
		return nil, err
	}
	all, _, err := lockFile(project + "/devenv.lock")
	if err != nil {
		return nil, err
	}
	if err := unless(len(all) == most, fmt.Sprintf("the environment has %d packages, not %d", len(all), most)); err != nil {
		return nil, err
	}
	ours := w.run("true")
	ours.dir = project
	t, err := w.interleave(200, ours, w.run("true"))
	if err != nil {
		return nil, err
	}
	return []row{timed(fmt.Sprintf("warm `devenv run -- true`, %d packages (%d of them small)", most, len(names)), fmt.Sprintf("%d packages", len(w.names)), 1.5, 1.1, t[0], t[1])}, nil
}
