package alpm

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const sampleMTREE = `#mtree
/set type=file uid=0 gid=0 mode=644
./.BUILDINFO time=1700000000.0 size=4 sha256digest=00ff
/set mode=755
./usr time=1700000001.5 type=dir
./usr/a\040b\134\043 time=1700000002.123456789 mode=4755 size=10 md5digest=aa sha256digest=bb flags=none
./usr/link time=-1.0 mode=777 type=link link=a\040b

	# a comment
./usr/long time=3.0 \
  size=1
/unset uid mode
./usr/none type=block
/unset all
.
`

func TestReadMTREE(t *testing.T) {
	want := []MTREEEntry{
		{Path: ".BUILDINFO", Type: "file", Mode: 0o644, Time: 1700000000, Size: 4, SHA256: "00ff"},
		{Path: "usr", Type: "dir", Mode: 0o755, Time: 1700000001, Nanos: 5},
		{Path: `usr/a b\#`, Type: "file", Mode: 0o4755, Time: 1700000002, Nanos: 123456789, Size: 10, MD5: "aa", SHA256: "bb"},
		{Path: "usr/link", Type: "link", Mode: 0o777, Time: -1, Link: "a b"},
		{Path: "usr/long", Type: "file", Mode: 0o755, Time: 3, Size: 1},
		{Path: "usr/none", Type: "block"},
		{Path: "."},
	}
	for name, text := range map[string]string{"plain": sampleMTREE, "gzip": string(gzipped([]byte(sampleMTREE)))} {
		var got []MTREEEntry
		for e, err := range ReadMTREE(strings.NewReader(text)) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got = append(got, e)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: read\n%+v, want\n%+v", name, got, want)
		}
	}
}

func TestReadMTREERefuses(t *testing.T) {
	for text, want := range map[string]string{
		"#mtree\nusr type=dir\n": `.MTREE:2: path "usr" does not begin with ./`,
		"./../x type=dir\n":      `.MTREE:1: path "./../x" leaves the package`,
		"./a mode=9\n":           ".MTREE:1: mode=9: not a number",
		"./a\n./b size=x\n":      ".MTREE:2: size=x: not a number",
		"./a\\9\n":               `.MTREE:1: unknown escape in "./a\\9"`,
		"./a " + strings.Repeat("x", maxMTREELine): ".MTREE:1: bytes of a line",
	} {
		var got error
		for _, err := range ReadMTREE(strings.NewReader(text)) {
			got = err
		}
		if got == nil || !strings.HasPrefix(got.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, got, want)
		}
	}
	for _, err := range ReadMTREE(strings.NewReader(string(gzipped([]byte(sampleMTREE))[:50]))) {
		if err != nil && !strings.Contains(err.Error(), "unexpected EOF") {
			t.Errorf("truncated: %v", err)
		}
	}
	var limit *LimitError
	for _, err := range ReadMTREE(strings.NewReader("./a " + strings.Repeat("x", maxMTREELine))) {
		if !errors.As(err, &limit) {
			t.Errorf("long line: %v", err)
		}
	}
}

// TestReadMTREEAgreesWithBsdtar reads what makepkg would have written.
func TestReadMTREEAgreesWithBsdtar(t *testing.T) {
	bsdtar, err := exec.LookPath("bsdtar")
	if err != nil {
		t.Skip("bsdtar is not installed (Debian: libarchive-tools): no peer to compare with")
	}
	dir := t.TempDir()
	odd := "odd \t#=*?[\\ é::name"
	os.Mkdir(filepath.Join(dir, "usr"), 0o750)
	os.WriteFile(filepath.Join(dir, "usr", odd), []byte("hello"), 0o600)
	os.Symlink("a b#c\\d", filepath.Join(dir, "usr/link"))
	cmd := exec.Command(bsdtar, "-czf", "-", "--format=mtree", "--options=!all,use-set,type,uid,gid,mode,time,size,md5,sha256,link", "./usr")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]MTREEEntry)
	for e, err := range ReadMTREE(strings.NewReader(string(out))) {
		if err != nil {
			t.Fatal(err)
		}
		found[e.Path] = e
	}
	for name, e := range found {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if e.Time != info.ModTime().Unix() || e.Nanos != int64(info.ModTime().Nanosecond()) || e.Mode != uint32(info.Mode().Perm()) {
			t.Errorf("%s: %+v, is %v of %v", name, e, info.Mode(), info.ModTime())
		}
	}
	if f := found["usr/"+odd]; len(found) != 3 || f.Size != 5 || f.MD5 != "5d41402abc4b2a76b9719d911017c592" || len(f.SHA256) != 64 {
		t.Errorf("%d entries, %+v", len(found), f)
	}
	if l := found["usr/link"]; l.Type != "link" || l.Link != "a b#c\\d" {
		t.Errorf("%+v", l)
	}
}

func FuzzReadMTREE(f *testing.F) {
	f.Add([]byte(sampleMTREE))
	f.Add(gzipped([]byte(sampleMTREE)))
	f.Fuzz(func(t *testing.T, data []byte) {
		for e, err := range ReadMTREE(strings.NewReader(string(data))) {
			if err == nil && (strings.HasPrefix(e.Path, "../") || strings.HasPrefix(e.Path, "/")) {
				t.Errorf("accepted %q", e.Path)
			}
		}
	})
}
