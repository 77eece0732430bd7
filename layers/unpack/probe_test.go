package unpack

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Files have the package's modes and times whatever is taken from new ones, and
// what is said to be exact is on disk as it is said.
func TestModesWhateverTheUmask(t *testing.T) {
	modes := []int64{0o400, 0o600, 0o644, 0o755, 0o666, 0o777, 0o4755, 0o2755}
	packed := start().link('2', "link", "f0")
	for i, mode := range modes {
		packed = packed.file(fmt.Sprintf("f%d", i), "x", mode)
	}
	packed = packed.file("large", big, 0o751)
	data := packed.bytes(t)
	for _, umask := range []int{0, 0o022, 0o077, 0o777} {
		t.Run(fmt.Sprintf("%04o", umask), func(t *testing.T) {
			dir := t.TempDir()
			defer unix.Umask(unix.Umask(umask))
			result, err := unpackTo(dir, data, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range result.Files {
				var st unix.Stat_t
				if err := unix.Lstat(filepath.Join(dir, f.Path), &st); err != nil {
					t.Fatal(err)
				}
				if mode := st.Mode & 0o7777; f.Type != '2' && mode != f.Mode {
					t.Errorf("%s has mode %04o, not %04o", f.Path, mode, f.Mode)
				}
				if result.Exact && unix.TimespecToNsec(st.Mtim) != f.Time {
					t.Errorf("%s is of %d, not of %d", f.Path, unix.TimespecToNsec(st.Mtim), f.Time)
				}
				if result.Exact && f.Type == '0' && st.Size != f.Size {
					t.Errorf("%s has %d bytes, not %d", f.Path, st.Size, f.Size)
				}
			}
		})
	}
}

// Times that a file system may round, or not know, are looked at.
func TestExactTimes(t *testing.T) {
	for _, year := range []int{1960, 2024, 2100} {
		packed := start().file("f", "x", 0o644)
		packed[len(packed)-1].ModTime = stamp.AddDate(year-stamp.Year(), 0, 0)
		dir := t.TempDir()
		result, err := unpackTo(dir, packed.bytes(t), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if result.Exact && year != 2024 {
			t.Errorf("a time of %d counts as exact", year)
		}
		info, err := os.Lstat(filepath.Join(dir, "f"))
		if err != nil {
			t.Fatal(err)
		}
		if result.Exact && info.ModTime().UnixNano() != result.Files[0].Time {
			t.Errorf("%v on disk, and %d in the result", info.ModTime(), result.Files[0].Time)
		}
	}
}
