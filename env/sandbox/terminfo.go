package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// terminals are those that a person may well be in: the usual ones, and those
// that describe themselves to the host when they are installed there and that an
// environment may never have heard of. The host's entries of all of them come
// along, so that it does not matter which of them an entry plan was made in; for
// any other the plan is made anew.
var terminals = []string{
	"xterm", "xterm-color", "xterm-256color", "xterm-direct", "linux", "screen", "screen-256color", "tmux", "tmux-256color", "tmux-direct",
	"vt100", "vt102", "vt220", "ansi", "dumb", "rxvt", "rxvt-unicode", "rxvt-unicode-256color", "vte-256color", "gnome-256color",
	"konsole", "konsole-256color", "st", "st-256color", "alacritty", "alacritty-direct", "contour", "foot", "foot-direct", "rio", "wezterm",
	"xterm-ghostty", "xterm-kitty", "eterm-color",
}

// terminfoDirs is where terminfo(5) entries lie on hosts.
var terminfoDirs = []string{"/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo", "/usr/lib/kitty/terminfo", "/usr/share/ghostty/terminfo"}

// terminfo brings the host's descriptions of terminals where the environment
// has none, and says which terminals that holds for.
func (h *Host) terminfo(exists func(string) bool) {
	var own []string
	for _, name := range []string{"TERMINFO", "TERMINFO_DIRS"} {
		value, ok := os.LookupEnv(name)
		if !ok {
			h.TermEnv = append(h.TermEnv, name)
			continue
		}
		h.TermEnv = append(h.TermEnv, name+"="+value)
		for _, d := range filepath.SplitList(value) {
			if filepath.IsAbs(d) {
				own = append(own, d)
			}
		}
	}
	dirs := append(own, terminfoDirs...)
	for _, name := range terminals {
		if h.terminal(name, dirs, exists) {
			h.Terms = append(h.Terms, name)
		}
	}
	term := os.Getenv("TERM")
	if term == "" || slices.Contains(h.Terms, term) {
		return
	}
	h.Terms = append(h.Terms, term)
	if strings.HasPrefix(term, ".") || strings.Contains(term, "/") || h.terminal(term, dirs, exists) {
		return
	}
	for _, d := range dirs {
		h.check(filepath.Join(d, term[:1], term)) // it may be installed later
	}
}

// terminal adds the description of one terminal, and reports whether the
// environment has one now.
func (h *Host) terminal(name string, dirs []string, exists func(string) bool) bool {
	rel := name[:1] + "/" + name
	if exists("/usr/share/terminfo/"+rel) || exists("/usr/lib/terminfo/"+rel) {
		return true
	}
	for _, d := range dirs {
		if b, err := os.ReadFile(filepath.Join(d, rel)); err == nil && len(b) < 1<<16 {
			h.Etc = append(h.Etc, EtcFile{Name: "terminfo/" + rel, Data: b})
			return true
		}
	}
	return false
}

// hasTerminfo reports whether the host layer describes a terminal. It does so in
// /etc/terminfo, where not every ncurses looks of itself.
func (h *Host) hasTerminfo() bool {
	return slices.ContainsFunc(h.Etc, func(f EtcFile) bool { return strings.HasPrefix(f.Name, "terminfo/") })
}
