package sandbox

import (
	"os"
	"strings"
)

// ownSource is the source of the mounts that an entry puts over directories of
// the host's, as proc_pid_mountinfo(5) shows it.
const ownSource = "devenv"

// mounted is one mount that this process sees.
type mounted struct{ at, source string }

// mounts lists them, in the order in which they were made.
func mounts() []mounted {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var out []mounted
	for line := range strings.Lines(string(table)) {
		before, after, _ := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if len(left) > 4 && len(right) > 1 {
			out = append(out, mounted{plain.Replace(left[4]), plain.Replace(right[1])})
		}
	}
	return out
}

// MountedBelow is a directory below dir that something is mounted on, "" if
// there is none: an overlay can then not have dir as its lower directory in a
// user namespace, for it would reveal what lies under the mount.
func MountedBelow(dir string) string {
	for _, m := range mounts() {
		if m.at != dir && within(m.at, dir) {
			return m.at
		}
	}
	return ""
}

// isPrivate reports whether what lies at a path is an entry's own, not the
// host's: a private home or /tmp.
func isPrivate(path string, all []mounted) bool {
	at, source := "", ""
	for _, m := range all {
		if within(path, m.at) && len(m.at) >= len(at) {
			at, source = m.at, m.source
		}
	}
	return source == ownSource
}
