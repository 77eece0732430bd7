package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"devenv/env/manifest"
	"devenv/shellhooks"
)

func (u *ui) allowCommand() *cli.Command {
	return &cli.Command{
		Name:      "allow",
		Usage:     "let the hook use a project, as it is now",
		UsageText: "devenv allow [DIR]",
		Description: examples(
			"devenv allow                 after a look at devenv.toml; again when it or what it includes has changed",
			"devenv allow ~/src/thing     a project elsewhere"),
		Action: func(c *cli.Context) error {
			path, err := chosen(c)
			if err != nil {
				return err
			}
			p, err := inspect(path)
			if err != nil {
				return err
			}
			if err := shellhooks.Allow(p.store, path, p.print); err != nil {
				return err
			}
			u.say("%s is allowed", path)
			return nil
		},
	}
}

func (u *ui) denyCommand() *cli.Command {
	return &cli.Command{
		Name:        "deny",
		Usage:       "keep the hook from using a project, whatever it says",
		UsageText:   "devenv deny [DIR]",
		Description: examples("devenv deny                  until `devenv allow`"),
		Action: func(c *cli.Context) error {
			path, err := chosen(c)
			if err != nil {
				return err
			}
			store, err := decisions()
			if err != nil {
				return err
			}
			if err := shellhooks.Deny(store, path); err != nil {
				return err
			}
			u.say("%s is denied", path)
			return nil
		},
	}
}

// chosen is the devenv.toml that the command is about.
func chosen(c *cli.Context) (string, error) {
	if c.NArg() > 1 {
		return "", misuse("%s takes one directory", c.Command.Name)
	}
	return projectIn(c.Args().First())
}

// projectIn is the devenv.toml for dir; "" is the working directory.
func projectIn(dir string) (string, error) {
	dir, err := realDir(dir)
	if err != nil {
		return "", misuse("%w", err)
	}
	return manifest.Find(dir)
}

// realDir is the absolute path of dir without symbolic links.
func realDir(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

func decisions() (string, error) {
	dir := shellhooks.AllowDir(os.Getenv)
	if dir == "" {
		return "", errors.New("no place to keep decisions: neither XDG_DATA_HOME nor HOME is set: set HOME to your home directory")
	}
	return dir, nil
}

// inspected is a project as far as trust and change go.
type inspected struct {
	path      string   // devenv.toml
	inputs    []string // every file that has a say, or would have if it were there
	files     []string // those of them that are not the user's own configuration: what is trusted
	lock      string
	print     string // fingerprint of files
	store     string // where decisions are kept
	decisions []string
	decision  shellhooks.Decision
}

func (p *inspected) watch() []string {
	return slices.Concat(p.inputs, []string{p.lock}, p.decisions)
}

// inspect reads a project. With an error in what devenv.toml says, the rest of
// the answer is about that file alone.
func inspect(path string) (*inspected, error) {
	p := &inspected{path: path, files: []string{path}, inputs: []string{path}, lock: filepath.Join(filepath.Dir(path), "devenv.lock")}
	var err error
	if p.store, err = decisions(); err != nil {
		return p, err
	}
	m, faulty := manifest.Load(path, manifest.Options{Getenv: os.Getenv})
	if faulty == nil {
		p.add(m.Inputs)
	}
	if p.print, err = shellhooks.Fingerprint(p.files...); err != nil {
		return p, fmt.Errorf("%w", errors.Join(faulty, err))
	}
	p.decisions = shellhooks.Decisions(p.store, path, p.print)
	p.decision = shellhooks.Decided(p.store, path, p.print)
	return p, faulty
}

// add notes the files behind a manifest, in an order that does not change. What
// lies in the user's own configuration needs no trust.
func (p *inspected) add(inputs []manifest.Input) {
	for _, in := range inputs {
		p.inputs = append(p.inputs, in.Path)
	}
	slices.Sort(p.inputs)
	p.inputs = slices.Compact(p.inputs)
	own, err := os.UserConfigDir()
	for _, f := range p.inputs {
		rel, outside := filepath.Rel(filepath.Join(own, "devenv"), f)
		if f != p.path && (err != nil || outside != nil || !filepath.IsLocal(rel)) {
			p.files = append(p.files, f)
		}
	}
}

// keepAllowed is called before devenv itself changes the files of the working
// directory's project: what is returned, called afterwards, allows it again if
// it was allowed before.
func keepAllowed() func() error {
	nothing := func() error { return nil }
	path, err := projectIn("")
	if err != nil {
		return nothing
	}
	if before, err := inspect(path); err != nil || before.decision != shellhooks.Allowed {
		return nothing
	}
	return func() error {
		after, err := inspect(path)
		if err != nil {
			return err
		}
		return shellhooks.Allow(after.store, path, after.print)
	}
}
