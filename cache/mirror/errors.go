package mirror

import (
	"errors"
	"fmt"
	"strings"

	"devenv/layers/alpm"
)

// NoDayError says that the archive has no repositories of a day, and which days
// near it it has.
type NoDayError struct {
	Day     string
	Archive string
	Before  string // the nearest day before that there is; empty: none
	After   string // the nearest day after; empty: none
	Known   bool   // the archive's days could be listed
}

func (e *NoDayError) Error() string {
	switch {
	case !e.Known:
		return fmt.Sprintf("the archive %s has no repositories of %s, and does not list its days: try the day before or after", e.Archive, e.Day)
	case e.Before == "" && e.After == "":
		return fmt.Sprintf("the archive %s keeps no days at all: is it an archive?", e.Archive)
	case e.Before == "":
		return fmt.Sprintf("the archive %s no longer keeps %s: its first day is %s; name that day or a later one, or pin single packages, which are kept for longer", e.Archive, e.Day, e.After)
	case e.After == "":
		return fmt.Sprintf("the archive %s has not got %s yet: its last day is %s", e.Archive, e.Day, e.Before)
	}
	return fmt.Sprintf("the archive %s has no repositories of %s: the nearest days are %s and %s", e.Archive, e.Day, e.Before, e.After)
}

// NoRepoError says that a repository does not exist, today or on a day.
type NoRepoError struct {
	Repo string
	Arch string
	Day  string
	Has  []string // what that day has instead, where it could be listed
	Err  error
}

func (e *NoRepoError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "there is no repository %s for %s", e.Repo, e.Arch)
	if e.Day != "" {
		fmt.Fprintf(&b, " on %s", e.Day)
	}
	if len(e.Has) > 0 {
		fmt.Fprintf(&b, "; there are %s", strings.Join(e.Has, ", "))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	b.WriteString("; look at repos and servers under [mirrors] in devenv.toml")
	return b.String()
}

func (e *NoRepoError) Unwrap() error { return e.Err }

// DamagedError says that every place gave a damaged file. None of them was kept.
type DamagedError struct {
	What string
	URL  string // the last
	Err  error
}

func (e *DamagedError) Error() string {
	if errors.As(e.Err, new(*alpm.UnreadError)) {
		return fmt.Sprintf("%s from %s cannot be read: %v", e.What, e.URL, e.Err)
	}
	return fmt.Sprintf("%s from %s is damaged and was thrown away: %v; try again later, or name another server under [mirrors] in devenv.toml", e.What, e.URL, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }
