package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// place is where one test lives: a home, a project, and the variables that a
// person's shell would have. All places of a test program share one cache.
type place struct {
	t             *testing.T
	dir           string // all of it lies here, but for the cache
	home, project string
	env           []string
	cwd           string // project, if it is not said otherwise
}

// everyone runs a test as whoever runs the tests, and where that is root as an
// unprivileged user, too.
func everyone(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if os.Getenv(again) != "" {
		test(t)
		return
	}
	if os.Getuid() != 0 {
		test(t)
		return
	}
	if asNobody(t) {
		return
	}
	test(t)
}

var sharedCache = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp(tempRoot(), "cache-")
	return dir, err
})

// tempRoot is a directory that is removed at the end, whatever the test does.
func tempRoot() string {
	if os.Getenv(again) != "" {
		return os.TempDir()
	}
	return shared.dir
}

// newPlace makes a project of these packages, from the small mirror.
func newPlace(t *testing.T, packages ...string) *place {
	t.Helper()
	cache, err := sharedCache()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := placeAt(t, dir, dir+"/project", packages...)
	p.env = append(p.env, "DEVENV_CACHE_DIR="+cache)
	return p
}

// placeAt is newPlace with the project in that directory, and the cache below
// the home.
func placeAt(t *testing.T, dir, project string, packages ...string) *place {
	t.Helper()
	p := &place{t: t, dir: dir, home: dir + "/home", project: project, cwd: project}
	p.env = []string{"HOME=" + p.home, "PATH=" + os.Getenv("PATH"), "TERM=xterm", "NO_COLOR=1", "SHELL=/bin/sh"}
	p.write(p.home+"/.config/devenv/config.toml", mirrorConfig(shared.mirror))
	toml := "[packages]\n"
	for _, name := range packages {
		toml += name + " = \"*\"\n"
	}
	p.write(p.project+"/devenv.toml", toml)
	return p
}

// mirrorConfig is the user's own file for a mirror without signatures.
func mirrorConfig(mirror string) string {
	return fmt.Sprintf("base = [\"busybox\"]\n[mirrors]\nservers = [\"%s/$repo/os/$arch\"]\narchive = \"%[1]s/archive\"\nrepos = [\"core\"]\nsiglevel = \"never\"\n", mirror)
}

func (p *place) write(path, text string) {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// set puts further variables into the environment; a bare name is taken out.
func (p *place) set(vars ...string) {
	for _, v := range vars {
		name, _, isSet := strings.Cut(v, "=")
		kept := p.env[:0:0]
		for _, e := range p.env {
			if n, _, _ := strings.Cut(e, "="); n != name {
				kept = append(kept, e)
			}
		}
		if p.env = kept; isSet {
			p.env = append(p.env, v)
		}
	}
}

func (p *place) command(args ...string) *exec.Cmd {
	cmd := exec.Command(shared.devenv, args...)
	cmd.Dir, cmd.Env = p.cwd, p.env
	return cmd
}

// host is a command of the host's own in the same place.
func (p *place) host(args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = p.cwd, p.env
	return cmd
}

// result is what a caller of devenv sees.
type result struct {
	out, err string
	code     int
}

func (r result) String() string { return fmt.Sprintf("exit %d\n%s%s", r.code, r.out, r.err) }

func resultOf(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, words bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	cmd.Stderr = &words
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd.Args[:min(len(cmd.Args), 8)], err)
	}
	return result{out.String(), withoutWarning(words.String()), cmd.ProcessState.ExitCode()}
}

// withoutWarning takes out what is said of the small mirror, which signs nothing.
func withoutWarning(words string) string {
	return strings.ReplaceAll(words, "warning: signatures of packages of core are not checked (siglevel = \"never\")\n", "")
}

func (p *place) try(args ...string) result {
	p.t.Helper()
	return resultOf(p.t, p.command(args...))
}

// must runs devenv and gives what it printed, without the last newline. The
// second and later entries are warm.
func (p *place) must(args ...string) string {
	p.t.Helper()
	r := p.try(args...)
	if r.code != 0 {
		p.t.Fatalf("devenv %s: %v", strings.Join(args, " "), r)
	}
	return strings.TrimSuffix(r.out, "\n")
}

// sh runs a script inside.
func (p *place) sh(script string, args ...string) string {
	p.t.Helper()
	return p.must(append([]string{"run", "--", "sh", "-c", script, "sh"}, args...)...)
}

// entries are the ways in that must not differ to the command: warm, and the
// fallbacks, each forced.
var entries = []struct {
	name  string
	flags []string
}{
	{"warm", nil},
	{"no overlay", []string{"--without", "overlay"}},
	{"no xattr", []string{"--without", "xattr"}},
	{"no pid namespace", []string{"--without", "pidns"}},
	{"nothing but a user namespace", []string{"--without", "overlay", "--without", "xattr", "--without", "pidns"}},
	{"natively", []string{"--native"}},
}

// eachEntry runs a test for every way in. run makes the arguments of devenv
// for a command.
func eachEntry(t *testing.T, p *place, test func(t *testing.T, p *place, run func(words ...string) []string)) {
	p.must("run", "--", "true")
	for _, e := range entries {
		t.Run(e.name, func(t *testing.T) {
			q := *p
			q.t = t
			test(t, &q, func(words ...string) []string {
				return append(append(append([]string{"run"}, e.flags...), "--"), words...)
			})
		})
	}
}
