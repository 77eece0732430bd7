package setup

import (
	"path"
	"slices"
	"strings"

	"devenv/layers/alpm"
)

// pointlessCommands are for a machine that boots, with a kernel, services and
// devices of its own. docs/setup.md lists them and says how to run one all the same.
var pointlessCommands = []string{
	"booster", "bootctl", "depmod", "dkms", "dracut", "grub-install", "grub-mkconfig",
	"kernel-install", "mkinitcpio", "pacman-key", "systemctl", "systemd-hwdb", "udevadm",
}

// pointlessScripts are alpm's own scripts that only call those, with the first
// arguments that do where not all do.
var pointlessScripts = map[string][]string{
	"mkinitcpio": nil, "mkinitcpio-install": nil, "mkinitcpio-remove": nil,
	"dkms": nil, "dracut-install": nil, "depmod": nil, "70-dkms": nil,
	"systemd-hook": {"binfmt", "daemon-reload", "daemon-reload-system", "daemon-reload-user", "hwdb", "restart-marked", "reload-system", "sysctl", "udev-reload"},
}

// pointless names the command of a hook that makes no sense in a shell, or "".
func pointless(h *alpm.Hook) string {
	for i, word := range h.Exec {
		name := path.Base(word)
		if args, ok := pointlessScripts[name]; ok && strings.HasPrefix(word, "/usr/share/libalpm/scripts/") {
			if args == nil || i+1 < len(h.Exec) && slices.Contains(args, h.Exec[i+1]) {
				return name
			}
		}
		if slices.Contains(pointlessCommands, name) && (i == 0 || strings.HasPrefix(word, "/")) {
			return name
		}
	}
	if len(h.Exec) == 3 && h.Exec[1] == "-c" {
		return pointlessLine(h.Exec[2])
	}
	return ""
}

// pointlessLine looks at what a shell line would run first.
func pointlessLine(line string) string {
	for _, w := range strings.FieldsFunc(line, isBetweenWords) {
		if strings.Contains(w, "=") || w == "exec" {
			continue
		}
		if name := path.Base(w); slices.Contains(pointlessCommands, name) {
			return name
		}
		return ""
	}
	return ""
}
