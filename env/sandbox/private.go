package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// private puts something of the entry's own over home and /tmp. What lies in
// them and is the host's own all the same comes back on top: the project, what
// is kept, the cache, and the display's sockets.
func (l *list) private(s Spec, h *Host) {
	var back []string
	if s.PrivateTmp && h.visible("/tmp") {
		l.mount("a /tmp of one's own", ownSource, "tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
		back = append(back, below(h, "/tmp", "/tmp/.X11-unix", "/tmp/.ICE-unix", s.Project, s.Cache, h.Home, h.Self)...)
		back = append(back, below(h, "/tmp", s.Also...)...)
	}
	l.restore("what stays the host's in it", back)
	if s.PrivateTmp {
		l.restore("and what variables name", below(h, "/tmp", h.Live...))
	}
	if s.Home == "" || s.Home == HomeHost || h.Home == "" {
		return
	}
	home := strings.TrimPrefix(h.Home, "/")
	l.mount("a home directory of one's own", ownSource, home, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=700")
	if s.Home == HomeEphemeral && h.Overlay {
		l.mkdir("", home+"/upper", 0o700)
		l.mkdir("", home+"/work", 0o700)
		options := "lowerdir=" + escape(h.Home) + ",upperdir=" + escape(home) + "/upper,workdir=" + escape(home) + "/work"
		if !h.Privileged {
			options += ",userxattr"
		}
		l.mount("which shows the host's and keeps what is written", ownSource, home, "overlay", unix.MS_NODEV|unix.MS_NOSUID, options)
	}
	l.restore("what stays the host's in it", below(h, h.Home, slices.Concat(s.Keep, s.Also, []string{s.Project, s.Cache, h.Self})...))
	l.restore("and what variables name", below(h, h.Home, h.Live...))
}

// below lists those of the paths that lie below dir and can be seen.
func below(h *Host, dir string, paths ...string) []string {
	var out []string
	for _, p := range paths {
		if p != "" && p != dir && within(p, dir) {
			out = append(out, p)
		}
	}
	return out
}

// restore binds paths of the host to where they were, and makes what it needs
// on the way. What the host does not have is left out.
func (l *list) restore(why string, paths []string) {
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			continue
		}
		rel := strings.TrimPrefix(p, "/")
		for _, d := range parents(rel) {
			l.mkdir(why, d, 0o755).Ignore = true
			why = ""
		}
		if info.IsDir() {
			l.mkdir(why, rel, 0o755).Ignore = true
		} else {
			l.create(why, rel, info.Mode().Perm()).Ignore = true
		}
		l.bind("", p, rel).Ignore = info.Mode()&(os.ModeSocket|os.ModeNamedPipe) != 0 // which come and go
		why = ""
	}
}

// parents lists the directories above a relative path, the outermost first.
func parents(rel string) []string {
	var out []string
	for d := filepath.Dir(rel); d != "." && d != "/"; d = filepath.Dir(d) {
		out = append([]string{d}, out...)
	}
	return out
}

// escape makes a path one value of an overlay's options: a backslash before
// what separates directories and options (kernel documentation, overlayfs).
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, ":", `\:`, ",", `\,`).Replace(path)
}
