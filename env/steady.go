package env

import (
	"slices"
	"time"

	"devenv/env/manifest"
	"devenv/env/sandbox"
)

// grain is longer than the coarsest clock that file systems stamp their files
// with: two changes of a file that are further apart have different times.
const grain = 20 * time.Millisecond

// load reads a manifest whose files can be told from any later version of
// them: an entry plan remembers what stat(2) says of each, and a file that was
// changed just now could be changed again without a difference in that. So
// what is younger than a tick of the clock is read again once it is older.
func load(path string, opt Options) (*manifest.Manifest, error) {
	for {
		start := time.Now()
		m, err := manifest.Load(path, manifest.Options{Getenv: opt.Getenv})
		if err != nil {
			return nil, err
		}
		recent := slices.ContainsFunc(checks(m), func(c sandbox.Check) bool {
			return c.Ino != 0 && c.Ctime > start.Add(-grain).UnixNano() && c.Ctime < start.Add(time.Second).UnixNano()
		})
		if !recent {
			return m, nil
		}
		time.Sleep(grain)
	}
}

// checks is what stat(2) says of every file that a manifest was made from, or
// would have been.
func checks(m *manifest.Manifest) []sandbox.Check {
	out := make([]sandbox.Check, len(m.Inputs))
	for i, in := range m.Inputs {
		out[i] = sandbox.Stat(in.Path)
	}
	return out
}
