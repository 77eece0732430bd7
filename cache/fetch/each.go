package fetch

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"devenv/cache"
)

const (
	maxPause      = 10 * time.Second // between attempts of our own choosing
	maxRetryAfter = time.Minute      // longer than that, the next mirror is asked
)

// attempt tries one place once. moved says that it got further than any
// attempt before it, and so need not be counted against the place.
type attempt func(ctx context.Context, src source) (moved bool, err error)

// each tries one place after the other, each as often as it is worth, until
// an attempt succeeds. report may be nil.
func (c *Client) each(ctx context.Context, name string, urls []string, report func(Event), try attempt) error {
	sources := make([]source, 0, len(urls))
	for _, raw := range urls {
		src, err := parse(raw)
		if err != nil {
			return err
		}
		sources = append(sources, src)
	}
	c.order(sources)
	var tries []Try
	for _, src := range sources {
		err := c.insist(ctx, src, report, try)
		if err == nil {
			return nil
		}
		if isFatal(ctx, err) {
			return err
		}
		tries = append(tries, Try{URL: src.String(), Err: err})
	}
	return outcome(name, tries)
}

// order puts the places whose host has failed last; else it changes nothing.
func (c *Client) order(sources []source) {
	slices.SortStableFunc(sources, func(a, b source) int {
		return btoi(c.isBad(a.host())) - btoi(c.isBad(b.host()))
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// insist tries one place until it gives, says a definite no, or has been
// asked often enough.
func (c *Client) insist(ctx context.Context, src source, report func(Event), try attempt) error {
	if !src.local() && c.opt.Offline {
		return &OfflineError{URL: src.String()}
	}
	left := c.opt.Attempts
	if c.isBad(src.host()) {
		left = 1
	}
	for n := 0; ; n++ {
		moved, err := c.once(ctx, src, try)
		if err == nil {
			c.setBad(src.host(), false)
			return nil
		}
		if moved {
			n, left = 0, max(left, c.opt.Attempts)
		} else {
			left--
		}
		if isFatal(ctx, err) || !worthAgain(err) || src.local() {
			return err
		}
		pause := c.pause(n, err)
		if left <= 0 || pause > maxRetryAfter {
			c.setBad(src.host(), true)
			return err
		}
		if report != nil {
			report(Event{State: Retrying, URL: src.String(), Err: err, Pause: pause})
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// once runs an attempt within the client's number of transfers.
func (c *Client) once(ctx context.Context, src source, try attempt) (moved bool, err error) {
	release, err := c.slot(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	moved, err = try(ctx, src)
	if errors.Is(err, fs.ErrNotExist) && src.local() {
		err = errMissing
	}
	return moved, err
}

// pause doubles with each attempt, with up to half of it as jitter so that
// many machines do not come back at the same moment. The server's word goes before ours.
func (c *Client) pause(n int, err error) time.Duration {
	var status *StatusError
	if errors.As(err, &status) && status.RetryAfter > 0 {
		return status.RetryAfter
	}
	pause := min(c.opt.Backoff<<min(n, 10), maxPause)
	return pause + rand.N(pause/2+1)
}

// isFatal reports whether no other place could help either.
func isFatal(ctx context.Context, err error) bool {
	var full *cache.FullError
	var path *localError
	return ctx.Err() != nil || errors.As(err, &full) || errors.As(err, &path)
}

// worthAgain reports whether the same question may get another answer soon.
func worthAgain(err error) bool {
	var status *StatusError
	var corrupt *CorruptError
	var dns *net.DNSError
	switch {
	case errors.Is(err, errMissing), errors.As(err, &corrupt):
		return false
	case errors.As(err, &status):
		return status.retryable()
	case errors.As(err, &dns):
		return !dns.IsNotFound
	case errors.As(err, new(*encodingError)), isCertificate(err), errors.Is(err, unix.ENETUNREACH):
		return false
	}
	return true
}

// do sends a request and turns all that is no success into an error. The
// answer's body is under the stall clock and must be closed.
func (c *Client) do(ctx context.Context, method string, src source, header http.Header) (*http.Response, error) {
	ctx, stall := newStall(ctx, c.opt.Stall)
	req, err := http.NewRequestWithContext(ctx, method, src.url.String(), nil)
	if err != nil {
		stall.stop()
		return nil, err
	}
	req.Header = header.Clone()
	req.Header.Set("User-Agent", c.opt.UserAgent)
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := c.http.Do(req)
	if err != nil {
		stall.stop()
		return nil, stall.explain(unwrapURL(err))
	}
	resp.Body = stall.watch(resp.Body)
	switch resp.StatusCode {
	case http.StatusOK, http.StatusPartialContent, http.StatusNotModified, http.StatusRequestedRangeNotSatisfiable:
		return resp, nil
	}
	resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		return nil, errMissing
	}
	return nil, &StatusError{Code: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
}

// unwrapURL drops net/http's `Get "URL": `: our messages name the URL themselves,
// and without its password.
func unwrapURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// retryAfter reads the header of that name: seconds or a date.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil {
		return max(0, time.Duration(min(seconds, 1<<30))*time.Second)
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}
