package alpm

import (
	"fmt"
	"slices"
	"strings"
)

// Hook is one file of alpm-hooks(5). A hook without triggers never runs: that
// is how one of the same name is masked, by a link to /dev/null.
type Hook struct {
	Name         string // of the file, with .hook
	Description  string
	When         When
	Exec         []string // the command, split into words
	Depends      []Dep    // what must be installed for it to run
	AbortOnFail  bool
	NeedsTargets bool // it gets what triggered it on standard input, a line each
	Triggers     []Trigger

	Warnings []string // what is odd and yet accepted
}

// When is before or after the packages' files change.
type When uint8

// The two times at which hooks run.
const (
	PreTransaction When = iota + 1
	PostTransaction
)

func (w When) String() string {
	switch w {
	case PreTransaction:
		return "PreTransaction"
	case PostTransaction:
		return "PostTransaction"
	}
	return ""
}

// Trigger says which changes of which packages or paths run a hook.
type Trigger struct {
	Type       TargetType
	Operations Operation // those named, together
	Targets    Patterns
}

// TargetType is what a trigger's targets are.
type TargetType uint8

// Paths are as packages list them: no leading slash, a slash after directories.
const (
	PackageTargets TargetType = iota + 1
	PathTargets
)

// Operation is a set of what can happen to a package or path.
type Operation uint8

// The operations that a trigger can name.
const (
	Install Operation = 1 << iota
	Upgrade
	Remove
)

// Triggered says whether doing op, and nothing else, to these packages and
// paths runs h, and what to write to its standard input if it needs targets.
func (h *Hook) Triggered(op Operation, packages, paths []string) (targets []string, ok bool) {
	for i := range h.Triggers {
		t := &h.Triggers[i]
		if t.Operations&op == 0 {
			continue
		}
		candidates := packages
		if t.Type == PathTargets {
			candidates = paths
		}
		for _, c := range candidates {
			if !t.Targets.Match(c) {
				continue
			}
			if ok = true; !h.NeedsTargets {
				return nil, true
			}
			targets = append(targets, c)
		}
	}
	slices.Sort(targets)
	return slices.Compact(targets), ok
}

// CompareHooks orders the file names of hooks as they run: by name, without
// the suffix.
func CompareHooks(a, b string) int {
	return strings.Compare(strings.TrimSuffix(a, hookSuffix), strings.TrimSuffix(b, hookSuffix))
}

const hookSuffix = ".hook"

// IsHook says whether a file of a hook directory is one, by its name.
func IsHook(file string) bool { return strings.HasSuffix(file, hookSuffix) }

// validate asks of a whole hook what libalpm asks.
func (h *Hook) validate() error {
	if len(h.Triggers) == 0 {
		return nil
	}
	for _, t := range h.Triggers {
		switch {
		case len(t.Targets) == 0:
			return fmt.Errorf("%s: missing trigger targets: add Target = to each [Trigger]", h.Name)
		case t.Type == 0:
			return fmt.Errorf("%s: missing trigger type: add Type = Package or Path to each [Trigger]", h.Name)
		case t.Operations == 0:
			return fmt.Errorf("%s: missing trigger operation: add Operation = to each [Trigger]", h.Name)
		}
	}
	switch {
	case len(h.Exec) == 0:
		return fmt.Errorf("%s: missing Exec option: add it to [Action]", h.Name)
	case h.When == 0:
		return fmt.Errorf("%s: missing When option: add PreTransaction or PostTransaction to [Action]", h.Name)
	case h.When != PreTransaction && h.AbortOnFail:
		h.Warnings = append(h.Warnings, fmt.Sprintf("%s: AbortOnFail set for PostTransaction hook", h.Name))
	}
	return nil
}
