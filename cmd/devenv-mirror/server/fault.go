package server

import (
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
)

// Fault makes a server fail on purpose, for tests of what reads from it. It
// applies to files whose names match.
type Fault struct {
	drop     int64 // end the connection after so many bytes of a file
	truncate bool  // send half of a file as if it were all
	every    int64 // answer every so-manieth request with 500
	match    string
	requests atomic.Int64
}

// ParseFault reads "drop=BYTES", "truncate", "500" or "500=N" (every Nth
// request), each with an optional ":GLOB" of file names.
func ParseFault(s string) (*Fault, error) {
	what, match, _ := strings.Cut(s, ":")
	kind, value, hasValue := strings.Cut(what, "=")
	f := &Fault{match: match}
	if _, err := path.Match(match, ""); err != nil {
		return nil, fmt.Errorf("fault %q: %w", s, err)
	}
	n := int64(1)
	if hasValue {
		var err error
		if n, err = strconv.ParseInt(value, 10, 64); err != nil || n < 1 {
			return nil, fmt.Errorf("fault %q: %q is no number above 0", s, value)
		}
	}
	switch kind {
	case "drop":
		f.drop = n
	case "truncate":
		f.truncate = true
	case "500":
		f.every = n
	default:
		return nil, fmt.Errorf("fault %q: use drop=BYTES, truncate or 500=N, with :GLOB for some files only", s)
	}
	return f, nil
}

// wrap puts the fault between a request and its answer; nil where it has
// answered itself.
func (f *Fault) wrap(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	if strings.HasSuffix(r.URL.Path, "/") {
		return w
	}
	if ok, _ := path.Match(f.match, path.Base(r.URL.Path)); f.match != "" && !ok {
		return w
	}
	if f.every > 0 {
		if f.requests.Add(1)%f.every == 0 {
			http.Error(w, "a fault that was asked for", http.StatusInternalServerError)
			return nil
		}
		return w
	}
	return &faultyWriter{ResponseWriter: w, left: f.drop, truncate: f.truncate}
}

type faultyWriter struct {
	http.ResponseWriter
	left     int64
	truncate bool
}

func (w *faultyWriter) WriteHeader(code int) {
	if length, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64); err == nil && w.truncate {
		w.left = length / 2
		w.Header().Set("Content-Length", strconv.FormatInt(w.left, 10))
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *faultyWriter) Write(p []byte) (int, error) {
	if int64(len(p)) <= w.left {
		n, err := w.ResponseWriter.Write(p)
		w.left -= int64(n)
		return n, err
	}
	n, err := w.ResponseWriter.Write(p[:w.left])
	w.left -= int64(n)
	if err != nil || w.truncate {
		return len(p), err // as if all had gone out
	}
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler) // the way to end a connection: net/http logs nothing of it
}
