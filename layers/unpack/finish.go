package unpack

import (
	"crypto/md5"
	"encoding/hex"
	"io"
	"os"
	"slices"

	"devenv/layers/alpm"
)

// finish does what has to wait for all files: hard links, then directories'
// modes and times, children first.
func (u *unpacker) finish() error {
	if u.result.Info == nil {
		return ErrNoPackage
	}
	for _, e := range u.links {
		if err := u.tree.link(e.path, e.Linkname); err != nil {
			return entryError(e.Name, err)
		}
	}
	for _, e := range slices.Backward(u.dirs) {
		if err := u.tree.finishDir(e.path, permissions(e.Header), e.when); err != nil {
			return entryError(e.Name, err)
		}
	}
	return u.hashBackups()
}

// noHash is what pacman writes where it has no hash of a backup file.
const noHash = "(null)"

// hashBackups hashes the package's configuration files as they came.
func (u *unpacker) hashBackups() error {
	if len(u.result.Info.Backup) == 0 {
		return nil
	}
	root, err := os.OpenRoot(u.tree.name)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range u.result.Info.Backup {
		hash, err := hashFile(root, name)
		if err != nil {
			hash = noHash
		}
		u.result.Backup = append(u.result.Backup, alpm.Backup{Path: name, MD5: hash})
	}
	return nil
}

func hashFile(root *os.Root, name string) (string, error) {
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := md5.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
