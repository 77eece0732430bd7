package fetch

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options are a client's limits. The zero value of each stands for its default.
type Options struct {
	Parallel  int           // transfers at once, over all hosts; default 6
	Attempts  int           // at one URL without getting further; default 4
	Connect   time.Duration // to connect, and again for TLS; default 10 s
	Stall     time.Duration // without a byte; default 20 s
	Backoff   time.Duration // first pause between attempts; default 400 ms
	UserAgent string        // default "devenv"
	Offline   bool          // refuse whatever is not on this machine
}

// FromEnv is the options the environment asks for: DEVENV_OFFLINE, set to
// anything but "", "0" or "false", refuses the network.
func FromEnv(getenv func(string) string) Options {
	switch strings.ToLower(getenv("DEVENV_OFFLINE")) {
	case "", "0", "false", "no":
		return Options{}
	}
	return Options{Offline: true}
}

// Client fetches. It is made by [New].
type Client struct {
	opt   Options
	http  *http.Client
	slots chan struct{}

	mu  sync.Mutex
	bad map[string]bool // hosts that failed, asked last and only once
}

// New makes a client. Its connections are kept and shared: make one and pass it on.
func New(opt Options) *Client {
	opt = opt.withDefaults()
	dialer := &net.Dialer{Timeout: opt.Connect, KeepAlive: 30 * time.Second}
	return &Client{
		opt: opt,
		http: &http.Client{Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   opt.Connect,
			ResponseHeaderTimeout: opt.Stall,
			IdleConnTimeout:       90 * time.Second,
			MaxIdleConns:          4 * opt.Parallel,
			MaxIdleConnsPerHost:   opt.Parallel,
			ForceAttemptHTTP2:     true,
			// Files are compressed already, and their bytes are what is hashed.
			DisableCompression: true,
		}},
		slots: make(chan struct{}, opt.Parallel),
		bad:   make(map[string]bool),
	}
}

func (o Options) withDefaults() Options {
	if o.Parallel <= 0 {
		o.Parallel = 6
	}
	if o.Attempts <= 0 {
		o.Attempts = 4
	}
	if o.Connect <= 0 {
		o.Connect = 10 * time.Second
	}
	if o.Stall <= 0 {
		o.Stall = 20 * time.Second
	}
	if o.Backoff <= 0 {
		o.Backoff = 400 * time.Millisecond
	}
	if o.UserAgent == "" {
		o.UserAgent = "devenv"
	}
	return o
}

// Offline reports whether the network is refused.
func (c *Client) Offline() bool { return c.opt.Offline }

// slot waits until one more transfer may run.
func (c *Client) slot(ctx context.Context) (release func(), err error) {
	select {
	case c.slots <- struct{}{}:
		return func() { <-c.slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (c *Client) isBad(host string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bad[host]
}

func (c *Client) setBad(host string, bad bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if bad {
		c.bad[host] = true
	} else {
		delete(c.bad, host)
	}
}
