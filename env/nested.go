package env

import (
	"errors"
	"fmt"
	"os"

	"devenv/env/sandbox"
	"devenv/shellhooks"
)

// NestedError says that an environment cannot be entered from inside another
// one, where the cache can only be read.
type NestedError struct {
	Outer string // the project that one is inside of
	Dir   string // the one that was to be entered
	Plain bool   // it would have to be built or planned first; else options were asked for
}

func (e *NestedError) Error() string {
	if e.Plain {
		return fmt.Sprintf("the environment of %s has not been entered yet as it is now, and inside another one the cache can only be read\nhint: leave the environment of %s, run `devenv build` in %[1]s, and come back", e.Dir, e.Outer)
	}
	return fmt.Sprintf("inside another environment only `run` and `enter` without options work\nhint: leave the environment of %s first", e.Outer)
}

// Nested gives the plan for an entry from inside another environment: the one
// that was kept on the host. It is "" if one is on the host.
func (p *Project) Nested(e Entry) (file string, err error) {
	outer := p.opt.Getenv("DEVENV_PROJECT")
	if outer == "" || !p.Cache.ReadOnly() {
		return "", nil
	}
	if !e.plain() {
		return "", &NestedError{Outer: outer, Dir: p.Dir}
	}
	file = p.Cache.Plan(sandbox.FileName(p.Dir))
	plan, err := os.ReadFile(file)
	if err == nil && !sandbox.FreshInside(plan, append([]string{"SHELL"}, shellhooks.Personal...)) {
		err = errors.New("stale")
	}
	if err != nil {
		return "", &NestedError{Outer: outer, Dir: p.Dir, Plain: true}
	}
	return file, nil
}
