package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"devenv/env/manifest"
)

// level is that of zstd with which Arch's build servers compress packages. What
// is compressed less is half as large again, with windows of a few MiB in the
// place of 32: a link would count for more than it does, and memory for less.
const level = 20

// makeMirror makes or freshens the mirror of what is measured, which takes some
// minutes the first time: in DEVENV_BENCH_MIRROR, by default .tmp/bench-mirror.
func makeMirror() (dir string, err error) {
	if dir, err = filepath.Abs(cmp.Or(os.Getenv("DEVENV_BENCH_MIRROR"), ".tmp/bench-mirror")); err != nil {
		return "", err
	}
	names := slices.Concat(toolchain, spare, slices.Collect(maps.Values(others)), []string{further, "archlinux-keyring"})
	for _, item := range manifest.DefaultBase() {
		names = append(names, item.Name)
	}
	slices.Sort(names)
	cmd := exec.Command("bin/devenv-mirror", "from-debian", "--level", strconv.Itoa(level), "--days", "1", "--only", strings.Join(slices.Compact(names), ","), dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("the mirror in %s cannot be made: %w", dir, err)
	}
	return dir, nil
}
