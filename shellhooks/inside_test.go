package shellhooks

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// demo is a session like those of real environments. PATH must have what the
// tests type.
func demo() Session {
	return Session{
		Name: "demo", Project: "/srv/demo",
		Path:    []string{"/usr/local/bin", "/usr/bin", "/bin"},
		Env:     []KV{{"CC", "gcc"}, {"GREETING", "it's $HOME \"and\" `more`\\"}, {"PATH", "not this way"}, {"UID", "7"}},
		Aliases: []Alias{{"b", "echo built"}, {"odd", `echo "it's"`}},
		OnEnter: []string{"entered=yes; echo welcome"},
	}
}

// home makes a home directory from file names and contents.
func home(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "home [x]-*-") // a name that patterns would misread
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 50 { // a shell that was killed may still write its history
			if os.RemoveAll(dir) == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	write(t, dir, files)
	// where this is missing fish makes it, in the background
	if err := os.MkdirAll(filepath.Join(dir, ".local/share/fish/generated_completions"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func need(t *testing.T, programs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("real shells are left out with -short")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs %s: %v", p, err)
		}
	}
}

// etc makes what /etc is inside: the host's, as far as shells care, with the
// files of the start.
func etc(t *testing.T, files []File) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "etc")
	for _, name := range []string{"bash.bashrc", "profile", "passwd", "group", "nsswitch.conf", "ld.so.cache", "os-release"} {
		if data, err := os.ReadFile("/etc/" + name); err == nil {
			write(t, dir, map[string]string{name: string(data)})
		}
	}
	for _, name := range []string{"zsh", "fish", "profile.d"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS("/etc/"+name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "alternatives"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, dir, files)
	return dir
}

// put writes the files of a start into its Etc.
func put(t *testing.T, dir string, files []File) {
	t.Helper()
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		data := f.Data
		if f.After {
			theirs, err := os.ReadFile(path)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			data = append(theirs, data...)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// inside is the command that starts a shell as an environment would, with /etc
// of its own.
func inside(t *testing.T, s Session, home, shell string, args ...string) *exec.Cmd {
	t.Helper()
	need(t, "bwrap", shell)
	path, err := exec.LookPath(shell)
	if err != nil {
		t.Fatal(err)
	}
	start := Enter(path, s)
	argv := append([]string{"bwrap", "--die-with-parent", "--dev-bind", "/", "/", "--ro-bind", etc(t, start.Files), "/etc", "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--chdir", "/", "--"}, start.Argv...)
	cmd := exec.Command(argv[0], append(argv[1:], args...)...)
	cmd.Env = environ(s, start, home)
	return cmd
}

// environ is what the entry sets, and little else.
func environ(s Session, start Start, home string) []string {
	env := map[string]string{"HOME": home, "TERM": "xterm", "LANG": "C.UTF-8", "USER": "u", "DEVENV_NAME": s.Name, "DEVENV_PROJECT": s.Project}
	for _, v := range s.Env {
		env[v.Key] = v.Value
	}
	env["PATH"] = strings.Join(s.Path, ":")
	for _, v := range start.Env {
		env[v.Key] = v.Value
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, k+"="+env[k])
	}
	return out
}

func sorted(lines string) string {
	all := strings.Split(lines, "\n")
	slices.Sort(all)
	return strings.Join(all, "\n")
}
