package manifest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
)

// ResolutionDigest is "sha256:…" of all that decides which packages a lock has,
// for every kind of machine, and of nothing else: a comment, a variable or
// another server of the same repositories do not change it. What nobody chose
// counts as "default", so that another devenv, with other defaults, does not
// find every lock stale.
func (m *Manifest) ResolutionDigest() string {
	h := sha256.New()
	for _, v := range m.whole.variants {
		v.Manifest.writeResolution(h)
	}
	return fmt.Sprintf("sha256:%x", h.Sum(nil))
}

func (m *Manifest) writeResolution(w io.Writer) {
	base := sortedNames(m.Base)
	if m.BaseDefault {
		base = []string{"default"}
	}
	fmt.Fprintf(w, "host %q snapshot %q arch %q base %q\n", m.Host, m.Snapshot, m.Arch, base)
	fmt.Fprintf(w, "repos %q extra %q\n", m.Mirrors.repoOrder(), m.Mirrors.extraOrder())
	for i := range m.Packages {
		p := &m.Packages[i]
		fmt.Fprintf(w, "package %q repo %q pin %q snapshot %q with %q\n", p.Name, p.Repo, p.Pin.canonical(), p.Snapshot, sortedNames(p.With))
	}
}

func (m *Mirrors) repoOrder() (names []string) {
	if m.ReposDefault {
		return nil
	}
	for _, r := range m.Repos {
		names = append(names, r.Name)
	}
	return names
}

func (m *Mirrors) extraOrder() (names []string) {
	for _, x := range m.Extra {
		names = append(names, x.Name)
	}
	return names
}

func sortedNames(items []Item) []string {
	names := make([]string, len(items))
	for i := range items {
		names[i] = items[i].Name
	}
	slices.Sort(names)
	return names
}

// canonical is the pin without what does not matter in how it is written.
func (p Pin) canonical() string {
	text := ""
	for i := range p.terms {
		text += p.terms[i].String() + ","
	}
	return text
}
