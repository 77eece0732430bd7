package mirror

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ulikunitz/xz"
)

// writeIndex lists every package that the archive ever kept, one
// name-version-release-arch a line.
func writeIndex(dir string) error {
	packages := filepath.Join(dir, "archive", "packages")
	files, err := filepath.Glob(filepath.Join(packages, "?", "*", "*.pkg.tar.zst"))
	if err != nil {
		return err
	}
	var lines []string
	for _, f := range files {
		if name := filepath.Base(f); name[0] != '.' {
			lines = append(lines, strings.TrimSuffix(name, ".pkg.tar.zst")+"\n")
		}
	}
	slices.Sort(lines)
	var out bytes.Buffer
	w, err := xz.NewWriter(&out)
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(strings.Join(lines, ""))); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	name := filepath.Join(packages, ".all", "index.0.xz")
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, out.Bytes()) {
		return nil
	}
	if err := writeFile(name, out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("index of the archive: %w", err)
	}
	return nil
}
