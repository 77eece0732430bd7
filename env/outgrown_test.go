package env

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asksFor has a project ask for other packages.
func asksFor(t *testing.T, p *Project, names ...string) *Project {
	t.Helper()
	text, err := os.ReadFile(p.Path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "[packages]\n")
	_, after, _ := strings.Cut(rest, "[mirrors]\n")
	wanted := "[packages]\n" + strings.Join(names, " = \"*\"\n") + " = \"*\"\n"
	if err := os.WriteFile(p.Path, []byte(before+wanted+"[mirrors]\n"+after), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err = Open(p.Dir, p.opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// One more package is linked into the tree that the project had, unless another
// project has it, too, or somebody is inside.
func TestOneMorePackageReusesTheTree(t *testing.T) {
	m := newOldMirror(t)
	var names []string
	for i := range 9 {
		name := fmt.Sprintf("p%d", i)
		names = append(names, name)
		m.add(false, name, "1-1", "", "", func(m *oldMirror, dir string) {
			at := filepath.Join(dir, "usr/share", name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, nil, 0o644)); err != nil {
				m.t.Fatal(err)
			}
		})
	}
	built := func(p *Project) (*Built, os.FileInfo) {
		t.Helper()
		l, _, err := p.Lock(t.Context(), LockMode{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := p.Build(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Release)
		if err := p.record(b); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(b.root)
		if err != nil {
			t.Fatal(err)
		}
		return b, info
	}
	whole := func(b *Built, count int) {
		t.Helper()
		if found, err := filepath.Glob(b.root + "/usr/share/p*"); err != nil || len(found) != count {
			t.Errorf("%d files in the tree, not %d (%v)", len(found), count, err)
		}
	}

	p, _ := m.project("")
	p = asksFor(t, p, names[:6]...)
	b, first := built(p)
	b.Release()
	p = asksFor(t, p, names[:7]...)
	b, second := built(p)
	if !os.SameFile(first, second) {
		t.Error("the tree was made anew")
	}
	whole(b, 7)

	p = asksFor(t, p, names[:8]...) // while somebody is in the old one
	b, third := built(p)
	if os.SameFile(second, third) {
		t.Error("a tree that is in use was changed")
	}
	whole(b, 8)
	b.Release()

	other, _ := m.project("")
	b, theirs := built(asksFor(t, other, names[:8]...))
	b.Release()
	if !os.SameFile(third, theirs) {
		t.Error("two projects with the same packages have two trees")
	}
	b, last := built(asksFor(t, p, names...))
	if os.SameFile(third, last) {
		t.Error("another project's tree was changed")
	}
	whole(b, 9)
}
