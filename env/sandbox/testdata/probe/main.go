// Command probe is the smallest program that enters: tests of package sandbox
// build it with and without the entry as its first instruction.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"devenv/env/sandbox"
	"devenv/env/sandbox/entry"
)

// setup is what a test wants a plan of.
type setup struct {
	Spec    sandbox.Spec
	Home    string
	File    string   // where the plan goes
	Without []string // see sandbox.Abilities

	// Abilities are tried if they are not given, as for an emulator, which does
	// not let us. They are printed.
	Abilities *sandbox.Abilities
}

func main() {
	if !sandbox.WasFirst() && len(os.Args) > 1 && os.Args[1] != "plan" && os.Args[1] != sandbox.ProbeCommand {
		sandbox.Fork(os.Args)
	}
	if sandbox.Ended() {
		sandbox.EndAlike()
	}
	if entry.Failure.Stage != 0 {
		fmt.Fprintf(os.Stderr, "failed here: %+v\n", entry.Failure)
		os.Exit(127)
	}
	switch {
	case len(os.Args) == 3 && os.Args[1] == "plan":
		if err := plan(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case len(os.Args) == 3 && os.Args[1] == sandbox.ProbeCommand:
		if err := sandbox.ProbeHere(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case len(os.Args) > 1 && os.Args[1] == entry.Failed:
		fmt.Fprintln(os.Stderr, "failed elsewhere:", os.Args[2:])
		os.Exit(127)
	default:
		fmt.Fprintln(os.Stderr, "not warm:", os.Args[1:])
		os.Exit(99)
	}
}

func plan(name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var s setup
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	h, err := sandbox.Look(context.Background(), s.Spec.Project, s.Home, func(string) bool { return false })
	if err != nil {
		return err
	}
	if s.Abilities == nil {
		tried, err := sandbox.Probe(context.Background(), s.Spec.Cache, h.Privileged)
		if err != nil {
			return err
		}
		s.Abilities = &tried
	}
	if err := json.NewEncoder(os.Stdout).Encode(s.Abilities); err != nil {
		return err
	}
	if h.Abilities, err = s.Abilities.Without(s.Without...); err != nil {
		return err
	}
	for _, d := range s.Spec.Lower {
		if d == "hosts/h/fs" {
			if err := os.RemoveAll(s.Spec.Cache + "/" + d); err != nil {
				return err
			}
			if err := os.MkdirAll(s.Spec.Cache+"/"+d, 0o755); err != nil {
				return err
			}
			if err := h.Write(s.Spec.Cache + "/" + d); err != nil {
				return err
			}
		}
	}
	p, err := sandbox.Build(s.Spec, h)
	if err != nil {
		return err
	}
	if b, err = p.Encode(); err != nil {
		return err
	}
	return os.WriteFile(s.File, b, 0o644)
}
