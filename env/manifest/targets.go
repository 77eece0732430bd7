package manifest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// ours are the top-level directories that belong to the environment; every
// other one is the host's own.
var ours = []string{"usr", "etc", "opt", "var"}

// merged are links into /usr, which a file cannot be put through.
var merged = map[string]string{"bin": "usr/bin", "sbin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib"}

// hostsOwn are files of /etc that are the host's own inside.
var hostsOwn = []string{
	"/etc/passwd", "/etc/group", "/etc/hosts", "/etc/resolv.conf", "/etc/localtime", "/etc/machine-id", "/etc/hostname",
}

// checkTarget accepts where a configured file may go.
func checkTarget(target string) (msg, hint string) {
	if !path.IsAbs(target) {
		return fmt.Sprintf("%q is no absolute path", target), fmt.Sprintf("write %q", path.Clean("/"+target))
	}
	if clean := path.Clean(target); clean != target {
		return fmt.Sprintf("%q is no plain path", target), fmt.Sprintf("write %q", clean)
	}
	top, rest, _ := strings.Cut(target[1:], "/")
	switch {
	case merged[top] != "":
		return fmt.Sprintf("/%s is a link to /%s", top, merged[top]), fmt.Sprintf("write %q", path.Join("/", merged[top], rest))
	case !slices.Contains(ours, top):
		return fmt.Sprintf("%q is the host's own: devenv puts no file there", target), "a target lies in /usr, /etc, /opt or /var"
	case rest == "":
		return fmt.Sprintf("%q is a directory", target), "name the file in it"
	case slices.Contains(hostsOwn, target):
		return fmt.Sprintf("%q is the host's own inside, too", target), "change it on the host"
	case target == "/var/lib/pacman" || strings.HasPrefix(target, "/var/lib/pacman/"):
		return fmt.Sprintf("%q is the record of installed packages: devenv writes it", target), "choose another path"
	}
	return "", ""
}
