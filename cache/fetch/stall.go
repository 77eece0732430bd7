package fetch

import (
	"context"
	"io"
	"time"
)

// stall cancels a request that has given no byte for too long. net/http has no
// such clock: its timeouts end with the answer's header or hold for the whole body.
type stall struct {
	after  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
	ctx    context.Context
}

func newStall(parent context.Context, after time.Duration) (context.Context, *stall) {
	ctx, cancel := context.WithCancelCause(parent)
	s := &stall{after: after, cancel: cancel, ctx: ctx}
	// Connecting has its own limits; with redirects and a proxy it may take several.
	s.timer = time.AfterFunc(3*after, func() { cancel(&StallError{After: after}) })
	return ctx, s
}

func (s *stall) stop() {
	s.timer.Stop()
	s.cancel(context.Canceled)
}

// explain puts the reason of the cancelling in place of "context canceled".
func (s *stall) explain(err error) error {
	if err == nil || s.ctx.Err() == nil {
		return err
	}
	if cause, ok := context.Cause(s.ctx).(*StallError); ok {
		return cause
	}
	return err
}

// watch puts the clock on a body's reads; what the reader does between them
// takes as long as it takes. Closing the body ends the request.
func (s *stall) watch(body io.ReadCloser) io.ReadCloser {
	s.timer.Stop()
	return &watched{body: body, stall: s}
}

type watched struct {
	body  io.ReadCloser
	stall *stall
}

func (w *watched) Read(p []byte) (int, error) {
	w.stall.timer.Reset(w.stall.after)
	n, err := w.body.Read(p)
	w.stall.timer.Stop()
	if err != nil && err != io.EOF {
		err = w.stall.explain(err)
	}
	return n, err
}

func (w *watched) Close() error {
	err := w.body.Close()
	w.stall.stop()
	return err
}
