package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"devenv/shellhooks"
)

// asProgram lets the test binary be devenv, as hooks and completion scripts call
// it, with an exporter that needs no packages.
const asProgram = "DEVENV_TEST_AS_PROGRAM"

func init() {
	if os.Getenv(asProgram) == "" {
		return
	}
	u := newUI(os.Stdout, os.Stderr, os.Getenv)
	app := newApp(u)
	ours := u.shellCommands(exportForTests)
	app.Commands = slices.DeleteFunc(app.Commands, func(c *cli.Command) bool {
		return slices.ContainsFunc(ours, func(o *cli.Command) bool { return o.Name == c.Name })
	})
	app.Commands = append(app.Commands, ours...)
	os.Exit(u.report(app.RunContext(context.Background(), os.Args)))
}

// exportForTests knows a project's tools, and the variable that its file named
// value holds. It fails where there is a file named broken.
func exportForTests(_ context.Context, dir string) (map[string]string, error) {
	f, err := os.OpenFile(filepath.Join(os.Getenv("HOME"), "exports"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	f.WriteString(dir + "\n")
	if _, err := os.Stat(filepath.Join(dir, "broken")); err == nil {
		return nil, errors.New("no network")
	}
	text, err := os.ReadFile(filepath.Join(dir, "value"))
	return map[string]string{"PATH": filepath.Join(dir, "tools"), "VALUE": strings.TrimSpace(string(text))}, err
}

// place is a home directory with a project, and devenv on PATH.
type place struct {
	t              *testing.T
	home, project  string
	stdout, stderr string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, home: home, project: filepath.Join(home, "src/it's here")}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p.write("bin/.keep", "")
	if err := os.Symlink(self, filepath.Join(home, "bin/devenv")); err != nil {
		t.Fatal(err)
	}
	p.write("src/it's here/devenv.toml", "[packages]\nmake = \"*\"\n[tasks]\nbuild = \"make\"\n")
	p.write("src/it's here/value", "1")
	p.write("src/it's here/tools/tool", "#!/bin/sh\necho tool\n")
	p.write("src/it's here/sub/x", "")
	return p
}

func (p *place) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		p.t.Fatal(err)
	}
	old := time.Now().Add(-time.Minute) // else it counts as changed just now
	if err := os.Chtimes(path, old, old); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) env() []string {
	return []string{"HOME=" + p.home, "PATH=" + p.home + "/bin:/usr/bin:/bin", "VALUE=before", "TERM=dumb", "LANG=C.UTF-8", asProgram + "=1", "GORACE=atexit_sleep_ms=0"}
}

// run runs a command in the project.
func (p *place) run(name string, args ...string) error {
	p.t.Helper()
	path := name
	if name == "devenv" {
		path = filepath.Join(p.home, "bin/devenv")
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env = p.project, p.env()
	var out, err strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &err
	failed := cmd.Run()
	p.stdout, p.stderr = out.String(), err.String()
	return failed
}

func (p *place) must(name string, args ...string) string {
	p.t.Helper()
	if err := p.run(name, args...); err != nil {
		p.t.Fatalf("%s %q: %v\n%s", name, args, err, p.stderr)
	}
	return p.stdout
}

func (p *place) exports() int {
	b, err := os.ReadFile(filepath.Join(p.home, "exports"))
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	return strings.Count(string(b), "\n")
}

// session is what a bash with the hook says and shows; show stands for a prompt.
func (p *place) session(lines ...string) string {
	p.t.Helper()
	script := "exec 2>&1\neval \"$(devenv hook bash)\"\n" +
		"show() { __devenv_hook; echo \"[$VALUE] ${PATH//$HOME/\\~}\"; }\n" + strings.Join(lines, "\n")
	return strings.ReplaceAll(p.must("bash", "-c", script), p.home, "~")
}

const (
	outside = "[before] ~/bin:/usr/bin:/bin\n"
	within  = "[1] ~/src/it's here/tools:~/bin:/usr/bin:/bin\n"
	notYet  = "devenv: ~/src/it's here/devenv.toml is not allowed to change this shell\nhint: look at it, then `devenv allow`; `devenv deny` says no for good\n"
	said    = "devenv: the tools of ~/src/it's here/devenv.toml are on PATH\n"
)

func (p *place) expect(got string, want ...string) {
	p.t.Helper()
	if w := strings.Join(want, ""); got != w {
		p.t.Errorf("got:\n%s\nwant:\n%s", got, w)
	}
}

func TestHookAsksOnceForTrust(t *testing.T) {
	p := newPlace(t)
	p.expect(p.session("show", "show", "cd sub; show", "cd /; show", `cd "$OLDPWD/.."; show`),
		notYet, outside, outside, outside, outside, notYet, outside)
	p.must("devenv", "allow")
	p.expect(p.session("show", "cd sub; show; type -t tool", "cd /; show", `cd "$OLDPWD"; show`),
		said, within, within, "file\n", outside, said, within)
	p.must("devenv", "deny")
	p.expect(p.session("show"), outside)
	p.must("devenv", "allow", p.project+"/sub")
	p.expect(p.session("show", `devenv deny; show`, "devenv --quiet allow; show"), said, within, "devenv: ~/src/it's here/devenv.toml is denied\n", outside, said, within)
}

func TestHookFollowsWhatIsTrusted(t *testing.T) {
	p := newPlace(t)
	p.write("src/common.toml", "[packages]\ncmake = \"*\"\n")
	p.write("src/it's here/devenv.toml", "include = [\"../common.toml\"]\n")
	p.must("devenv", "allow")
	p.expect(p.session("show", "echo '[env]' >> ../common.toml; show", "devenv --quiet allow; show", "echo '[env]' > devenv.local.toml; show"),
		said, within, notYet, outside, said, within, notYet, outside)
	p.write(".config/devenv/config.toml", "[env]\n")
	if err := os.Remove(filepath.Join(p.project, "devenv.local.toml")); err != nil {
		t.Fatal(err)
	}
	p.expect(p.session("show", "echo 2 > value; echo 'A = \"1\"' >> ~/.config/devenv/config.toml; show"),
		said, within, said, strings.Replace(within, "1", "2", 1))
}

func TestHookKeepsToolsWhileEditing(t *testing.T) {
	p := newPlace(t)
	p.must("devenv", "allow")
	got := p.session("show", "cp devenv.toml good; echo 'make = ' >> devenv.toml; show", "cp -p good devenv.toml; show")
	if !strings.HasPrefix(got, said+within) || !strings.HasSuffix(got, within) || strings.Contains(got, outside) || !strings.Contains(got, "devenv.toml:5") {
		t.Errorf("%s", got)
	}
}

func TestHookDoesNotTryAgainAndAgain(t *testing.T) {
	p := newPlace(t)
	p.must("devenv", "allow")
	p.write("src/it's here/broken", "")
	broken := "devenv: no network\nhint: `devenv allow` tries again\n"
	p.expect(p.session("show", "cd sub; show", "cd ..; show", "rm broken; devenv --quiet allow; show"), broken, outside, outside, outside, said, within)
	if n := p.exports(); n != 2 {
		t.Errorf("%d attempts", n)
	}
	// what was there before stays until what replaces it is there
	p.expect(p.session("show", "touch broken devenv.lock; show", "cd sub; show", "cd /; show"), said, within, broken, within, within, outside)
}

func TestHookKnowsAnUnchangedProject(t *testing.T) {
	p := newPlace(t)
	p.must("devenv", "allow")
	p.expect(p.session("show", "cd sub; show", "cd ..; show", "touch devenv.toml; show", "mv tools t; touch devenv.toml; show; mv t tools"), said, within, within, within, within, said, within)
	if n := p.exports(); n != 2 {
		t.Errorf("%d exports; the second is for tools that were gone", n)
	}
}

func TestHookInsideAnEnvironment(t *testing.T) {
	p := newPlace(t)
	p.must("devenv", "allow")
	out := p.must("bash", "-c", `export DEVENV_PROJECT=/p; eval "$(devenv hook bash)"; type -t __devenv_hook; echo "$PATH"`)
	if out != p.home+"/bin:/usr/bin:/bin\n" {
		t.Errorf("%s", out)
	}
}

func TestHookCommand(t *testing.T) {
	p := newPlace(t)
	for _, shell := range append(shellhooks.Names(), "direnv") {
		if text := p.must("devenv", "--quiet", "hook", shell); !strings.Contains(text, "'--quiet' _export "+shell) {
			t.Errorf("%s: %s", shell, text)
		}
	}
	for _, args := range [][]string{{"hook"}, {"hook", "nosuch"}, {"hook", "bash", "zsh"}, {"allow", "a", "b"}, {"deny", "nowhere"}, {"_export", "x"}, {"completion", "tcsh"}} {
		var exit *exec.ExitError
		if err := p.run("devenv", args...); !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(p.stderr, "devenv: ") || p.stdout != "" {
			t.Errorf("%q: %v %s%s", args, err, p.stdout, p.stderr)
		}
	}
}

func TestKeepAllowed(t *testing.T) {
	p := newPlace(t)
	t.Setenv("HOME", p.home)
	t.Chdir(p.project)
	path := filepath.Join(p.project, "devenv.toml")
	for _, allowed := range []bool{false, true} {
		if allowed {
			p.must("devenv", "allow")
		}
		after := keepAllowed()
		p.write("src/it's here/devenv.toml", "[packages]\ncmake = \"*\"\n")
		if err := after(); err != nil {
			t.Fatal(err)
		}
		state, err := inspect(path)
		if err != nil || (state.decision == shellhooks.Allowed) != allowed {
			t.Errorf("allowed before: %v; after: %d, %v", allowed, state.decision, err)
		}
		p.write("src/it's here/devenv.toml", "[packages]\nmake = \"*\"\n")
	}
}

// The real direnv: variables come, change with devenv.toml, and go.
func TestDirenv(t *testing.T) {
	if _, err := exec.LookPath("direnv"); err != nil {
		t.Skipf("needs direnv: %v", err)
	}
	p := newPlace(t)
	p.write(".config/direnv/direnvrc", `eval "$(devenv hook direnv)"`)
	p.write("src/it's here/.envrc", "use devenv\n")
	p.must("direnv", "allow", ".")
	show := `eval "$(direnv export bash)"; echo "[$VALUE] ${PATH//$HOME/\~}";`
	later := time.Now().Add(time.Hour).Format(time.RFC3339)
	got := p.must("bash", "-c", show+"cd sub;"+show+"cd ..; printf 2 > value; touch -d "+later+" devenv.lock;"+show+"cd /;"+show+`echo "${DEVENV_PROJECT-gone}"`)
	two := strings.Replace(within, "[1]", "[2]", 1)
	p.expect(strings.ReplaceAll(got, p.home, "~"), within, within, two, outside, "gone\n")
	p.write("src/it's here/broken", "")
	p.run("bash", "-c", show)
	if !strings.Contains(p.stderr, "devenv: no network") {
		t.Errorf("%s", p.stderr)
	}
}
