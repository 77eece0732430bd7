package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"devenv/cache"
	"devenv/env/manifest"
	"devenv/shellhooks"
)

// exporter makes the project in dir ready to be used without entering it, and
// gives the variables by which it is: in PATH the directories that go before
// the user's own.
type exporter func(ctx context.Context, dir string) (map[string]string, error)

// shellCommands are those that shells and people who set up shells use.
func (u *ui) shellCommands(export exporter) []*cli.Command {
	return []*cli.Command{u.hookCommand(), u.allowCommand(), u.denyCommand(), u.completionCommand(), u.completeCommand(), u.activateCommand(export)}
}

func (u *ui) hookCommand() *cli.Command {
	return &cli.Command{
		Name:      "hook",
		Usage:     "print what makes a shell put a project's tools on PATH on entering its directory",
		UsageText: "devenv hook " + strings.Join(shellhooks.Names(), "|") + "|direnv",
		Description: examples(
			`eval "$(devenv hook bash)"      in ~/.bashrc`,
			`eval "$(devenv hook zsh)"       in ~/.zshrc`,
			`devenv hook fish | source       in ~/.config/fish/config.fish`,
			`eval "$(devenv hook direnv)"    in ~/.config/direnv/direnvrc; then "use devenv" in .envrc`,
			`devenv --quiet hook bash        for a hook that does not say what it does`),
		Action: func(c *cli.Context) error {
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("finding devenv's own path: %w", err)
			}
			words := []string{self}
			if u.quiet {
				words = append(words, "--quiet")
			}
			name := c.Args().First()
			shell, known := shellhooks.For(name)
			switch {
			case c.NArg() != 1:
				return misuse("hook for which shell?").hint("%s", c.Command.UsageText)
			case name == "direnv":
				fmt.Fprint(u.out, shellhooks.Direnv(words...))
			case known:
				fmt.Fprint(u.out, shell.Hook(words...))
			default:
				return misuse("there is no hook for %q", name).hint("%s", c.Command.UsageText)
			}
			return nil
		},
	}
}

// activateCommand is what hooks call. It always prints what the shell is to do,
// also when something failed: else the shell would call it at every prompt.
func (u *ui) activateCommand(export exporter) *cli.Command {
	return &cli.Command{
		Name:      "_export",
		Usage:     "print what a hook evaluates",
		ArgsUsage: "SHELL | direnv [DIR]",
		Hidden:    true,
		Action: func(c *cli.Context) error {
			a := activation{u: u, export: export, now: variables(os.Environ())}
			if c.Args().First() == "direnv" {
				return a.direnv(c.Context, c.Args().Get(1))
			}
			shell, ok := shellhooks.For(c.Args().First())
			if !ok || c.NArg() != 1 {
				return misuse("_export is for hooks").hint("`devenv hook --help`")
			}
			start := time.Now()
			next, failed := a.next(c.Context)
			u.settle()
			diff, undone := shellhooks.Switch(a.now, next)
			fresh, unwatched := a.fresh(shell, start)
			fmt.Fprint(u.out, shell.Export(diff), fresh)
			return errors.Join(failed, undone, unwatched)
		},
	}
}

// activation finds out what is to be active in the working directory.
type activation struct {
	u      *ui
	export exporter
	now    map[string]string
	watch  []shellhooks.Watched // what the answer depends on, as it was found
}

// next is what is to be active; nil is nothing. With an error what was active
// may stay: tools do not go because devenv.toml is being edited.
func (a *activation) next(ctx context.Context) (*shellhooks.Activation, error) {
	dir, err := realDir("")
	if err != nil {
		return nil, nil // a directory that is gone has no project
	}
	a.watch = shellhooks.Watch(candidates(dir)...)
	path, err := manifest.Find(dir)
	if errors.Is(err, manifest.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	active := shellhooks.Active(a.now)
	p, err := inspect(path)
	a.watch = append(a.watch, shellhooks.Watch(p.watch()...)...)
	if err != nil && active != nil && strings.HasPrefix(active.Key, path+"\n") {
		return active, err
	}
	switch {
	case p.decision == shellhooks.Denied:
		return nil, nil
	case p.decision == shellhooks.Undecided:
		asked := &shellhooks.Activation{Key: path + "\nasked " + p.print}
		if active != nil && active.Key == asked.Key {
			return asked, nil
		}
		return asked, (&failure{err: fmt.Errorf("%s is not allowed to change this shell", path), code: 1}).hint("look at it, then `devenv allow`; `devenv deny` says no for good")
	case err != nil:
		return nil, err
	}
	return a.allowed(ctx, p, active)
}

// allowed is the activation of a project that may have one. What failed is not
// tried again at every change of directory: it may have been the network.
func (a *activation) allowed(ctx context.Context, p *inspected, active *shellhooks.Activation) (*shellhooks.Activation, error) {
	const failed = " failed"
	inputs := p.state(p.inputs...)
	key := func() string { return p.path + "\n" + inputs + p.state(p.lock) }
	if before := key(); active != nil && (active.Key == before && allExist(active.Path) || active.Key == before+failed) {
		return active, nil
	}
	dir := filepath.Dir(p.path)
	env, err := a.export(ctx, dir)
	a.watch = slices.DeleteFunc(a.watch, func(w shellhooks.Watched) bool { return w.Path == p.lock })
	a.watch = append(a.watch, shellhooks.Watch(p.lock)...) // it may have been written
	if err != nil {
		old := &shellhooks.Activation{Key: key() + failed}
		if active != nil && strings.HasPrefix(active.Key, p.path+"\n") {
			old.Path, old.Env = active.Path, active.Env
		}
		return old, fmt.Errorf("%w\nhint: `devenv allow` tries again", err)
	}
	path := filepath.SplitList(env["PATH"])
	delete(env, "PATH")
	for name, value := range map[string]string{"DEVENV_NAME": filepath.Base(dir), "DEVENV_PROJECT": dir} {
		if _, ok := env[name]; !ok {
			env[name] = value
		}
	}
	a.u.say("the tools of %s are on PATH", p.path)
	return &shellhooks.Activation{Key: key(), Path: path, Env: env}, nil
}

// direnv prints what `use devenv` evaluates. Trust is direnv's affair, and so is
// the way back.
func (a *activation) direnv(ctx context.Context, dir string) error {
	path, err := projectIn(dir)
	if err != nil {
		return err
	}
	p, err := inspect(path)
	if err != nil {
		return err
	}
	next, err := a.allowed(ctx, p, nil)
	if err != nil {
		return err
	}
	a.u.settle()
	fmt.Fprint(a.u.out, shellhooks.ExportDirenv(shellhooks.Plain(a.now, next), slices.Concat(p.inputs, []string{p.lock})))
	return nil
}

// fresh is the shell's test whether anything that was watched has changed. A
// file that was changed while it was read, or so soon before that its time could
// be the same after the next change, counts as changed.
func (a *activation) fresh(shell shellhooks.Shell, start time.Time) (string, error) {
	files := a.watch
	const grain = 20 * time.Millisecond // longer than the coarsest clock of file systems
	stamps := ""
	for i, f := range files {
		if f.Mtime.IsZero() {
			continue
		}
		if f.Mtime.After(start.Add(-grain)) && f.Mtime.Before(start.Add(time.Second)) {
			files[i].Mtime = start.Add(-grain)
		}
		stamps = "needed"
	}
	if stamps != "" {
		c, err := cache.Open(cache.Dir(os.Getenv))
		if err != nil {
			text, _ := shell.Fresh(nil, "")
			return text, err
		}
		stamps = c.Path(cache.Stamps)
	}
	return shell.Fresh(files, stamps)
}

// candidates are where a devenv.toml for dir could be, up to the first that is.
func candidates(dir string) []string {
	var out []string
	for {
		path := filepath.Join(dir, manifest.FileName)
		out = append(out, path)
		if _, err := os.Stat(path); err == nil || dir == filepath.Dir(dir) {
			return out
		}
		dir = filepath.Dir(dir)
	}
}

func allExist(paths []string) bool {
	return !slices.ContainsFunc(paths, func(p string) bool { _, err := os.Stat(p); return err != nil })
}

func variables(environ []string) map[string]string {
	out := make(map[string]string, len(environ))
	for _, v := range environ {
		if name, value, ok := strings.Cut(v, "="); ok {
			out[name] = value
		}
	}
	return out
}

// state names all that an export depends on, as far as it is in these files.
func (p *inspected) state(files ...string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%q\n", version, os.Getenv("DEVENV_MIRROR"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		fmt.Fprintf(h, "%q %v %q\n", file, err == nil, text)
	}
	for _, f := range shellhooks.Watch(p.decisions...) { // allowed anew: tried anew
		fmt.Fprintln(h, f.Mtime.UnixNano())
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
