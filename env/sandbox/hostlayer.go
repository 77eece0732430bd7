package sandbox

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// part is one thing in the host layer. A whiteout hides what the tree has
// there.
type part struct {
	path     string // relative
	dir      bool
	whiteout bool
	link     string
	data     []byte
	mode     fs.FileMode
}

// layer lists what the host layer holds: mount points for all that is the
// host's inside, and the host's own files of /etc. Directories that lead to a
// part are not listed.
func (h *Host) layer() []part {
	var out []part
	for _, d := range append(slices.Clone(h.Shared), "etc", "proc") {
		out = append(out, part{path: d, dir: true})
	}
	for _, d := range h.Extra {
		out = append(out, part{path: strings.TrimPrefix(d, "/"), dir: true})
	}
	for name, target := range h.Links {
		out = append(out, part{path: name, link: target})
	}
	for _, f := range h.Hide {
		out = append(out, part{path: f, whiteout: true})
	}
	for _, f := range h.Etc {
		out = append(out, part{path: filepath.Join("etc", f.Name), link: f.Link, data: f.Data, mode: 0o644})
	}
	if h.Self != "" {
		self := part{path: strings.TrimPrefix(SelfPath, "/"), mode: 0o755}
		if h.visible(h.Self) {
			self.link = h.Self
		}
		out = append(out, self)
	}
	return out
}

// Write puts the host layer into a directory.
func (h *Host) Write(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, p := range h.layer() {
		if err := root.MkdirAll(filepath.Dir(p.path), 0o755); err != nil {
			return err
		}
		switch {
		case p.dir:
			err = root.MkdirAll(p.path, 0o755)
		case p.whiteout:
			// kernel documentation, overlayfs; since Linux 5.8 it needs no
			// privilege.
			if err = unix.Mknod(filepath.Join(dir, p.path), unix.S_IFCHR, 0); err != nil {
				err = fmt.Errorf("hiding /%s: %w", p.path, err)
			}
		case p.link != "":
			err = root.Symlink(p.link, p.path)
		default:
			err = root.WriteFile(p.path, p.data, p.mode)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
