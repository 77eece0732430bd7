package shellhooks

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// What a project may do when one merely enters its directory is its owner's
// decision, made by "devenv allow" after a look at devenv.toml, and void when
// that file changes: a pull must not run what nobody has read.
//
// The store is a directory: allow/FINGERPRINT holds the project's path, as does
// deny/HASH-OF-THE-PATH.

// Decision is what was decided about a project.
type Decision int

const (
	Undecided Decision = iota
	Allowed
	Denied
)

// AllowDir is where decisions are kept: $XDG_DATA_HOME/devenv, else
// ~/.local/share/devenv. It is empty where no home directory is known.
func AllowDir(getenv func(string) string) string {
	if dir := getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "devenv")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local/share/devenv")
	}
	return ""
}

// Fingerprint names a project and what its files say. The first file is
// devenv.toml; others are what it includes. A file that is not there counts as
// such.
func Fingerprint(files ...string) (string, error) {
	h := sha256.New()
	for _, path := range files {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(h, "%q is not there\n", path)
			continue
		}
		if err != nil {
			return "", fmt.Errorf("reading what is to be trusted: %w", err)
		}
		content := sha256.New()
		_, err = io.Copy(content, f)
		f.Close()
		if err != nil {
			return "", fmt.Errorf("reading what is to be trusted: %w", err)
		}
		fmt.Fprintf(h, "%q %x\n", path, content.Sum(nil))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Decided is what dir says about the project at path, in the state that
// fingerprint names.
func Decided(dir, path, fingerprint string) Decision {
	switch {
	case exists(denyFile(dir, path)):
		return Denied
	case exists(allowFile(dir, fingerprint)):
		return Allowed
	}
	return Undecided
}

// Decisions are the files that Decided looks at, for a hook to watch.
func Decisions(dir, path, fingerprint string) []string {
	return []string{denyFile(dir, path), allowFile(dir, fingerprint)}
}

// Allow allows the project at path, in the state that fingerprint names.
func Allow(dir, path, fingerprint string) error {
	if err := decide(allowFile(dir, fingerprint), path); err != nil {
		return err
	}
	if err := os.Remove(denyFile(dir, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("allowing %s: %w", path, err)
	}
	return nil
}

// Deny denies the project at path in every state, and takes back what was
// allowed of it.
func Deny(dir, path string) error {
	if err := decide(denyFile(dir, path), path); err != nil {
		return err
	}
	allowed, err := os.ReadDir(filepath.Join(dir, "allow"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("denying %s: %w", path, err)
	}
	for _, e := range allowed {
		file := filepath.Join(dir, "allow", e.Name())
		text, err := os.ReadFile(file)
		if err != nil || strings.TrimSuffix(string(text), "\n") != path {
			continue
		}
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("denying %s: %w", path, err)
		}
	}
	return nil
}

func decide(file, path string) error {
	err := os.MkdirAll(filepath.Dir(file), 0o700)
	if err == nil {
		err = renameio.WriteFile(file, []byte(path+"\n"), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keeping the decision about %s: %w", path, err)
	}
	return nil
}

func allowFile(dir, fingerprint string) string { return filepath.Join(dir, "allow", fingerprint) }

func denyFile(dir, path string) string {
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(dir, "deny", hex.EncodeToString(sum[:]))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
