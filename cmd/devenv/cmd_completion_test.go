package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

func TestCompleteAnswers(t *testing.T) {
	p := newPlace(t)
	for _, c := range []struct {
		words string // one a blank; the last is being written
		want  string // words without descriptions, or another answer
	}{
		{"hoo", "hook"},
		{"", "*"},
		{"--qu", "--quiet"},
		{"-C", ""},
		{"-C ", "directories"},
		{"--directory ", "directories"},
		{"-C sub hoo", "hook"},
		{"--directory=sub hoo", "hook"},
		{"hook z", "zsh"},
		{"hook ", "bash direnv fish sh zsh"},
		{"completion ", "bash fish zsh"},
		{"run bu", "build"},
		{"-C / run bu", ""},
		{"-C sub run bu", "build"},
		{"run --no-n", "--no-network"},
		{"run --pure bu", "build"},
		{"run -- gcc ", "command 2"},
		{"run --pure make -j", "command 2"},
		{"run make -- ", "command 1"},
		{"remove ", "make"},
		{"remove x", ""},
		{"allow ", "directories"},
		{"nosuch ", ""},
		{"cache ", "*"},
		{"lock --che", "--check"},
	} {
		out := p.must("devenv", append([]string{"_complete"}, strings.Split(c.words, " ")...)...)
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		got := lines[0]
		if got == "words" {
			var words []string
			for _, l := range lines[1:] {
				word, _, ok := strings.Cut(l, "\t")
				if !ok || strings.HasPrefix(word, "_") {
					t.Errorf("%q: %q", c.words, l)
				}
				words = append(words, word)
			}
			got = strings.Join(words, " ")
		}
		if c.want == "*" && strings.Count(got, " ") > 1 {
			continue
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.words, got, c.want)
		}
	}
}

// typed are the words that a command line in a real shell has after a tabulator,
// and END, which is typed next: on its own or as part of the last word.
func typed(t *testing.T, p *place, shell string, args []string, text string) string {
	t.Helper()
	cmd := exec.Command(shell, args...)
	cmd.Dir, cmd.Env = p.project, append(p.env(), "INPUTRC=/dev/null")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 200})
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	defer cmd.Wait()
	defer cmd.Process.Kill()
	var mu sync.Mutex
	var screen strings.Builder
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := tty.Read(b)
			mu.Lock()
			screen.Write(b[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	wait := func(what string, cond func() bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !cond(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				mu.Lock()
				defer mu.Unlock()
				t.Fatalf("%s: no %s:\n%q", text, what, screen.String())
			}
		}
	}
	wait("prompt", func() bool { mu.Lock(); defer mu.Unlock(); return strings.Contains(screen.String(), "ready> ") })
	// The line is not run: printf is put before it, which shows its words.
	line := filepath.Join(p.home, "line")
	os.Remove(line)
	io.WriteString(tty, text+"\tEND\x01printf '%s|' \x05 > "+strings.ReplaceAll(line, " ", "\\ ")+"\r")
	wait("answer", func() bool { b, _ := os.ReadFile(line); return strings.HasSuffix(string(b), "|") })
	b, err := os.ReadFile(line)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(b), "|")
}

func TestCompletionInRealShells(t *testing.T) {
	if testing.Short() {
		t.Skip("real shells are left out with -short")
	}
	for _, shell := range []string{"bash", "bash with bash-completion", "zsh"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			program, with, _ := strings.Cut(shell, " ")
			if _, err := exec.LookPath(program); err != nil {
				t.Skipf("needs %s: %v", program, err)
			}
			p := newPlace(t)
			p.write("src/it's here/some file", "")
			rc := "PS1='ready> '\n"
			args := []string{"--noprofile", "--rcfile", filepath.Join(p.home, ".bashrc")}
			if with != "" {
				const lib = "/usr/share/bash-completion/bash_completion"
				if _, err := os.Stat(lib); err != nil {
					t.Skipf("needs bash-completion: %v", err)
				}
				rc += ". " + lib + "\n"
			}
			if program == "zsh" {
				args = nil
				rc += "bindkey -e; autoload -Uz compinit; compinit -u -D\n"
			}
			rc += `eval "$(devenv completion ` + program + ")\"\n"
			p.write(".bashrc", rc)
			p.write(".zshrc", rc)
			for text, want := range map[string]string{
				"devenv hoo":                    "devenv|hook|END",
				"devenv hook zs":                "devenv|hook|zsh|END",
				"devenv -C sub run bui":         "devenv|-C|sub|run|build|END",
				"devenv --directory=sub hoo":    "devenv|--directory=sub|hook|END",
				"devenv run -- ls /usr/shar":    "devenv|run|--|ls|/usr/share/END",
				"devenv run cat some":           "devenv|run|cat|some file|END",
				"devenv lock --che":             "devenv|lock|--check|END",
				p.home + "/bin/devenv allow su": p.home + "/bin/devenv|allow|sub/END",
			} {
				if got := typed(t, p, program, args, text); got != want {
					t.Errorf("%q became %q, want %q", text, got, want)
				}
			}
		})
	}
	t.Run("fish", func(t *testing.T) {
		t.Parallel()
		if _, err := exec.LookPath("fish"); err != nil {
			t.Skipf("needs fish: %v", err)
		}
		p := newPlace(t)
		p.write("src/it's here/some file", "")
		for text, want := range map[string]string{
			"devenv hoo":                 "hook",
			"devenv hook ":               "bash direnv fish sh zsh",
			"devenv -C sub run bui":      "build",
			"devenv run -- ls /usr/shar": "/usr/share/",
			"devenv run cat some":        "some file",
			"devenv lock --che":          "--check",
			"devenv allow su":            "sub/",
		} {
			out := p.must("fish", "-c", "devenv completion fish | source; complete --do-complete $argv", text)
			var words []string
			for line := range strings.Lines(out) {
				word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
				words = append(words, word)
			}
			if got := strings.Join(words, " "); got != want {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		}
	})
}
