package sandbox

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"unsafe"

	"devenv/env/sandbox/entry"
)

// FreshInside reports whether a plan that was made on the host, encoded, still
// holds inside an environment: there all that it was made from is as it was, but
// for what is the environment's or an entry's own now and cannot be looked at,
// and for the variables that a shell inside has of its own. The bytes are those
// of a file that this user wrote and nobody else can.
func FreshInside(file []byte, own []string) bool {
	var h entry.Header
	if len(file) < entry.HeaderSize {
		return false
	}
	copy(raw(&h), file)
	body := file[entry.HeaderSize:]
	if h.Magic != entry.Magic || h.Size != uint64(len(file)) || len(body) == 0 || h.Sum != entry.Checksum(&body[0], len(body)) ||
		h.UID != uint64(os.Getuid()) || h.GID != uint64(os.Getgid()) {
		return false
	}
	all := mounts()
	for _, c := range records[entry.Check](file, h.Checks) {
		path := textAt(file, c.Path)
		if top, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); top == "" || path == rootPath || top == "proc" || slices.Contains(environments, top) || isPrivate(path, all) {
			continue
		}
		if now := Stat(path); now != (Check{path, c.Dev, c.Ino, c.Size, c.Mtime, c.Ctime}) {
			return false
		}
	}
	for _, s := range records[entry.Str](file, h.EnvWant) {
		name, value, isSet := strings.Cut(textAt(file, s), "=")
		now, there := os.LookupEnv(name)
		if !slices.Contains(own, name) && (there != isSet || now != value) {
			return false
		}
	}
	return true
}

// records copies a table out of a plan.
func records[T any](file []byte, t entry.Table) []T {
	out := make([]T, 0, t.Count)
	size := int(unsafe.Sizeof(*new(T)))
	for i := range int(t.Count) {
		var r T
		if at := int(t.Off) + i*size; at+size <= len(file) {
			copy(raw(&r), file[at:])
			out = append(out, r)
		}
	}
	return out
}

func textAt(file []byte, s entry.Str) string {
	if int(s.Off) > len(file) {
		return ""
	}
	text, _, _ := bytes.Cut(file[s.Off:], []byte{0})
	return string(text)
}
