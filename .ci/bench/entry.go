package main

import (
	"fmt"
	"os"
	"strings"
)

// warm enters, runs true and leaves.
func (w *world) warm() ([]row, error) {
	peer, err := w.bwrap("true")
	if err != nil {
		return nil, err
	}
	t, err := w.interleave(300, w.run("true"), command{args: peer})
	if err != nil {
		return nil, err
	}
	return []row{timed("warm `devenv run -- true`", "`bwrap` on the same tree, flattened", 1, 0.45, t[0], t[1])}, nil
}

// nix is the least that nix-shell takes: a derivation that needs no nixpkgs.
func (w *world) nix() ([]row, error) {
	store := w.dir + "/nix"
	expr := `derivation { name = "x"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo >$out" ]; stdenv = builtins.toFile "setup" ""; }`
	nix := command{args: []string{"nix-shell", "--pure", "-E", expr, "--run", "true"}, asRoot: true,
		env: []string{"NIX_REMOTE=", "NIX_BUILD_SHELL=/bin/bash", "NIX_STATE_DIR=" + store + "/var", "NIX_STORE_DIR=" + store + "/store", "NIX_LOG_DIR=" + store + "/log", "HOME=" + w.dir + "/nix-home", "USER=root"}}
	if _, err := w.time(nix); err != nil { // fills its store
		return nil, err
	}
	t, err := w.interleave(40, w.run("true"), nix)
	if err != nil {
		return nil, err
	}
	return []row{timed("warm `devenv run -- true`", "`nix-shell` on a derivation without nixpkgs", 0.12, 0.06, t[0], t[1])}, nil
}

func (w *world) many() ([]row, error) {
	const copies = 64
	peer, err := w.bwrap("true")
	if err != nil {
		return nil, err
	}
	ours := w.run("true")
	ours.copies = copies
	t, err := w.interleave(15, ours, command{args: peer, copies: copies})
	if err != nil {
		return nil, err
	}
	return []row{timed("64 `devenv run -- true` at once", "64 `bwrap` at once", 1, 0.6, t[0], t[1])}, nil
}

// compile makes a C++ project with the environment's make and compiler.
func (w *world) compile() ([]row, error) {
	const files = 2
	dir := w.project + "/c++"
	if err := w.own(dir); err != nil {
		return nil, err
	}
	objects := ""
	for i := range files {
		var src strings.Builder
		src.WriteString("#include <map>\n#include <regex>\n#include <string>\n#include <iostream>\n")
		for f := range 5 {
			fmt.Fprintf(&src, "std::map<int, std::string> f%d_%d() { std::map<int, std::string> m; m[%[2]d] = std::regex_replace(\"a\", std::regex(\"a\"), \"b\"); return m; }\n", i, f)
		}
		if i == 0 {
			src.WriteString("int main() { std::cout << f0_0().size() << '\\n'; }\n")
		}
		if err := os.WriteFile(fmt.Sprintf("%s/x%d.cpp", dir, i), []byte(src.String()), 0o644); err != nil {
			return nil, err
		}
		objects += fmt.Sprintf(" $(O)/x%d.o", i)
	}
	makefile := "$(O)/program:" + objects + "\n\tg++ -o $@ $^\n$(O)/%.o: %.cpp\n\tg++ -O1 -c -o $@ $<\n"
	if err := os.WriteFile(dir+"/Makefile", []byte(makefile), 0o644); err != nil {
		return nil, err
	}
	peer, err := w.bwrap("make", "-j2", "O="+dir+"/theirs")
	if err != nil {
		return nil, err
	}
	ours := w.run("make", "-j2", "O="+dir+"/ours")
	theirs := command{args: peer, dir: dir}
	ours.dir = dir
	ours.before = func() error { return w.wipe(dir + "/ours") }
	theirs.before = func() error { return w.wipe(dir + "/theirs") }
	t, err := w.interleave(31, ours, theirs)
	if err != nil {
		return nil, err
	}
	return []row{timed(fmt.Sprintf("`make -j2` of a C++ project of %d files inside", files), "the same under `bwrap` on the same tree, flattened", 1.02, 1, t[0], t[1])}, nil
}

// pipe gives 1 GiB to the environment's cat, inside and natively on the host:
// the same file, started by its own dynamic linker.
func (w *world) pipe() ([]row, error) {
	flat, err := w.flattened()
	if err != nil {
		return nil, err
	}
	lib := flat + "/usr/lib"
	native := command{args: []string{lib + "/ld-linux-x86-64.so.2", "--library-path", lib + ":" + lib + "/x86_64-linux-gnu", flat + "/usr/bin/cat"}, feed: 1 << 30}
	ours := w.run("cat")
	ours.feed = 1 << 30
	t, err := w.interleave(21, ours, native)
	if err != nil {
		return nil, err
	}
	return []row{timed("1 GiB through a pipe into `devenv run -- cat`", "into the same `cat`, on the host as it is (0.95 of its speed)", 1/0.95, 1, t[0], t[1])}, nil
}
