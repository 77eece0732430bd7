package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"devenv/cache"
)

// part is a file on its way: DEST.part, which this process has locked.
type part struct {
	dest string
	f    *os.File
	hash hash.Hash
	n    int64 // bytes in the file, all of them hashed
	from validators
}

// validators tell whether a server still has the file whose first bytes we
// have (RFC 9110, 13.1.5), and are written before the first byte.
type validators struct {
	URL      string `json:"url"`
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"last_modified,omitempty"`
	Boot     string `json:"boot"` // after a power cut the bytes may not be what was written
}

// ifRange is the header's value: a strong ETag, else the date, else nothing.
func (v validators) ifRange() string {
	if v.ETag != "" && !strings.HasPrefix(v.ETag, "W/") {
		return v.ETag
	}
	return v.Modified
}

// openPart locks DEST.part, making it where it is missing, and hashes what
// is there. waiting is called where another process has it for longer than a moment.
func openPart(ctx context.Context, dest string, waiting func()) (*part, error) {
	if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
		return nil, &localError{cache.Explain(err, dest, 0)}
	}
	f, err := cache.Acquire(ctx, dest+".part", cache.Exclusive, waiting)
	if err != nil {
		return nil, err
	}
	f.Chmod(0o644) // locks are 0600; this becomes a file like any other
	p := &part{dest: dest, f: f, hash: sha256.New()}
	if err := p.load(); err != nil {
		p.drop()
		return nil, &localError{err}
	}
	return p, nil
}

func (p *part) load() (err error) {
	text, err := os.ReadFile(p.metaPath())
	if err == nil {
		err = json.Unmarshal(text, &p.from)
	}
	if err != nil {
		p.from = validators{} // nothing but a hash can vouch for these bytes
	}
	p.n, err = io.Copy(p.hash, p.f)
	return err
}

func (p *part) metaPath() string { return p.dest + ".part.json" }

// begin empties the part for an answer that starts at its first byte, and
// asks for the room it will need.
func (p *part) begin(from validators, size int64) error {
	if err := p.reset(); err != nil {
		return err
	}
	from.Boot = bootID()
	p.from = from
	if text, err := json.Marshal(from); err == nil && from.ifRange() != "" {
		if err := os.WriteFile(p.metaPath(), text, 0o644); err != nil {
			return &localError{cache.Explain(err, p.dest, size)}
		}
	}
	return p.room(size)
}

// room reserves the disk's blocks, so that a full disk is known before the
// transfer and not near its end. A file system that cannot is left alone.
func (p *part) room(size int64) error {
	const worthIt = 1 << 20
	if size < worthIt {
		return nil
	}
	err := unix.Fallocate(int(p.f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return cache.Explain(err, p.dest, size)
	}
	return nil
}

func (p *part) reset() error {
	os.Remove(p.metaPath())
	p.from = validators{}
	p.hash.Reset()
	p.n = 0
	if err := p.f.Truncate(0); err != nil {
		return &localError{err}
	}
	_, err := p.f.Seek(0, io.SeekStart)
	return err
}

func (p *part) Write(b []byte) (int, error) {
	n, err := p.f.Write(b)
	p.hash.Write(b[:n])
	p.n += int64(n)
	if err != nil {
		err = &localError{cache.Explain(err, p.dest, int64(len(b)))}
	}
	return n, err
}

func (p *part) sum() string { return hex.EncodeToString(p.hash.Sum(nil)) }

// seal brings the part's bytes to the disk. Nothing may be written after it.
func (p *part) seal() error {
	err := p.f.Truncate(p.n) // gives back what room reserved too much
	if err == nil {
		err = p.f.Sync()
	}
	if err != nil {
		return &localError{cache.Explain(err, p.dest, p.n)}
	}
	return nil
}

// commit makes the sealed part the destination, and with that gives up the lock.
func (p *part) commit() error {
	if err := os.Rename(p.f.Name(), p.dest); err != nil {
		return local(err)
	}
	os.Remove(p.metaPath())
	return p.f.Close()
}

func local(err error) error {
	if err == nil {
		return nil
	}
	return &localError{err}
}

// leave ends without a result: what a later attempt may go on with stays.
func (p *part) leave() {
	if p.n == 0 {
		p.drop()
		return
	}
	p.f.Close()
}

// drop throws the part away.
func (p *part) drop() {
	os.Remove(p.metaPath())
	if err := os.Remove(p.f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.f.Truncate(0)
	}
	p.f.Close()
}

// bootID names this run of the kernel; empty where /proc is missing.
var bootID = sync.OnceValue(func() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
})
