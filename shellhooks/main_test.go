package shellhooks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the test binary be the devenv that a hook calls.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "_export" {
		if err := export(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// export does what devenv does, for projects whose devenv.toml holds the value
// of a variable. TEST_DIR is where it keeps things, among them a list of calls.
func export(name string) error {
	keep := os.Getenv("TEST_DIR")
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(keep, "calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	fmt.Fprintln(log, dir)
	log.Close()

	now := map[string]string{}
	for _, v := range os.Environ() {
		k, value, _ := strings.Cut(v, "=")
		now[k] = value
	}
	var next *Activation
	var watch []string
	for d := dir; next == nil; d = filepath.Dir(d) {
		file := filepath.Join(d, "devenv.toml")
		watch = append(watch, file)
		if text, err := os.ReadFile(file); err == nil {
			next = &Activation{Key: file + string(text), Path: []string{filepath.Join(d, "tools")}, Env: map[string]string{"VALUE": string(text)}}
		}
		if d == filepath.Dir(d) {
			break
		}
	}
	shell, _ := For(name)
	diff, err := Switch(now, next)
	if err != nil {
		return err
	}
	fresh, err := shell.Fresh(Watch(watch...), filepath.Join(keep, "stamps"))
	fmt.Print(shell.Export(diff), fresh)
	return err
}
