package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	securejoin "github.com/cyphar/filepath-securejoin"

	"devenv/layers/alpm"
)

// hookDirs are where hooks lie, each overriding those before it by name.
const (
	systemHooks = "usr/share/libalpm/hooks"
	userHooks   = "etc/pacman.d/hooks"
)

// hook is one with the directory it came from.
type hook struct {
	*alpm.Hook
	byUser bool
}

// readHooks reads all hooks of a tree as libalpm does, with the configured files
// laid over it, in the order in which they run. What is no hook is a warning.
func readHooks(tree string, files []File) (hooks []hook, warnings []string) {
	found := map[string]hook{}
	add := func(dir, name string, text []byte, err error) {
		delete(found, name)
		var h *alpm.Hook
		if err == nil {
			h, err = alpm.ParseHook(name, strings.NewReader(string(text)))
		}
		if err != nil {
			warnings = append(warnings, fmt.Sprintf("hook /%s is passed over: %v", path.Join(dir, name), err))
			return
		}
		warnings = append(warnings, h.Warnings...)
		found[name] = hook{h, dir == userHooks}
	}
	for _, dir := range []string{systemHooks, userHooks} {
		for _, name := range listHooks(tree, dir) {
			text, err := readInTree(tree, path.Join(dir, name))
			add(dir, name, text, err)
		}
		for _, f := range files {
			if d, name := path.Split(f.Target); path.Clean(d) == "/"+dir && alpm.IsHook(name) {
				add(dir, name, f.Data, nil)
			}
		}
	}
	for _, h := range found {
		hooks = append(hooks, h)
	}
	slices.SortFunc(hooks, func(a, b hook) int { return alpm.CompareHooks(a.Name, b.Name) })
	return hooks, warnings
}

func listHooks(tree, dir string) []string {
	real, err := securejoin.SecureJoin(tree, dir)
	if err != nil {
		return nil
	}
	entries, err := os.ReadDir(real)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if alpm.IsHook(e.Name()) && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// readInTree reads a file of the tree as though the tree were the root. A link
// to /dev/null, which no tree has, is empty.
func readInTree(tree, name string) ([]byte, error) {
	real, err := securejoin.SecureJoin(tree, name)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(real)
	if errors.Is(err, fs.ErrNotExist) && real == filepath.Join(tree, "dev/null") {
		return nil, nil
	}
	return text, err
}

// hookSteps are the hooks of one time that an installation of all packages
// triggers.
func (p *planner) hookSteps(when alpm.When) (steps []step) {
	for _, h := range p.hooks {
		if h.When != when {
			continue
		}
		targets, ok := h.Triggered(alpm.Install, p.names, p.paths)
		if !ok {
			continue
		}
		if word := pointless(h.Hook); word != "" && !h.byUser {
			p.skipped = append(p.skipped, fmt.Sprintf("hook %s: %s makes no sense in a shell", h.Name, word))
			continue
		}
		s := step{Title: "hook " + h.Name, Argv: h.Exec, Abort: h.AbortOnFail && when == alpm.PreTransaction}
		if h.NeedsTargets {
			s.Stdin = []byte(strings.Join(targets, "\n") + "\n")
		}
		for _, dep := range h.Depends {
			if _, ok := p.index.find(dep); !ok {
				s.Problem = fmt.Sprintf("not run, since it depends on %s, which is not installed: add it to [packages]", dep)
				break
			}
		}
		steps = append(steps, s)
	}
	return steps
}
