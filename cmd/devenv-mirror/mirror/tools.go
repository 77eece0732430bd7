package mirror

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// tools are the peers that a mirror is made with, and Debian's packages that
// have them.
var tools = map[string]string{
	"apt-get": "apt", "apt-cache": "apt", "dpkg-deb": "dpkg",
	"repo-add": "pacman-package-manager", "bsdtar": "libarchive-tools", "gpg": "gnupg", "gpgconf": "gnupg", "gpg-agent": "gnupg",
}

// CheckTools says which tools are missing and the line that brings them. A level
// of compression takes one more.
func CheckTools(level int) error {
	tools := maps.Clone(tools)
	if level > 0 {
		tools["zstd"] = "zstd"
	}
	var missing, packages []string
	for tool, deb := range tools {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		if deb == "apt" || deb == "dpkg" {
			return fmt.Errorf("%s is not here: from-debian works on Debian and Ubuntu only", tool)
		}
		missing = append(missing, tool)
		packages = append(packages, deb)
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	slices.Sort(packages)
	return fmt.Errorf("missing: %s; as root run:\n  apt-get install -y --no-install-recommends %s",
		strings.Join(missing, ", "), strings.Join(slices.Compact(packages), " "))
}

// run runs a command in dir and returns what it printed.
func run(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "LC_ALL=C"), env...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(stderr.String() + "\n" + out.String())
		lines := strings.Split(text, "\n")
		return nil, fmt.Errorf("%s: %w: %s", name, err, strings.Join(lines[max(0, len(lines)-6):], "; "))
	}
	return out.Bytes(), nil
}
