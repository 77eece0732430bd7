package layers

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
)

// Source is a package file to make a layer of.
type Source struct {
	Filename string    // for messages
	SHA256   string    // what the file must hash to, lower-case hexadecimal
	Path     string    // where the file lies, or
	Reader   io.Reader // the file's bytes; if it is an io.Closer it is closed, also when it was not needed, and to end a Read when all is cancelled
	Checked  bool      // somebody has just computed the hash: do not do it again
}

// HashError says that a package file is not the one that was meant.
type HashError struct {
	Filename string
	Want     string // SHA-256
	Got      string
}

func (e *HashError) Error() string {
	return fmt.Sprintf("its SHA-256 is %s, but that of %s must be %s: it is damaged or another file; fetch it anew", e.Got, e.Filename, e.Want)
}

// open gives the package's bytes.
func (src *Source) open() (*sourceReader, error) {
	r := &sourceReader{src: src}
	switch {
	case src.Reader != nil:
		r.in = src.Reader
	default:
		f, err := os.Open(src.Path)
		if err != nil {
			return nil, err
		}
		r.in = f
	}
	if !src.Checked {
		r.hash = sha256.New()
	}
	return r, nil
}

// close closes a reader that will not be read.
func (src *Source) close() {
	if c, ok := src.Reader.(io.Closer); ok {
		c.Close()
	}
}

// sourceReader hashes what is read through it.
type sourceReader struct {
	src   *Source
	in    io.Reader
	hash  hash.Hash // nil: not wanted
	err   error     // of in; not io.EOF
	close sync.Once
}

func (r *sourceReader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if r.hash != nil {
		r.hash.Write(p[:n])
	}
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// check reads what is left and compares the hash. A wrong hash is told before
// unpackErr, which may be but its consequence.
func (r *sourceReader) check(unpackErr error) error {
	if r.err != nil {
		return r.err
	}
	if r.hash == nil {
		return unpackErr
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return errors.Join(unpackErr, err)
	}
	if got := hex.EncodeToString(r.hash.Sum(nil)); got != r.src.SHA256 {
		return &HashError{Filename: r.src.Filename, Want: r.src.SHA256, Got: got}
	}
	return unpackErr
}

// Close may be called more than once, and during a Read, which it ends.
func (r *sourceReader) Close() (err error) {
	r.close.Do(func() {
		if c, ok := r.in.(io.Closer); ok {
			err = c.Close()
		}
	})
	return err
}
