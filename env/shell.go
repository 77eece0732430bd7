package env

import (
	"path"
	"slices"
	"strings"

	"devenv/shellhooks"
)

// told is what devenv.toml says to a shell, wherever it runs.
func (p *Project) told(b *Built) shellhooks.Session {
	s := shellhooks.Session{Name: p.name(), Project: p.Dir, Path: b.path}
	for _, pkg := range p.Packages {
		if pkg.OnEnter != "" {
			s.OnEnter = append(s.OnEnter, pkg.OnEnter)
		}
	}
	if p.Shell.OnEnter != "" {
		s.OnEnter = append(s.OnEnter, p.Shell.OnEnter)
	}
	for _, a := range p.Shell.Aliases {
		s.Aliases = append(s.Aliases, shellhooks.Alias{Name: a.Name, Value: a.Value})
	}
	vars := p.variables(b)
	for _, v := range p.allVars() {
		if !slices.ContainsFunc(s.Env, func(kv shellhooks.KV) bool { return kv.Key == v.Name }) {
			s.Env = append(s.Env, shellhooks.KV{Key: v.Name, Value: vars[v.Name]})
		}
	}
	return s
}

// session says how `enter` starts its shell.
func (p *Project) session(b *Built) (shellhooks.Start, error) {
	s := p.told(b)
	words := p.Manifest.Shell.Command
	if len(words) == 0 {
		words = []string{p.ownShell(b)}
	}
	file := words[0]
	if !strings.Contains(file, "/") {
		for _, d := range b.path {
			if b.exists(path.Join(d, file)) {
				file = path.Join(d, file)
				break
			}
		}
	}
	for _, name := range shellhooks.Personal {
		if v := p.opt.Getenv(name); v != "" {
			s.User = append(s.User, shellhooks.KV{Key: name, Value: v})
		}
	}
	start := shellhooks.Enter(file, s)
	start.Argv = append(start.Argv, words[1:]...)
	return start, nil
}

// ownShell is the user's own shell where the environment has it, else bash,
// else sh.
func (p *Project) ownShell(b *Built) string {
	for _, name := range []string{path.Base(p.opt.Getenv("SHELL")), "bash"} {
		if name != "." && name != "/" && b.exists(path.Join("/usr/bin", name)) {
			return path.Join("/usr/bin", name)
		}
	}
	return "/bin/sh"
}
