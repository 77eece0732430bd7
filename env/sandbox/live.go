package sandbox

import (
	"os"
	"path/filepath"
	"strings"
)

// liveVariables name sockets, pipes and keys that programs inside must reach
// also where the directory that they lie in is the entry's own.
var liveVariables = []string{"SSH_AUTH_SOCK", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY", "PULSE_SERVER", "DOCKER_HOST", "TMUX", "MAKEFLAGS"}

// live finds what they name.
func (h *Host) live() {
	for _, name := range liveVariables {
		value, ok := os.LookupEnv(name)
		if !ok {
			h.LiveWant = append(h.LiveWant, name)
			continue
		}
		h.LiveWant = append(h.LiveWant, name+"="+value)
		if path := pathIn(value); path != "" {
			h.Live = append(h.Live, path)
		}
	}
}

// pathIn is the first absolute path in a variable's value: by itself, behind
// "unix:path=" or "unix://", or in "--jobserver-auth=fifo:PATH"; it ends at a
// comma or a blank.
func pathIn(value string) string {
	at := strings.Index(value, "/")
	if _, rest, ok := strings.Cut(value, "fifo:"); ok {
		value, at = rest, strings.Index(rest, "/")
	} else if strings.Contains(value, "jobserver") {
		return "" // descriptors, which pass by themselves
	}
	if at < 0 {
		return ""
	}
	path, _, _ := strings.Cut(value[at:], ",")
	path, _, _ = strings.Cut(path, " ")
	return filepath.Clean(path)
}
