package main

import (
	"encoding/json"
	"errors"

	"devenv/cache/mirror"
	"devenv/env"
	"devenv/env/lock"
	"devenv/env/manifest"
	"devenv/env/resolve"
)

// exitCode is 2 for what the caller must write otherwise, 1 for what failed.
func exitCode(err error) int {
	var (
		f        *failure
		bad      *manifest.Error
		many     manifest.Errors
		unknown  *resolve.NotFound
		unlocked *env.UnknownPackageError
		day      *mirror.NoDayError
	)
	switch {
	case errors.As(err, &f):
		return f.code
	case errors.As(err, &bad), errors.As(err, &many),
		errors.Is(err, lock.ErrForeign), errors.As(err, &unknown), errors.As(err, &unlocked), errors.As(err, &day):
		return 2
	}
	return 1
}

// reportJSON prints an error that has a form as data. It reports false for one
// that has none.
func (u *ui) reportJSON(err error) bool {
	out := map[string]any{"error": err.Error()}
	var conflict *resolve.Conflict
	var unknown *resolve.NotFound
	switch {
	case errors.As(err, &conflict):
		out["conflict"] = conflict
	case errors.As(err, &unknown):
		out["unknown"] = unknown.Names
	default:
		return false
	}
	e := json.NewEncoder(u.err)
	e.SetIndent("", "  ")
	return e.Encode(out) == nil
}
