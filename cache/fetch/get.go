package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"devenv/cache"
)

// Get brings a file that never changes to req.Dest. If it is there already and
// its hash holds, nothing is asked of anybody; a damaged one is replaced. With
// no hash given, a file that is there is taken as it is.
func (c *Client) Get(ctx context.Context, req Request) (Result, error) {
	if res, ok, err := present(req); ok || err != nil {
		return res, err
	}
	t := &transfer{c: c, req: req, report: newReporter(req)}
	res, err := t.run(ctx, nil)
	if err != nil {
		t.report.send(Event{State: Failed, Err: err})
	}
	return res, err
}

// transfer is one request being served.
type transfer struct {
	c      *Client
	req    Request
	part   *part
	report *reporter
	res    Result
	stored *stored // Conditional's: what Dest is; nil for Get
	high   int64   // the furthest any attempt got
	mixed  bool    // the part's bytes are from more than one answer
}

// run locks the part, looks again whether another process has brought the file
// meanwhile, and else brings it.
func (t *transfer) run(ctx context.Context, stored *stored) (Result, error) {
	p, err := openPart(ctx, t.req.Dest, func() { t.report.send(Event{State: Waiting}) })
	if err != nil {
		return Result{}, fmt.Errorf("get %s: %w", t.req.Dest, err)
	}
	t.part, t.stored = p, stored
	done, err := t.recheck()
	if done || err != nil {
		p.drop()
		return t.res, err
	}
	if t.complete() {
		t.res = Result{Changed: true}
	} else if err := t.c.each(ctx, t.report.name, t.req.URLs, t.report.send, t.attempt); err != nil {
		if full := (*cache.FullError)(nil); errors.As(err, &full) {
			p.drop() // it only makes the disk fuller
		} else {
			p.leave()
		}
		return Result{}, err
	}
	return t.finish()
}

// recheck is what the first look could not know: Dest may have come while we
// waited for the lock.
func (t *transfer) recheck() (done bool, err error) {
	if t.stored != nil {
		return t.stored.recheck(t)
	}
	t.res, done, err = present(t.req)
	return done, err
}

// complete reports whether the part is whole: the process before us
// was killed between the last byte and the rename.
func (t *transfer) complete() bool {
	t.mixed = t.part.n > 0
	return t.req.SHA256 != "" && t.part.n > 0 && t.part.sum() == t.req.SHA256
}

func (t *transfer) attempt(ctx context.Context, src source) (moved bool, err error) {
	t.report.url = src.String()
	if src.local() {
		return false, t.copyLocal(ctx, src)
	}
	err = t.receive(ctx, src)
	if t.part.n > t.high {
		moved, t.high = true, t.part.n
	}
	return moved, err
}

// finish makes the checked part the destination.
func (t *transfer) finish() (Result, error) {
	err := t.conclude()
	if err != nil {
		t.part.drop()
		return Result{}, fmt.Errorf("get %s: %w", t.req.Dest, err)
	}
	t.report.send(Event{State: Finished, Done: t.res.Size, Total: t.res.Size})
	return t.res, nil
}

func (t *transfer) conclude() error {
	if t.res.Changed {
		t.res.Size, t.res.SHA256 = t.part.n, t.part.sum()
		if err := t.part.seal(); err != nil {
			return err
		}
	}
	if t.stored != nil {
		if err := t.stored.save(t); err != nil {
			return err
		}
	}
	if !t.res.Changed {
		t.part.drop()
		return nil
	}
	return t.part.commit()
}

// check judges a part that its sender says is complete.
func (t *transfer) check(src source) error {
	want, got := t.req.SHA256, t.part.sum()
	switch {
	case t.req.Size > 0 && t.part.n < t.req.Size && !src.local():
		return io.ErrUnexpectedEOF // a connection that ended early without saying so
	case t.req.Size > 0 && t.part.n != t.req.Size:
		return t.corrupt(src, fmt.Sprintf("%d bytes", t.req.Size), fmt.Sprintf("%d bytes", t.part.n))
	case want != "" && got != want && t.mixed:
		return t.again(errors.New("the beginning was damaged; starting over"))
	case want != "" && got != want:
		return t.corrupt(src, "sha256 "+want, "sha256 "+got)
	}
	return nil
}

// corrupt throws away what came and says why.
func (t *transfer) corrupt(src source, want, got string) error {
	if err := t.again(nil); err != nil {
		return err
	}
	return &CorruptError{URL: src.String(), Want: want, Got: got}
}

// again empties the part and gives err, so that the next attempt starts at
// the first byte.
func (t *transfer) again(err error) error {
	t.mixed = false
	if errReset := t.part.reset(); errReset != nil {
		return errReset
	}
	return err
}

// present reports whether Dest is there and right. A wrong one is removed.
func present(req Request) (res Result, ok bool, err error) {
	info, err := os.Stat(req.Dest)
	if errors.Is(err, fs.ErrNotExist) {
		return Result{}, false, nil
	}
	if err != nil {
		return Result{}, false, err
	}
	if !info.Mode().IsRegular() {
		return Result{}, false, fmt.Errorf("%s is in the way: it should be a file; remove it", req.Dest)
	}
	res = Result{Size: info.Size(), Modified: info.ModTime()}
	if req.SHA256 == "" {
		return res, req.Size == 0 || req.Size == info.Size(), nil
	}
	if res.SHA256, err = HashFile(req.Dest); err != nil {
		return Result{}, false, err
	}
	if res.SHA256 == req.SHA256 {
		return res, true, nil
	}
	if err := os.Remove(req.Dest); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Result{}, false, err
	}
	return Result{}, false, nil
}

// HashFile is the SHA-256 of a file, in lower-case hexadecimal.
func HashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, copySize)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

const copySize = 256 << 10

// reporter thins out and completes a transfer's events.
type reporter struct {
	send0 func(Event)
	name  string
	url   string
	last  time.Time
}

func newReporter(req Request) *reporter {
	name := filepath.Base(req.Dest)
	if len(req.URLs) > 0 {
		if src, err := parse(req.URLs[0]); err == nil {
			name = nameOf(src)
		}
	}
	return &reporter{send0: req.Progress, name: name}
}

func (r *reporter) send(e Event) {
	if r.send0 == nil {
		return
	}
	e.Name = r.name
	if e.URL == "" {
		e.URL = r.url
	}
	r.send0(e)
}

// bytes reports how much is there, twenty times a second at most.
func (r *reporter) bytes(done, total int64) {
	if r.send0 == nil {
		return
	}
	now := time.Now()
	if done != total && now.Sub(r.last) < 50*time.Millisecond {
		return
	}
	r.last = now
	r.send(Event{State: Receiving, Done: done, Total: total})
}
