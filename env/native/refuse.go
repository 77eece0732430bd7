package native

import (
	"fmt"
	"path"
	"strings"
)

// CannotError says that a package's programs cannot run natively.
type CannotError struct{ Package, Why string }

func (e *CannotError) Error() string {
	return fmt.Sprintf("%s cannot run on the host as it is: %s", e.Package, e.Why)
}

// What programs of some kinds look for by paths that are built into them, and
// that no argument and no variable changes: files by which a package is known to
// be of that kind.
var cannot = []struct{ file, why string }{
	{"usr/lib/gcc/*/*/cc1*", compiler},
	{"usr/lib/gcc-cross/*/*/cc1*", compiler},
	{"usr/lib/gcc/*/*/collect2", compiler},
	{"usr/bin/clang", compiler},
	{"usr/bin/clang-[0-9]*", compiler},
	{"usr/lib/llvm-*/bin/clang", compiler},
	{"usr/bin/rustc", compiler},
	{"usr/bin/ghc", compiler},
	{"usr/bin/fpc", compiler},
	{"usr/lib/libnode.so.*", "it loads parts of itself from /usr/share/nodejs"}, // Debian's; Arch's has them built in
	{"usr/share/autoconf/autoconf/*.m4", "its scripts read /usr/share/autoconf"},
	{"usr/bin/automake", "its scripts read /usr/share/automake"},
	{"usr/bin/libtoolize", "its scripts read /usr/share/libtool"},
	{"usr/share/cppcheck/cfg/std.cfg", "it reads /usr/share/cppcheck"},
	{"usr/lib/cppcheck/cfg/std.cfg", "it reads /usr/lib/cppcheck"},
	{"usr/lib/zsh/*/zsh/zle.so", "it loads its modules from /usr/lib/zsh"},
	{"usr/lib/*/zsh/*/zsh/zle.so", "it loads its modules from /usr/lib/zsh"},
}

const compiler = "a compiler looks for headers and start files in /usr/include and /usr/lib, and would take the host's"

// Check refuses a package whose programs cannot run natively, with a
// *CannotError.
func Check(p Package) error {
	for _, f := range p.Files {
		if f.Mode&0o4000 != 0 && path.Base(f.Path) == p.Name() {
			return &CannotError{p.Name(), "it must be setuid root, which nothing in the cache can be"}
		}
		for _, c := range cannot {
			if strings.Count(c.file, "/") != strings.Count(f.Path, "/") {
				continue
			}
			if ok, _ := path.Match(c.file, f.Path); ok {
				return &CannotError{p.Name(), c.why}
			}
		}
	}
	return nil
}
