package unpack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"devenv/layers/alpm"
)

// stream decompresses in a goroutine of its own and hands over what it has in
// chunks; a few are in flight.
type stream struct {
	chunks chan chunk
	stop   context.CancelFunc
	done   sync.WaitGroup

	current  *buffer // being read
	rest     []byte  // of it
	err      error   // once rest is read
	packed   counter
	unpacked int64
	max      int64
	free     int64 // from here on, unpacked is measured by packed
}

type chunk struct {
	buf    *buffer
	n      int
	packed int64 // bytes read from the package so far
	err    error
}

const maxChunks = 4

// buffer is memory that is reused from package to package.
type buffer [256 << 10]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// counter counts what is read through it; only one goroutine does.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// A package may unpack to freeBytes, and beyond it to maxRatio times its size.
const (
	freeBytes = 1 << 30
	maxRatio  = 200
)

func startStream(ctx context.Context, r io.Reader, max int64) *stream {
	ctx, stop := context.WithCancel(ctx)
	s := &stream{
		chunks: make(chan chunk, maxChunks),
		stop:   stop,
		packed: counter{r: r},
		max:    max,
		free:   freeBytes,
	}
	s.done.Go(func() { s.decompress(ctx) })
	return s
}

// close ends the goroutine and waits for it, so that nothing reads the package
// any more.
func (s *stream) close() {
	s.stop()
	s.done.Wait()
}

func (s *stream) decompress(ctx context.Context) {
	defer close(s.chunks)
	send := func(c chunk) bool {
		c.packed, c.err = s.packed.n, s.explain(c.err)
		select {
		case s.chunks <- c:
			return c.err == nil
		case <-ctx.Done():
			return false
		}
	}
	d, _, err := alpm.Decompress(&s.packed)
	if err != nil {
		send(chunk{err: err})
		return
	}
	defer d.Close()
	for {
		buf := buffers.Get().(*buffer)
		n, err := readFull(d, buf[:])
		if !send(chunk{buf: buf, n: n, err: err}) {
			return
		}
	}
}

// readFull fills buf as far as r goes; unlike io.ReadFull it keeps r's own
// error, io.EOF at the proper end.
func readFull(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var read int
		read, err = r.Read(buf[n:])
		n += read
	}
	return n, err
}

// explain tells a source that cannot be read from data that is damaged.
func (s *stream) explain(err error) error {
	switch {
	case err == nil || err == io.EOF:
		return err
	case s.packed.err != nil:
		return fmt.Errorf("reading package: %w", s.packed.err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated
	case errors.As(err, new(*alpm.UnreadError)):
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Read implements io.Reader for the archive reader.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		if err := s.next(); err != nil {
			s.err = err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// next takes the next chunk; what it holds is read before its error is seen.
func (s *stream) next() error {
	if s.current != nil {
		buffers.Put(s.current)
		s.current = nil
	}
	c, ok := <-s.chunks
	if !ok {
		return context.Canceled
	}
	s.unpacked += int64(c.n)
	switch {
	case s.unpacked > s.max:
		return &alpm.LimitError{What: "bytes unpacked", Limit: s.max}
	case s.unpacked > s.free+maxRatio*c.packed:
		return &alpm.LimitError{What: "bytes unpacked from so few packed ones", Limit: freeBytes + maxRatio*c.packed}
	}
	if c.buf != nil {
		s.current, s.rest = c.buf, c.buf[:c.n]
	}
	return c.err
}

// tarBlock is what the length of every archive is a multiple of.
const tarBlock = 512

// finish reads what follows the archive's end mark, so that the decompressor
// gets to check its own end and the source is read whole.
func (s *stream) finish() error {
	if _, err := io.Copy(io.Discard, s); err != nil {
		return err
	}
	if s.unpacked%tarBlock != 0 || s.unpacked == 0 {
		return errTruncated
	}
	return nil
}
