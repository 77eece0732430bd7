package lock

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Write puts a lock at path. If the file has these bytes already it is left
// alone, with its times.
func Write(path string, l *Lock) error {
	text := Marshal(l)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	target := path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		target = real // keep the link, replace what it leads to
	}
	if err := renameio.WriteFile(target, text, 0o644, renameio.WithTempDir(filepath.Dir(target))); err != nil {
		return fmt.Errorf("write %s: %w; the old one, if there was one, is as it was", path, err)
	}
	return nil
}
