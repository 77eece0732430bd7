// Package env is the pipeline: a directory in, a ready environment out.
//
//	p, err := env.Open(dir, opt)      // devenv.toml and the cache
//	err = p.Lock(ctx, …)              // manifest → resolve → devenv.lock
//	b, err := p.Build(ctx)            // lock → packages → layers → tree → set-up
//	plan, err := p.Plan(ctx, b, …)    // tree + manifest + host → entry plan
//
// Each step reads what the one before it left, on disk or in plain data, and
// does nothing where nothing changed. What is done here is to connect; each
// step's own knowledge is in the package of that step.
//
// A Project is used by one goroutine at a time. Any number of processes may
// work on one project and one cache at once; each may be killed at any moment.
package env
