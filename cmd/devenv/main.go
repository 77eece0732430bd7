// Command devenv gives a directory the tools that its devenv.toml names, in a
// shell that leaves no trace on the host.
//
// The program's first instruction is package devenv/env/sandbox/entry: on an
// unchanged project "run" and "enter" never come here. What does come here is
// everything that has something to do first.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"

	"golang.org/x/sys/unix"

	"devenv/cache"
	"devenv/env/sandbox"
	"devenv/env/sandbox/entry"
)

// version is set by the linker for a release.
var version = "0.1.0-dev"

// tidy throws away what a command has left in the cache. What fails is left to
// the next program that sweeps.
func tidy() {
	if c, err := cache.Open(cache.Dir(os.Getenv)); err == nil {
		c.Sweep()
	}
}

// memory is what the collector aims not to exceed, in bytes: the heap of a cold
// build is windows of decompressors, and would be let grow to twice of them.
const memory = 150 << 20

func main() {
	if len(os.Args) > 1 && !sandbox.WasFirst() && slices.Contains([]string{"run", "enter", entry.Prepared}, os.Args[1]) {
		sandbox.Fork(os.Args)
	}
	if sandbox.Ended() {
		tidy()
		sandbox.EndAlike()
	}
	u := newUI(os.Stdout, os.Stderr, os.Getenv)
	if entry.Failure.Stage != 0 {
		os.Exit(u.report(failedHere(os.Args)))
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	err := newApp(u).RunContext(ctx, os.Args)
	if err == nil {
		err = u.unwritten()
	}
	code := u.report(err)
	stop()
	os.Exit(code)
}
