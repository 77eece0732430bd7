package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"devenv-mirror": func() { os.Exit(run(context.Background(), os.Args, os.Stdout, os.Stderr)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			// Where the command is, for scripts that change PATH.
			first, _, _ := strings.Cut(e.Getenv("PATH"), string(filepath.ListSeparator))
			e.Setenv("EXE", first)
			bin, err := filepath.Glob(filepath.Join(e.WorkDir, "bin", "*"))
			for _, f := range bin {
				if err := os.Chmod(f, 0o755); err != nil {
					return err
				}
			}
			return err
		},
	})
}

// The URL comes first on standard output, and the end of the context ends the
// server.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stdout, w := io.Pipe()
	ended := make(chan int)
	go func() { ended <- run(ctx, []string{"devenv-mirror", "serve", dir, "--rate", "1MB/s"}, w, io.Discard) }()
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(strings.TrimSpace(url) + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "content" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"--help"}, 0},
		{[]string{"nonsense"}, 2},
		{[]string{"from-debian"}, 2},
		{[]string{"from-debian", "x", "--nonsense"}, 2},
		{[]string{"--nonsense"}, 2},
		{[]string{"serve", t.TempDir() + "/none"}, 1},
	} {
		if got := run(t.Context(), append([]string{"devenv-mirror"}, c.args...), io.Discard, io.Discard); got != c.want {
			t.Errorf("%q: exit code %d, want %d", c.args, got, c.want)
		}
	}
}

func TestParseRate(t *testing.T) {
	for s, want := range map[string]int64{"": 0, "50MB/s": 50e6, "500kB/s": 500e3, "1.5G": 1.5e9, "100": 100, "2k/s": 2000} {
		if got, err := parseRate(s); got != want || err != nil {
			t.Errorf("%q: %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"fast", "-1", "0", "5XB/s", "B/s"} {
		if _, err := parseRate(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}
