package unpack

import "golang.org/x/sys/unix"

// kept is what new files of a directory keep of what they are given.
type kept struct {
	modes uint32 // permissions that neither umask nor a default ACL takes away
	times bool   // all of a time, to the nanosecond
}

// probe finds it out with a file that has no name. Where there are no such
// files nothing is taken for granted.
func (t *tree) probe() (k kept) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(t.root.fd, ".", unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o777)
	})
	if err != nil {
		return k
	}
	defer unix.Close(fd)
	odd := unix.Timespec{Sec: 1, Nsec: 123456789}
	var st unix.Stat_t
	if setTimes(fd, times{odd, odd}) != nil || unix.Fstat(fd, &st) != nil {
		return k
	}
	return kept{modes: st.Mode & 0o777, times: st.Mtim == odd}
}
