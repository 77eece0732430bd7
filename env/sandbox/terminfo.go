package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// terminals are those that describe themselves to the host when they are
// installed there, and that an environment may never have heard of. The host's
// entries of all of them come along, so that it does not matter which of them
// an entry plan was made in.
var terminals = []string{"alacritty", "alacritty-direct", "contour", "foot", "foot-direct", "konsole-256color", "rio", "rxvt-unicode", "rxvt-unicode-256color", "screen-256color", "st-256color", "tmux", "tmux-256color", "vte-256color", "wezterm", "xterm-256color", "xterm-ghostty", "xterm-kitty"}

// terminfoDirs is where terminfo(5) entries lie on hosts.
var terminfoDirs = []string{"/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo", "/usr/lib/kitty/terminfo", "/usr/share/ghostty/terminfo"}

// terminfo brings the host's description of the terminal where the environment
// has none.
func (h *Host) terminfo(exists func(string) bool) {
	own := slices.DeleteFunc(append([]string{os.Getenv("TERMINFO")}, filepath.SplitList(os.Getenv("TERMINFO_DIRS"))...), func(d string) bool { return !filepath.IsAbs(d) })
	for _, name := range terminals {
		h.terminal(name, terminfoDirs, exists)
	}
	term := os.Getenv("TERM")
	if term == "" || strings.HasPrefix(term, ".") || strings.Contains(term, "/") || slices.Contains(terminals, term) && len(own) == 0 {
		return
	}
	if h.terminal(term, append(own, terminfoDirs...), exists) {
		h.Want = append(h.Want, "TERM="+term)
	}
}

// terminal adds the description of one terminal. It reports whether it has.
func (h *Host) terminal(name string, dirs []string, exists func(string) bool) bool {
	rel := name[:1] + "/" + name
	if exists("/usr/share/terminfo/"+rel) || slices.ContainsFunc(h.Etc, func(f EtcFile) bool { return f.Name == "terminfo/"+rel }) {
		return false
	}
	for _, d := range dirs {
		if b, err := os.ReadFile(filepath.Join(d, rel)); err == nil && len(b) < 1<<16 {
			h.Etc = append(h.Etc, EtcFile{Name: "terminfo/" + rel, Data: b})
			return true
		}
	}
	return false
}
