package archpkg

import (
	"bytes"
	"debug/elf"
	"maps"
	"path"
	"slices"
	"strings"

	"devenv/cmd/devenv-mirror/convert"
)

// Sonames is what a package's ELF files give and need, in makepkg's words:
// "libz.so=1-64".
type Sonames struct {
	Provides []string
	Needs    []string
}

// Scan reads every ELF file of a tree. Libraries count as provided when they
// lie in usr/lib, where the loader finds them. listed decides by soname
// ("libz.so.1") which needs are worth a dependency; the tree's own are none.
func Scan(tree convert.Tree, listed func(string) bool) Sonames {
	own, needs := map[string]string{}, map[string]string{}
	visible := inLibraryPath(tree)
	for _, n := range tree {
		if n.Kind != convert.File || !bytes.HasPrefix(n.Data, []byte(elf.ELFMAG)) {
			continue
		}
		f, err := elf.NewFile(bytes.NewReader(n.Data))
		if err != nil || f.Class != elf.ELFCLASS64 {
			continue // a damaged or foreign file needs no library of ours
		}
		if names, _ := f.DynString(elf.DT_SONAME); len(names) == 1 && visible[n.Path] {
			own[names[0]] = entry(names[0])
		}
		libs, _ := f.ImportedLibraries() // static files have none
		for _, lib := range libs {
			needs[lib] = entry(lib)
		}
	}
	for lib := range needs {
		if own[lib] != "" || !listed(lib) {
			delete(needs, lib)
		}
	}
	return Sonames{Provides: sortedEntries(own), Needs: sortedEntries(needs)}
}

// inLibraryPath names the files in usr/lib and those that links in it mean.
func inLibraryPath(tree convert.Tree) map[string]bool {
	visible := map[string]bool{}
	for _, n := range tree {
		if path.Dir(n.Path) != "usr/lib" {
			continue
		}
		at := n
		for hops := 0; at != nil && at.Kind == convert.Symlink && hops < 8; hops++ {
			at = tree[path.Join(path.Dir(at.Path), at.Target)]
		}
		if at != nil {
			visible[at.Path] = true
		}
	}
	return visible
}

// entry writes "libz.so.1" as "libz.so=1-64"; a name without a version, which
// makepkg leaves as it is, gives nothing.
func entry(soname string) string {
	name, version, ok := strings.Cut(soname, ".so.")
	if !ok || !strings.HasPrefix(name, "lib") {
		return ""
	}
	return name + ".so=" + version + "-64"
}

func sortedEntries(m map[string]string) []string {
	list := slices.Sorted(maps.Values(m))
	list = slices.Compact(list)
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}
