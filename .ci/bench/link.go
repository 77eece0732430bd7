package main

import (
	"net"
	"net/http"
	"sync"
	"time"

	"devenv/cmd/devenv-mirror/server"
)

// link serves the mirror over HTTP on loopback as a line of some bandwidth
// would: all connections together get so many bytes a second.
type link struct {
	net.Listener
	url    string
	second float64 // bytes
	server *http.Server

	mu   sync.Mutex
	free time.Time // when the line is free again
}

func (w *world) serve(second float64) (*link, error) {
	handler, err := server.New(w.mirror, 0, nil)
	if err != nil {
		return nil, err
	}
	l := &link{second: second, server: &http.Server{Handler: handler}}
	if l.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	l.url = "http://" + l.Addr().String()
	go l.server.Serve(l)
	return l, nil
}

func (l *link) close() { l.server.Close() }

// Accept gives connections whose other end has this line before it.
func (l *link) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &line{c, l}, err
}

// take waits until the line has carried n more bytes. What a sleep was too long
// is made up for, up to a few milliseconds.
func (l *link) take(n int) {
	l.mu.Lock()
	now := time.Now()
	if late := now.Add(-5 * time.Millisecond); l.free.Before(late) {
		l.free = late
	}
	l.free = l.free.Add(time.Duration(float64(n) / l.second * float64(time.Second)))
	wait := l.free.Sub(now)
	l.mu.Unlock()
	time.Sleep(wait)
}

// line is a connection over a link.
type line struct {
	net.Conn
	link *link
}

func (c *line) Write(p []byte) (int, error) {
	const step = 32 << 10
	written := 0
	for len(p) > 0 {
		piece := p[:min(step, len(p))]
		c.link.take(len(piece))
		n, err := c.Conn.Write(piece)
		written += n
		if err != nil {
			return written, err
		}
		p = p[n:]
	}
	return written, nil
}
