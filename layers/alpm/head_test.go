package alpm

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

const gccBuildInfo = "format = 2\npkgname = gcc\ninstalled = zlib-1-1-x86_64\n"

// packageOf makes a package of these metadata files, by name, and a tree.
func packageOf(t testing.TB, names ...string) []byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	noise := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return string(b)
	}
	var members []member
	for _, name := range names {
		body := map[string]string{".PKGINFO": gccPkgInfo, ".BUILDINFO": gccBuildInfo, ".INSTALL": "post_install() { :; }", ".MTREE": noise(50_000), ".CHANGELOG": "x"}[name]
		members = append(members, member{name: name, body: body})
	}
	members = append(members, member{name: "usr/", kind: tar.TypeDir}, member{name: "usr/gcc", body: noise(600_000)})
	return tarOf(t, tar.FormatPAX, members...)
}

// rangeReader says whether more was read than there is reason to.
type rangeReader struct {
	data []byte
	read int
}

func (r *rangeReader) Read(p []byte) (int, error) {
	if r.read == len(r.data) {
		return 0, io.EOF
	}
	n := copy(p, r.data[r.read:])
	r.read += n
	return n, nil
}

func TestReadPackageHead(t *testing.T) {
	for order, complete := range map[string]bool{
		".BUILDINFO .CHANGELOG .INSTALL .MTREE .PKGINFO": true,
		".PKGINFO .BUILDINFO .INSTALL .MTREE":            true,
		".PKGINFO .INSTALL .MTREE":                       false,
		".MTREE .PKGINFO":                                false,
	} {
		plain := packageOf(t, strings.Fields(order)...)
		packed := map[string][]byte{"plain": plain, "gzip": gzipped(plain), "zstd": zstded(plain)}
		if order == ".MTREE .PKGINFO" { // the writer of xz is slow
			packed["xz"] = xzed(plain)
		}
		for kind, data := range packed {
			r := &rangeReader{data: data}
			h, err := ReadPackageHead(r)
			if err != nil {
				t.Errorf("%s, %s: %v", order, kind, err)
				continue
			}
			if h.Info.Name != "gcc" || (h.Build != nil) != complete || h.Build != nil && len(h.Build.Installed) != 1 {
				t.Errorf("%s, %s: %+v", order, kind, h)
			}
			if r.read > len(data)*2/3 {
				t.Errorf("%s, %s: read %d of %d bytes", order, kind, r.read, len(data))
			}
		}
	}
}

// TestReadPackageHeadAsksForMore fetches ranges as a mirror would give them.
func TestReadPackageHeadAsksForMore(t *testing.T) {
	plain := packageOf(t, ".BUILDINFO", ".MTREE", ".PKGINFO")
	for kind, data := range map[string][]byte{"plain": plain, "gzip": gzipped(plain), "zstd": zstded(plain), "xz": xzed(plain)} {
		for _, first := range []int64{0, 1, 100, 600, 8 << 10, 50 << 10} {
			size, tries := first, 0
			for {
				tries++
				h, err := ReadPackageHead(bytes.NewReader(data[:min(size, int64(len(data)))]))
				var short *ShortError
				if errors.As(err, &short) {
					if short.Want <= size || tries > 10 {
						t.Fatalf("%s from %d: %v after %d bytes", kind, first, err, size)
					}
					size = short.Want
					continue
				}
				if err != nil || h.Info.Name != "gcc" || h.Build == nil {
					t.Errorf("%s from %d: %+v, %v", kind, first, h, err)
				}
				break
			}
			if tries > 4 || size > int64(len(data)) {
				t.Errorf("%s from %d: %d tries, %d of %d bytes", kind, first, tries, size, len(data))
			}
		}
	}
}

func TestReadPackageHeadRefuses(t *testing.T) {
	noInfo := packageOf(t, ".MTREE")
	for name, data := range map[string][]byte{
		"no .PKGINFO":         noInfo,
		"no .PKGINFO in zstd": zstded(noInfo),
		"a web page":          []byte("<html>" + strings.Repeat("not found ", 200)),
		"hostile name":        tarOf(t, tar.FormatPAX, member{name: ".PKGINFO", body: "pkgname = ../x\npkgver = 1-1\n"}),
	} {
		var short *ShortError
		if h, err := ReadPackageHead(bytes.NewReader(data)); err == nil || errors.As(err, &short) {
			t.Errorf("%s: %+v, %v", name, h, err)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	only := tarOf(t, tar.FormatPAX, member{name: ".PKGINFO", body: gccPkgInfo})
	if h, err := ReadPackageHead(bytes.NewReader(gzipped(only))); err != nil || h.Info.Name != "gcc" {
		t.Errorf("a package without files: %+v, %v", h, err)
	}
}

func FuzzReadPackageHead(f *testing.F) {
	small := tarOf(f, tar.FormatPAX, member{name: ".BUILDINFO", body: gccBuildInfo}, member{name: ".INSTALL", body: "x"}, member{name: ".PKGINFO", body: gccPkgInfo})
	f.Add(small)
	f.Add(gzipped(small))
	f.Add(zstded(small))
	f.Add(xzed(small))
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := ReadPackageHead(bytes.NewReader(data)); err == nil && h.Info == nil {
			t.Error("a head without .PKGINFO")
		}
	})
}
