package fetch

import "time"

// Request is one file to get.
type Request struct {
	URLs []string // mirrors of the file, tried in this order: URLs, file:// URLs, paths
	Dest string   // where it goes; its directory is made

	SHA256  string // lower-case hexadecimal; empty where not known
	Size    int64  // exact size in bytes; 0 where not known
	MaxSize int64  // at most this many bytes; 0: 16 GiB

	// Progress, where set, is called with what happens, never from two
	// goroutines at once for one request, and seldom enough to draw at each call.
	Progress func(Event)
}

// maxSize bounds what has no bound of its own: no package is near it.
const maxSize = 16 << 30

func (r *Request) limit() int64 {
	if r.Size > 0 {
		return r.Size
	}
	if r.MaxSize > 0 {
		return r.MaxSize
	}
	return maxSize
}

// Result says what came, and from where.
type Result struct {
	URL      string    // where it came from, without any password; empty if it was there
	Size     int64     // bytes
	SHA256   string    // of what is at Dest; empty where it was there and no hash was asked
	Modified time.Time // Last-Modified or mtime; zero where not known
	Changed  bool      // false: Dest was there and is what was asked for
	Checked  time.Time // by Conditional: when a server last said that this is its file
}

// State is what a transfer is doing.
type State int

const (
	Waiting   State = iota // another process is getting this file
	Asking                 // connecting, or waiting for the answer
	Receiving              // Done of Total bytes are there
	Retrying               // Err happened; Pause until the next attempt
	Finished               // the file is there
	Failed                 // Err
)

// Event is one report of a transfer's progress: plain data.
type Event struct {
	State State
	Name  string // the destination's file name
	URL   string // without any password
	Done  int64  // bytes there
	Total int64  // bytes expected; 0: not known
	Err   error
	Pause time.Duration
}
