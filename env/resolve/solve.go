package resolve

import (
	"context"
	"errors"
	"slices"
)

// Solve answers a request. The error is a *NotFound where a want names nothing,
// and a *Conflict where there is no answer; both hold all there is to say. It is
// an *Unasked where the archive fails that might have had an answer.
func Solve(ctx context.Context, req Request) (*Solution, error) {
	req.Wants = slices.Clone(req.Wants)
	for i := range req.Wants {
		req.Wants[i].number = i
	}
	archive := newArchive(ctx, req.Archive)
	solution, err := solveWith(ctx, &req, archive)
	if archive.err == nil || !errors.Is(err, archive.err) || ctx.Err() != nil {
		return solution, err
	}
	// What made the archive needed is more often at fault than the archive: a
	// misspelt name, a dependency that no repository has.
	req.Archive = nil
	if _, without := solveWith(ctx, &req, newArchive(ctx, nil)); without != nil && ctx.Err() == nil {
		err = &Unasked{Archive: err, Without: without}
	}
	return nil, err
}

func solveWith(ctx context.Context, req *Request, archive *archive) (*Solution, error) {
	r, err := newResolution(ctx, req, archive)
	if err != nil {
		return nil, err
	}
	r.pool.prefetchLocked()
	if err := r.checkNames(); err != nil {
		return nil, err
	}
	found, blame, err := r.solve()
	if err != nil {
		return nil, err
	}
	if blame != nil {
		return nil, r.refusal(blame)
	}
	return r.solution(found), nil
}

// resolution is one request being answered.
type resolution struct {
	ctx   context.Context
	req   *Request
	pool  *pool
	wants []*want
	u     *universe
}

func newResolution(ctx context.Context, req *Request, archive *archive) (*resolution, error) {
	wants, err := readWants(req)
	if err != nil {
		return nil, err
	}
	r := &resolution{ctx: ctx, req: req, pool: newPool(req, archive), wants: wants}
	r.u = newUniverse(r.pool, wants)
	return r, nil
}

// solve returns the candidates of the answer, or the facts that rule it out.
func (r *resolution) solve() ([]*candidate, []fact, error) {
	if found := tryGreedy(r.pool, r.wants); found != nil && r.pool.archive.err == nil {
		return found, nil, nil
	}
	var spare []*candidate // an answer that would do, but moves a library others use
	for {
		r.u.build()
		if r.pool.archive.err != nil {
			return nil, nil, r.pool.archive.err
		}
		answer, core, err := newSearch(r.u.problem).run(r.ctx)
		switch {
		case err != nil:
			return nil, nil, err
		case core == nil:
			found := r.u.chosenFrom(answer)
			if r.u.deferLibraries(found) {
				spare = found
				continue
			}
			return found, nil, nil
		case spare != nil:
			return spare, nil, nil
		}
		blame := r.u.facts(core)
		if !r.u.canGrow() {
			return nil, blame, nil
		}
		if blame, err = shrink(r.ctx, blame); err != nil { // the archive is asked for no more than it must
			return nil, nil, err
		}
		if !r.u.growFor(blame) && !r.u.deferFor(blame) {
			return nil, blame, r.pool.archive.err
		}
	}
}

// growFor looks for candidates that could lift the contradiction.
func (u *universe) growFor(blame []fact) (grown bool) {
	for _, f := range blame {
		grown = u.grow(u.origin(f)) || grown
	}
	return grown
}

// refusal is the error for a contradiction.
func (r *resolution) refusal(blame []fact) error {
	c, err := r.conflict(blame)
	if err != nil {
		return err
	}
	return c
}
