package lock

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	"devenv/env/manifest/tomlfile"
)

const header = "# Written by devenv, for version control. Edit devenv.toml instead, then run `devenv lock`.\n"

// latest stands for the mirrors of today, as in devenv.toml.
const latest = "latest"

// Marshal is the text of a lock. It depends on nothing but what the lock says:
// the order of packages and of the words in their lists does not matter.
func Marshal(l *Lock) []byte {
	w := &writer{}
	w.WriteString(header)
	w.line("version", fmt.Sprint(formatVersion))
	mark := w.Len()
	w.text("snapshot", cmp.Or(l.Snapshot, latest))
	w.text("arch", l.Arch)
	w.text("inputs", l.Inputs)
	w.list("hosts", l.Hosts)
	if l.Trust != (Trust{}) {
		w.WriteString("\n[trust]\n")
		w.optional("siglevel", l.Trust.SigLevel)
		w.optional("keyring", l.Trust.Keyring)
		w.optional("digest", l.Trust.Digest)
	}
	packages := make([]*Package, len(l.Packages))
	for i := range l.Packages {
		packages[i] = &l.Packages[i]
	}
	slices.SortStableFunc(packages, compare)
	for _, p := range packages {
		w.pkg(p)
	}
	return slices.Insert(w.Bytes(), mark, []byte(checksumLine(w.Bytes()))...)
}

const checksumKey = "checksum"

func checksumLine(text []byte) string {
	return fmt.Sprintf("%s = %q\n", checksumKey, checksum(text))
}

// checksum is that of a text without its own line. Line ends do not count: a
// version control system may change them.
func checksum(text []byte) string {
	h := sha256.New()
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte(checksumKey+" =")) {
			h.Write(bytes.TrimRight(line, "\r\n"))
			h.Write([]byte("\n"))
		}
	}
	return fmt.Sprintf("sha256:%x", h.Sum(nil))
}

type writer struct{ bytes.Buffer }

func (w *writer) line(key, value string) { fmt.Fprintf(w, "%s = %s\n", key, value) }

func (w *writer) text(key, value string) { w.line(key, tomlfile.Quote(value)) }

func (w *writer) optional(key, value string) {
	if value != "" {
		w.text(key, value)
	}
}

// list writes several words one a line.
func (w *writer) list(key string, words []string) {
	sorted := slices.Compact(slices.Sorted(slices.Values(words)))
	switch len(sorted) {
	case 0:
	case 1:
		w.line(key, "["+tomlfile.Quote(sorted[0])+"]")
	default:
		fmt.Fprintf(w, "%s = [\n", key)
		for _, word := range sorted {
			fmt.Fprintf(w, "  %s,\n", tomlfile.Quote(word))
		}
		w.WriteString("]\n")
	}
}

func (w *writer) pkg(p *Package) {
	w.WriteString("\n[[package]]\n")
	w.text("name", p.Name)
	w.text("version", p.Version)
	w.optional("repo", p.Repo)
	w.text("arch", p.Arch)
	w.line("size", fmt.Sprint(p.Size))
	w.text("sha256", p.SHA256)
	w.text("file", p.File)
	w.list("by", p.By)
	w.list("hosts", p.Hosts)
	if p.Base {
		w.line("base", "true")
	}
	w.optional("from", p.From)
	w.optional("compat", p.Compat)
	w.optional("signer", p.Signer)
}
