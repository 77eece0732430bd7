package env

import (
	"context"

	"devenv/cache/trust"
)

// Keyring is what packages of the first repository are verified with, and how
// much they must prove; nil where they need not prove anything.
func (p *Project) Keyring(ctx context.Context) (*trust.Keyring, trust.Level, error) {
	repos := p.Mirrors.Repositories(p.Snapshot)
	if len(repos) == 0 {
		return nil, trust.Never, nil
	}
	level, err := trust.ParseLevel(repos[0].SigLevel)
	if err != nil || level == trust.Never {
		return nil, level, err
	}
	ring, err := p.truster().keyring(ctx, repos[0], level)
	return ring, level, err
}

// UpToDate reports whether devenv.lock fits devenv.toml; false if there is none.
func (p *Project) UpToDate() (bool, error) {
	if p.shared != nil {
		return p.shared.UpToDate()
	}
	l, err := p.ReadLock()
	return err == nil && l != nil && l.Inputs == p.inputs(nil), err
}
