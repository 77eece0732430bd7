package unpack

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"devenv/layers/alpm"
)

// TestUnpackRefuses tries what a hostile package might. Each is refused by the
// name of its entry, and nothing outside the directory is touched.
func TestUnpackRefuses(t *testing.T) {
	long := strings.Repeat("x", maxComponent+1)
	deep := strings.Repeat("d/", maxPath/2) + "f"
	for name, c := range map[string]struct {
		archive archive
		entry   string
		want    error
	}{
		"path that leads up":              {start().file("../outside", "x", 0o644), "../outside", ErrEscape},
		"path that leads up inside":       {start().file("usr/../../outside", "x", 0o644), "usr/../../outside", ErrEscape},
		"path that leads up and back":     {start().file("usr/../usr/a", "x", 0o644), "usr/../usr/a", ErrEscape},
		"path that ends in dots":          {start().dir("usr/..", 0o755), "usr/..", ErrEscape},
		"metadata that leads up":          {start().file("./../.INSTALL", "x", 0o644), "./../.INSTALL", ErrEscape},
		"absolute path":                   {start().file("/outside", "x", 0o644), "/outside", ErrEscape},
		"absolute directory":              {start().dir("//tmp/", 0o755), "//tmp/", ErrEscape},
		"through a symlink that leads up": {start().link(tar.TypeSymlink, "up", "..").file("up/outside", "x", 0o644), "up/outside", ErrSymlink},
		"through an absolute symlink":     {start().link(tar.TypeSymlink, "abs", "/").dir("abs/outside", 0o755), "abs/outside", ErrSymlink},
		"through a symlink inside":        {start().dir("usr", 0o755).link(tar.TypeSymlink, "lib", "usr").file("lib/a", "x", 0o644), "lib/a", ErrSymlink},
		"deep through a symlink":          {start().link(tar.TypeSymlink, "usr/l", "..").file("usr/l/b/c/d", "x", 0o644), "usr/l/b/c/d", ErrSymlink},
		"symlink through a symlink":       {start().link(tar.TypeSymlink, "l", ".").link(tar.TypeSymlink, "l/m", "x"), "l/m", ErrSymlink},
		"file over a symlink":             {start().link(tar.TypeSymlink, "l", "/outside").file("l", "x", 0o644), "l", ErrDuplicate},
		"directory over a symlink":        {start().link(tar.TypeSymlink, "l", "..").dir("l", 0o755).file("l/outside", "x", 0o644), "l", ErrDuplicate},
		"hard link to outside":            {start().link(tar.TypeLink, "l", "../outside"), "l", ErrEscape},
		"hard link to an absolute path":   {start().link(tar.TypeLink, "l", "/etc/passwd"), "l", ErrEscape},
		"hard link to nothing":            {start().link(tar.TypeLink, "l", "nothing"), "l", ErrTarget},
		"hard link to what comes later":   {start().link(tar.TypeLink, "l", "f").file("f", "x", 0o644), "l", ErrTarget},
		"hard link to a directory":        {start().dir("d", 0o755).link(tar.TypeLink, "l", "d"), "l", ErrTarget},
		"hard link to itself":             {start().link(tar.TypeLink, "l", "l"), "l", ErrTarget},
		"hard link to metadata":           {start().link(tar.TypeLink, "l", ".PKGINFO"), "l", ErrTarget},
		"hard link to the root":           {start().dir("./", 0o755).link(tar.TypeLink, "l", "./"), "l", ErrTarget},
		"hard link through a symlink":     {start().file("d/f", "x", 0o644).link(tar.TypeSymlink, "s", "d").link(tar.TypeLink, "l", "s/f"), "l", ErrTarget},
		"character device":                {append(start(), tar.Header{Name: "dev/mem", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 1}), "dev/mem", ErrSpecial},
		"block device":                    {append(start(), tar.Header{Name: "dev/sda", Typeflag: tar.TypeBlock, Devmajor: 8}), "dev/sda", ErrSpecial},
		"fifo":                            {append(start(), tar.Header{Name: "run/fifo", Typeflag: tar.TypeFifo}), "run/fifo", ErrSpecial},
		"metadata that is a link":         {start().link(tar.TypeSymlink, ".INSTALL", "/etc/passwd"), ".INSTALL", ErrSpecial},
		"file twice":                      {start().file("f", "x", 0o644).file("f", "y", 0o644), "f", ErrDuplicate},
		"file twice, spelt otherwise":     {start().file("d/f", "x", 0o644).file("./d//f", "y", 0o644), "./d//f", ErrDuplicate},
		"directory twice":                 {start().dir("d", 0o755).dir("d/", 0o700), "d/", ErrDuplicate},
		"file over a directory":           {start().dir("d", 0o755).file("d", "x", 0o644), "d", ErrDuplicate},
		"file over an implied directory":  {start().file("d/f", "x", 0o644).file("d", "x", 0o644), "d", ErrDuplicate},
		"directory over a file":           {start().file("f", "x", 0o644).dir("f", 0o755), "f", ErrDuplicate},
		"under a file":                    {start().file("f", "x", 0o644).file("f/g", "x", 0o644), "f/g", ErrParent},
		"metadata twice":                  {start().file(".PKGINFO", pkgInfo, 0o644), ".PKGINFO", ErrDuplicate},
		"line feed in a name":             {start().file("a\nb", "x", 0o644), "a\nb", ErrName},
		"component too long":              {start().file("usr/"+long, "x", 0o644), "usr/" + long, ErrName},
		"path too long":                   {start().file(deep, "x", 0o644), deep, ErrName},
		"symlink to nowhere":              {append(start(), tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: strings.Repeat("x", maxPath)}), "l", ErrName},
	} {
		t.Run(name, func(t *testing.T) {
			for _, walk := range []bool{false, true} {
				refuse(t, c.archive.bytes(t), c.entry, c.want, walk)
			}
		})
	}
}

func refuse(t *testing.T, data []byte, entry string, want error, walk bool) {
	top := t.TempDir()
	dir := filepath.Join(top, "package")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	tr, err := openTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.close()
	tr.walk = walk
	_, err = unpackInto(context.Background(), tr, bytes.NewReader(data), Options{})
	var named *EntryError
	if !errors.Is(err, want) || !errors.As(err, &named) || named.Entry != entry {
		t.Errorf("%v, want %q to be refused since it %v", err, entry, want)
	}
	if around, err := os.ReadDir(top); err != nil || len(around) != 1 {
		t.Errorf("beside the package's directory lies %v, %v", around, err)
	}
}

// TestUnpackDistrustsTheDirectory unpacks over what was there before.
func TestUnpackDistrustsTheDirectory(t *testing.T) {
	for name, c := range map[string]struct {
		before func(dir, outside string) error
		then   archive
		want   error
	}{
		"symlink for a directory": {
			func(dir, outside string) error { return os.Symlink(outside, filepath.Join(dir, "usr")) },
			start().dir("usr/", 0o755).file("usr/f", "x", 0o644), ErrSymlink},
		"symlink for an implied directory": {
			func(dir, outside string) error { return os.Symlink(outside, filepath.Join(dir, "usr")) },
			start().file("usr/f", "x", 0o644), ErrSymlink},
		"symlink for a file": {
			func(dir, outside string) error {
				return os.Symlink(filepath.Join(outside, "new"), filepath.Join(dir, "f"))
			},
			start().file("f", "x", 0o644), ErrExists},
		"symlink for a large file": {
			func(dir, outside string) error {
				return os.Symlink(filepath.Join(outside, "new"), filepath.Join(dir, "f"))
			},
			start().file("f", big, 0o644), ErrExists},
		"file for a directory": {
			func(dir, outside string) error { return os.WriteFile(filepath.Join(dir, "usr"), nil, 0o644) },
			start().dir("usr/", 0o755), ErrParent},
		"file for a link": {
			func(dir, outside string) error { return os.WriteFile(filepath.Join(dir, "l"), nil, 0o644) },
			start().link(tar.TypeSymlink, "l", "x"), ErrExists},
		"file for a hard link": {
			func(dir, outside string) error { return os.WriteFile(filepath.Join(dir, "l"), nil, 0o644) },
			start().file("f", "x", 0o644).link(tar.TypeLink, "l", "f"), ErrExists},
	} {
		for _, walk := range []bool{false, true} {
			dir, outside := t.TempDir(), t.TempDir()
			if err := c.before(dir, outside); err != nil {
				t.Fatal(err)
			}
			tr, err := openTree(dir)
			if err != nil {
				t.Fatal(err)
			}
			tr.walk = walk
			_, err = unpackInto(context.Background(), tr, bytes.NewReader(c.then.bytes(t)), Options{})
			tr.close()
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
			if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
				t.Errorf("%s: outside lies %v, %v", name, left, err)
			}
		}
	}
}

func TestUnpackNamesWhatDiffersInCase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "README"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tr, err := openTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.close()
	err = entryError("readme", tr.root.collision("readme"))
	if !errors.Is(err, ErrCase) || !strings.Contains(err.Error(), `"README"`) || !strings.Contains(err.Error(), `"readme"`) {
		t.Errorf("%v", err)
	}
	if err := tr.root.collision("README"); !errors.Is(err, ErrExists) {
		t.Errorf("%v", err)
	}
}

func TestUnpackSeesTruncation(t *testing.T) {
	data := sample().bytes(t)
	for kind, packed := range map[string][]byte{"plain": data[:len(data)-1024], "zstd": zstded(data), "gzip": gzipped(data), "xz": xzed(data)} {
		for n := 0; n < len(packed); n += 1 + len(packed)/40 {
			if kind == "plain" && n%512 == 0 && n > 0 {
				continue // an archive may end there
			}
			dir := t.TempDir()
			if _, err := unpackTo(dir, packed[:n], Options{}); !errors.Is(err, ErrDamaged) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s cut to %d of %d bytes: %v", kind, n, len(packed), err)
			}
			os.Chmod(filepath.Join(dir, "srv"), 0o755)
		}
	}
}

// TestUnpackNamesWhatItCannotRead: a whole package is not called damaged for the
// way it is packed, as makepkg can be told to.
func TestUnpackNamesWhatItCannotRead(t *testing.T) {
	for by, head := range map[string]string{
		"lz4":      "\x04\x22\x4d\x18\x64\x40\xa7",
		"lzip":     "LZIP\x01\x14\x00",
		"lzop":     "\x89LZO\x00\r\n\x1a\n\x10",
		"lrzip":    "LRZI\x00\x06\x00",
		"compress": "\x1f\x9d\x90\x2e\xa0",
		"lzma":     "\x5d\x00\x00\x80\x00\xff",
	} {
		_, err := unpackTo(t.TempDir(), []byte(head+strings.Repeat("x", 600)), Options{})
		var unread *alpm.UnreadError
		if !errors.As(err, &unread) || unread.By != by || errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", by, err)
		}
	}
}

func TestUnpackRefusesWhatIsNoPackage(t *testing.T) {
	if _, err := unpackTo(t.TempDir(), archive{}.file("f", "x", 0o644).bytes(t), Options{}); !errors.Is(err, ErrNoPackage) {
		t.Errorf("no .PKGINFO: %v", err)
	}
	for name, data := range map[string][]byte{
		"a web page":      []byte("<html>" + strings.Repeat("not found ", 100)),
		"nothing":         nil,
		"hostile name":    archive{}.file(".PKGINFO", "pkgname = ../x\npkgver = 1-1\n", 0o644).bytes(t),
		"damaged in zstd": func() []byte { d := zstded(sample().bytes(t)); d[len(d)/2] ^= 0xff; return d }(),
	} {
		if _, err := unpackTo(t.TempDir(), data, Options{}); err == nil {
			t.Errorf("%s is no error", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	if _, err := unpackTo(filepath.Join(t.TempDir(), "none"), sample().bytes(t), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

func TestUnpackLimits(t *testing.T) {
	data := start().file("usr/a", big, 0o644).file("usr/b", big, 0o644).bytes(t)
	var limit *alpm.LimitError
	if _, err := unpackTo(t.TempDir(), zstded(data), Options{MaxBytes: 1 << 20}); !errors.As(err, &limit) {
		t.Errorf("more than asked for: %v", err)
	}
	huge := start().bytes(t)
	huge = huge[:len(huge)-1024]
	header := archive{}.file("usr/huge", "", 0o644).bytes(t)[:512*3]
	// A size that only the header has: 2⁶² bytes, in base 256.
	plain := header[len(header)-512:]
	if i := bytes.Index(header, []byte("usr/huge")); i >= 0 {
		plain = header[i/512*512:][:512]
	}
	copy(plain[124:136], []byte{0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0})
	copy(plain[148:156], "        ")
	sum := 0
	for _, c := range plain {
		sum += int(c)
	}
	copy(plain[148:], []byte{'0' + byte(sum>>15&7), '0' + byte(sum>>12&7), '0' + byte(sum>>9&7), '0' + byte(sum>>6&7), '0' + byte(sum>>3&7), '0' + byte(sum&7), 0, ' '})
	if _, err := unpackTo(t.TempDir(), append(huge, plain...), Options{}); !errors.As(err, &limit) {
		t.Errorf("a file of 2⁶² bytes: %v", err)
	}
}

func TestUnpackRefusesZipBomb(t *testing.T) {
	bomb := zstded(make([]byte, 64<<20))
	s := startStream(context.Background(), bytes.NewReader(bomb), 1<<30)
	defer s.close()
	s.free = 1 << 20
	n, err := io.Copy(io.Discard, s)
	var limit *alpm.LimitError
	if !errors.As(err, &limit) || n > 8<<20 {
		t.Errorf("%v after %d bytes", err, n)
	}
}

func TestUnpackStops(t *testing.T) {
	boom := errors.New("boom")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(boom)
	if _, err := Unpack(ctx, bytes.NewReader(sample().bytes(t)), t.TempDir(), Options{}); !errors.Is(err, boom) {
		t.Errorf("canceled before: %v", err)
	}
	r, w := io.Pipe()
	ctx, cancel = context.WithCancelCause(context.Background())
	go func() {
		data := sample().bytes(t)
		w.Write(data[:len(data)/2])
		cancel(boom)
		w.CloseWithError(io.ErrClosedPipe)
	}()
	done := make(chan error, 1)
	dir := t.TempDir()
	defer os.Chmod(filepath.Join(dir, "srv"), 0o755)
	go func() { _, err := Unpack(ctx, r, dir, Options{}); done <- err }()
	select {
	case err := <-done:
		if !errors.Is(err, boom) {
			t.Errorf("canceled in between: %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("does not stop")
	}
}

func TestUnpackNeedsAWritableDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere: TestUnpackUnprivileged runs this as nobody")
	}
	dir := filepath.Join(t.TempDir(), "sub")
	if err := os.Mkdir(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	var named *EntryError
	if _, err := unpackTo(dir, sample().bytes(t), Options{}); !errors.Is(err, os.ErrPermission) || !errors.As(err, &named) {
		t.Errorf("%v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(start().file("usr/a", "x", 0o644).link(tar.TypeLink, "usr/b", "usr/a").link(tar.TypeSymlink, "l", "..").bytes(f))
	f.Add(zstded(start().dir("usr/", 0o755).file("usr/a", "x", 0o644).bytes(f)))
	f.Fuzz(func(t *testing.T, data []byte) {
		top, err := os.MkdirTemp("", "fuzz")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(top)
		dir := filepath.Join(top, "package")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		unpackTo(dir, data, Options{MaxBytes: 1 << 20})
		if around, err := os.ReadDir(top); err != nil || len(around) != 1 {
			t.Errorf("beside the package's directory lies %v, %v", around, err)
		}
	})
}
