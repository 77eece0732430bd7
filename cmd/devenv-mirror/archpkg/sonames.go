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
	for _, n := range tree {
		if n.Kind != convert.File || !bytes.HasPrefix(n.Data, []byte(elf.ELFMAG)) {
			continue
		}
		f, err := elf.NewFile(bytes.NewReader(n.Data))
		if err != nil {
			continue // a damaged or foreign file needs no library of ours
		}
		bits := "-32"
		if f.Class == elf.ELFCLASS64 {
			bits = "-64"
		}
		if names, _ := f.DynString(elf.DT_SONAME); len(names) == 1 && path.Dir(n.Path) == "usr/lib" {
			own[names[0]] = entry(names[0], bits)
		}
		libs, _ := f.ImportedLibraries() // static files have none
		for _, lib := range libs {
			needs[lib] = entry(lib, bits)
		}
	}
	for lib := range needs {
		if own[lib] != "" || !listed(lib) {
			delete(needs, lib)
		}
	}
	return Sonames{Provides: sortedEntries(own), Needs: sortedEntries(needs)}
}

// entry writes "libz.so.1" as "libz.so=1-64"; a name without a version, which
// makepkg leaves as it is, gives nothing.
func entry(soname, bits string) string {
	name, version, ok := strings.Cut(soname, ".so.")
	if !ok || !strings.HasPrefix(name, "lib") {
		return ""
	}
	return name + ".so=" + version + bits
}

func sortedEntries(m map[string]string) []string {
	list := slices.Sorted(maps.Values(m))
	list = slices.Compact(list)
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}
