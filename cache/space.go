package cache

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// FullError says that the disk, or the user's share of it, is full.
type FullError struct {
	Path string
	Need int64 // bytes that were to be written; 0: not known
	Free int64 // bytes left for this user; -1: not known
	Err  error // ENOSPC or EDQUOT
}

func (e *FullError) Error() string {
	what := "the disk is full"
	if errors.Is(e.Err, unix.EDQUOT) {
		what = "your disk quota is used up"
	}
	var sizes string
	if e.Need > 0 {
		sizes = ", " + Size(e.Need) + " needed"
	}
	if e.Free >= 0 {
		sizes += ", " + Size(e.Free) + " free"
	}
	return fmt.Sprintf("%s: %s%s: make room with \"devenv cache gc\", or set DEVENV_CACHE_DIR to a bigger disk", e.Path, what, sizes)
}

func (e *FullError) Unwrap() error { return e.Err }

// Explain gives ENOSPC and EDQUOT the words of [FullError] and leaves every
// other error as it is. need is what was to be written, 0 where not known.
func Explain(err error, path string, need int64) error {
	var full *FullError
	if err == nil || errors.As(err, &full) || !(errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)) {
		return err
	}
	return &FullError{Path: path, Need: need, Free: freeAt(path), Err: err}
}

func explain(err error, path string) error { return Explain(err, path, 0) }

// freeAt is what an unprivileged user may still write where path is or would be.
func freeAt(path string) int64 {
	for {
		var st unix.Statfs_t
		if err := unix.Statfs(path, &st); err == nil {
			return int64(st.Bavail) * int64(st.Bsize)
		}
		up := parentOf(path)
		if up == path {
			return -1
		}
		path = up
	}
}

// Size is a number of bytes in words: "812 B", "1.4 MiB".
func Size(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1024, 0
	for value >= 1023.95 && unit < 4 {
		value /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTP"[unit])
}
