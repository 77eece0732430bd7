package layers

import (
	"archive/tar"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"devenv/layers/alpm"
	"devenv/layers/unpack"
)

// dbVersion says of what version the local database is. It belongs to a tree,
// whose database is put together from the layers'.
const dbVersion = localDB + "/ALPM_DB_VERSION"

// writeDB puts the package's entry into the local database of its layer, as
// pacman writes it, and gives the files of it. Who asked for the package is
// the environment's to say, so the entry says nothing (pacman: explicitly).
// The install date is the build date: layers come out the same at any time.
func writeDB(root *os.Root, fd int, result *unpack.Result) ([]File, error) {
	info := result.Info
	dir, err := dbDir(result)
	if err != nil {
		return nil, err
	}
	if err := root.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	db := dbWriter{root: root, fd: fd, mtime: info.BuildDate * 1e9}
	db.write(dir+"/desc", func(w io.Writer) error {
		return alpm.WriteLocalDesc(w, &alpm.LocalPackage{
			PkgInfo:     *info,
			InstallDate: info.BuildDate,
			Validation:  []alpm.Validation{alpm.ValidatedSHA256},
		})
	})
	db.write(dir+"/files", func(w io.Writer) error {
		return alpm.WriteLocalFiles(w, listedPaths(result.Files), result.Backup)
	})
	db.copy(dir+"/mtree", result.MTREE)
	db.copy(dir+"/install", result.Scriptlet)
	db.copy(dir+"/changelog", result.Changelog)
	db.settle(dir)
	return db.files, db.err
}

func listedPaths(files []unpack.File) []string {
	paths := make([]string, len(files))
	for i := range files {
		paths[i] = files[i].Path
	}
	return paths
}

// dbDir is where the entry goes. A package that has its own ideas of what lies there is refused.
func dbDir(result *unpack.Result) (string, error) {
	name := result.Info.LocalDir()
	if name[0] == '.' || strings.ContainsAny(name, "/\x00\n") {
		return "", fmt.Errorf("package name and version make no directory name: %q", name)
	}
	dir := localDB + "/" + name
	for i := range result.Files {
		f := &result.Files[i]
		p := strings.TrimSuffix(f.Path, "/")
		if within(p, dir) || within(dir, p) && f.Type != tar.TypeDir {
			return "", fmt.Errorf("package has /%s, where pacman's local database is", p)
		}
	}
	return dir, nil
}

// dbWriter writes files until the first error.
type dbWriter struct {
	root  *os.Root
	fd    int
	mtime int64
	files []File
	err   error
}

func (db *dbWriter) copy(name string, data []byte) {
	if data != nil {
		db.write(name, func(w io.Writer) error { _, err := w.Write(data); return err })
	}
}

func (db *dbWriter) write(name string, fill func(io.Writer) error) {
	if db.err != nil {
		return
	}
	var data bytes.Buffer
	if db.err = fill(&data); db.err != nil {
		return
	}
	f, err := db.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		db.err = err
		return
	}
	_, db.err = f.Write(data.Bytes())
	for _, last := range []func() error{
		func() error { return f.Chmod(0o644) },
		f.Close,
		func() error { return setTime(db.fd, name, db.mtime) },
	} {
		if err := last(); db.err == nil {
			db.err = err
		}
	}
	db.files = append(db.files, File{
		Path: name, Mode: 0o644, Size: int64(data.Len()), MTime: db.mtime,
		Sum: crc32.Checksum(data.Bytes(), castagnoli), Summed: true,
	})
}

// settle gives the entry's directory its mode and time.
func (db *dbWriter) settle(dir string) {
	if db.err == nil {
		db.err = db.root.Chmod(dir, 0o755)
	}
	if db.err == nil {
		db.err = setTime(db.fd, dir, db.mtime)
	}
	db.files = append(db.files, File{Path: dir, Kind: Directory, Mode: 0o755, MTime: db.mtime})
}

// aboveDB are the directories that writing the entry may have touched.
func aboveDB() []string {
	var dirs []string
	for dir := localDB; dir != "."; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
	}
	slices.Reverse(dirs)
	return dirs
}
