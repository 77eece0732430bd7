package shellhooks

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// evaluators are commands that evaluate the file $0's argument in a shell, and
// then print the variables, each behind its name and before a NUL.
var evaluators = map[string][]string{
	"bash":    {"bash", "-c", `. "$1"; exec env -0`, "-"},
	"zsh":     {"zsh", "-fc", `. "$1"; exec env -0`, "-"},
	"dash":    {"dash", "-c", `. "$1"; exec env -0`, "-"},
	"busybox": {"busybox", "sh", "-c", `. "$1"; exec env -0`, "-"},
	"fish":    {"fish", "--no-config", "-c", `source $argv[1]; exec env -0`},
}

// evaluated is what the variables are after a shell evaluated a text.
func evaluated(t *testing.T, shell, text string, env ...string) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	argv := append(evaluators[shell], file)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir()}, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v\n%s\n%q", shell, err, stderr.Bytes(), text)
	}
	vars := map[string]string{}
	for v := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
	}
	return vars
}

// hard are values that quoting gets wrong first.
func hard() []string {
	values := []string{"", " ", "'", "''", "'''", `\`, `\\`, `\'`, `'\''`, "a\nb\n", "\n", "\r\n", "\t", "$HOME", "`true`", "$(true)", "!x", "!!", "#x", "~", "*", "[a]", "{a,b}", "a;b", "&", "%s %n", "-n", "--", "=", "é", "日本語", "\u00a0", "\u202e", "\ufffd", "\U0010ffff", "\xff", "\xc3", "\xed\xa0\x80", "é\xff'é\\", "\x01\x7f\x1b[31m", "\x80\x81", "\uf8ff\uf600\uf601"}
	all := make([]byte, 255)
	for i := range all {
		all[i] = byte(i + 1)
	}
	values = append(values, string(all), strings.Repeat(string(all), 20))
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		b := make([]byte, r.IntN(40))
		for i := range b {
			if b[i] = byte(1 + r.IntN(255)); r.IntN(3) == 0 {
				b[i] = "'\\$\"`\n!"[r.IntN(7)]
			}
		}
		values = append(values, string(b))
	}
	return values
}

func TestAnyValueComesThrough(t *testing.T) {
	for name := range evaluators {
		for _, locale := range []string{"C", "C.UTF-8"} {
			t.Run(name+" "+locale, func(t *testing.T) {
				t.Parallel()
				need(t, name)
				shell, _ := For(name)
				d := Diff{Before: map[string]string{"GONE": "1", "V1": "old", "7x": "no name of a variable"}, After: map[string]string{"PATH": "/a b:/usr/bin:/ü:'"}}
				for i, v := range hard() {
					d.After[fmt.Sprintf("V%d", i)] = v
					d.After[fmt.Sprintf("LIST%d_PATH", i)] = v
				}
				got := evaluated(t, name, shell.Export(d), "GONE=1", "V1=old", "LC_ALL="+locale)
				for k, want := range d.After {
					if got[k] != want {
						t.Errorf("%s: got %q, want %q", k, got[k], want)
					}
				}
				if _, there := got["GONE"]; there {
					t.Error("GONE is still set")
				}
			})
		}
	}
}

// FuzzQuote has bash, zsh, dash and fish read any value back.
func FuzzQuote(f *testing.F) {
	for _, v := range []string{"", "a\n'\\\"$x", "\xff\xc3é\x01\x7f"} {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		if bytes.IndexByte(value, 0) >= 0 || len(value) > 64<<10 {
			t.Skip("no variable can hold this")
		}
		for name := range evaluators {
			shell, _ := For(name)
			got := evaluated(t, name, shell.Export(Diff{After: map[string]string{"V": string(value)}}))
			if got["V"] != string(value) {
				t.Errorf("%s: got %q, want %q", name, got["V"], value)
			}
		}
	})
}
