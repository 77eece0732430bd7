package alpm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// member is an entry of an archive made by a test.
type member struct {
	name string
	body string
	kind byte
}

func tarOf(t testing.TB, format tar.Format, members ...member) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if m.kind == 0 {
			m.kind = tar.TypeReg
		}
		if err := w.WriteHeader(&tar.Header{Name: m.name, Typeflag: m.kind, Size: int64(len(m.body)), Mode: 0o644, Format: format}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m.body)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func zstded(data []byte) []byte {
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func xzed(data []byte) []byte {
	var b bytes.Buffer
	w, _ := xz.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// bzip2ed is a database of gccDesc by bzip2(1), which Go cannot write.
const bzip2ed = "" +
	"QlpoOTFBWSZTWZ2vepIAAR3fkdyQQgv/93//35D/799wBAAAgAAIMAF4WKhqCmj0npNHqaAAAAZAA0aBo0BoNTI1U/JimTGpqGjQ" +
	"AAaNBkA0eoAeoEkimjI1N6k2hNNGh6mgZAxqD1AA0GgS9TVP5EcQIhoimYtyyVhDII/XJLJ2+7tSrDx+INhmwXrWOGK2C0sgqiIM" +
	"Ii0OLt/hanz2ODlo6HLre7npTkynaKiZL9ZJXA1wujQg8KjgnBn6X/U925HybWNhFnA4EU5X52M7PYkzZTMDGSvYoqF55fVYIpGx" +
	"Ps2Ajr2n5+oJAKJBlAI29VFakOBK9EBfGD6AjSo7ldo77V0uDk83jVz9+GZewWNPFnMSBdYfNeyZG53HOpzLROsivwhSqK1UZ/QL" +
	"YUKJ56aZMdftoEc3ajSGs6FVRWBrpgY0FWmKQDKTXo8EikI3NWHMYj0IpApGcnOfGO9xQaGYJsNYpjeIysBIaycRYgfZMWoYWnQQ" +
	"bwsUhODwd0LQIW+IM2GM/pckKTVG7ur3UiBdYhEdfQEsaIhgWSFUspINpCSH7PguNnUhg30A8lSimixUQwMqEQ9WYzV+QlYWE5XF" +
	"NshP4u5IpwoSE7XvUkA="

const gccDesc = "%FILENAME%\ngcc-14.2.1+r753-1-x86_64.pkg.tar.zst\n\n%NAME%\ngcc\n\n%BASE%\ngcc\n\n%VERSION%\n14.2.1+r753-1\n\n" +
	"%DESC%\nThe GNU Compiler Collection\n\n%GROUPS%\nbase-devel\ntools\n\n%CSIZE%\n47000000\n\n%ISIZE%\n190000000\n\n" +
	"%MD5SUM%\n0\n\n%SHA256SUM%\nABCDEF\n\n%URL%\nhttps://gcc.gnu.org\n\n%LICENSE%\nGPL\n\n%ARCH%\nx86_64\n\n" +
	"%BUILDDATE%\n1700000000\n\n%PACKAGER%\nA <a@b>\n\n%WHATEVER%\nx\n%NAME%\n\n%REPLACES%\ngcc-old\n\n" +
	"%CONFLICTS%\ngcc-old<3\n\n%PROVIDES%\ncc\nlibgo.so=23-64\n\n%DEPENDS%\ngcc-libs=14.2.1+r753-1\nbinutils>=2.28\n\n" +
	"%OPTDEPENDS%\nlib32-gcc-libs: for 32 bit\n\n%MAKEDEPENDS%\ndoxygen\n\n"

var gccPackage = &Package{
	Name: "gcc", Base: "gcc", Version: "14.2.1+r753-1", Arch: "x86_64", Desc: "The GNU Compiler Collection",
	URL: "https://gcc.gnu.org", Packager: "A <a@b>", Licenses: []string{"GPL"}, Groups: []string{"base-devel", "tools"},
	Depends:    []Dep{{"gcc-libs", EQ, "14.2.1+r753-1"}, {"binutils", GE, "2.28"}},
	OptDepends: []string{"lib32-gcc-libs: for 32 bit"},
	Provides:   []Dep{{Name: "cc"}, {"libgo.so", EQ, "23-64"}},
	Conflicts:  []Dep{{"gcc-old", LT, "3"}}, Replaces: []Dep{{Name: "gcc-old"}},
	BuildDate: 1700000000, Size: 47000000, InstalledSize: 190000000,
	Filename: "gcc-14.2.1+r753-1-x86_64.pkg.tar.zst", SHA256: "abcdef",
}

func TestReadDatabaseForms(t *testing.T) {
	descOnly := []member{{name: "gcc-14.2.1+r753-1/", kind: tar.TypeDir}, {name: "gcc-14.2.1+r753-1/desc", body: gccDesc}}
	at := strings.Index(gccDesc, "%REPLACES%")
	split := []member{
		{name: "gcc-14.2.1+r753-1/depends", body: gccDesc[at:]},
		{name: "acl-1-1/desc", body: "%NAME%\nacl\n"},
		{name: "gcc-14.2.1+r753-1/desc", body: gccDesc[:at]},
	}
	dotted := []member{{name: "./", kind: tar.TypeDir}, {name: "./gcc-14.2.1+r753-1/desc", body: gccDesc}}
	crlf := []member{{name: "gcc-14.2.1+r753-1/desc", body: strings.ReplaceAll(gccDesc, "\n", "\r\n")}}
	other := append([]member{
		{name: "README", body: "hello"}, {name: "gcc-14.2.1+r753-1/sub/desc", body: "x"},
		{name: "gcc-14.2.1+r753-1/files", body: "%FILES%\nusr/\n"}, {name: "gcc-14.2.1+r753-1/link", kind: tar.TypeSymlink},
	}, descOnly...)
	for name, data := range map[string][]byte{
		"desc alone": gzipped(tarOf(t, tar.FormatPAX, descOnly...)),
		"desc and depends, apart and out of order": gzipped(tarOf(t, tar.FormatUSTAR, split...)),
		"leading ./":  gzipped(tarOf(t, tar.FormatGNU, dotted...)),
		"CR LF":       gzipped(tarOf(t, tar.FormatPAX, crlf...)),
		"other files": gzipped(tarOf(t, tar.FormatPAX, other...)),
		"zstd":        zstded(tarOf(t, tar.FormatPAX, descOnly...)),
		"xz":          xzed(tarOf(t, tar.FormatPAX, descOnly...)),
		"plain":       tarOf(t, tar.FormatPAX, descOnly...),
		"two members": append(gzipped(tarOf(t, tar.FormatPAX, descOnly...)[:1024]), gzipped(tarOf(t, tar.FormatPAX, descOnly...)[1024:])...),
		"no end mark": gzipped(tarOf(t, tar.FormatPAX, descOnly...)[:512+512+1024]),
	} {
		for _, r := range []io.Reader{bytes.NewReader(data), iotest.OneByteReader(bytes.NewReader(data))} {
			pkgs, err := ReadDatabase(r)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if last := pkgs[len(pkgs)-1]; !reflect.DeepEqual(last, gccPackage) {
				t.Errorf("%s: read\n%+v, want\n%+v", name, last, gccPackage)
			}
		}
	}
	if pkgs, err := ReadDatabase(bytes.NewReader(gzipped(tarOf(t, tar.FormatPAX)))); err != nil || len(pkgs) != 0 {
		t.Errorf("empty database: %v, %v", pkgs, err)
	}
}

func TestReadDatabaseLongNames(t *testing.T) {
	name := strings.Repeat("long-", 40) + "name"
	for _, format := range []tar.Format{tar.FormatPAX, tar.FormatGNU} {
		data := gzipped(tarOf(t, format, member{name: name + "-1-1/desc", body: "%DESC%\nd\n\n"}))
		pkgs, err := ReadDatabase(bytes.NewReader(data))
		if err != nil || len(pkgs) != 1 || pkgs[0].Name != name || pkgs[0].Desc != "d" {
			t.Errorf("%v: %+v, %v", format, pkgs, err)
		}
	}
}

func TestReadDatabaseKeepsVersions(t *testing.T) {
	data := gzipped(tarOf(t, tar.FormatPAX,
		member{name: "b-2-1/desc"}, member{name: "b-1-1/desc"}, member{name: "a-1-1/desc"}))
	pkgs, err := ReadDatabase(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range pkgs {
		got = append(got, p.Name+"-"+p.Version)
	}
	if fmt.Sprint(got) != "[a-1-1 b-2-1 b-1-1]" {
		t.Errorf("%v", got)
	}
}

func TestReadDatabaseRefuses(t *testing.T) {
	small := tarOf(t, tar.FormatPAX, member{name: "gcc-1-1/desc", body: gccDesc})
	badSum := bytes.Clone(small)
	badSum[148] ^= 1
	for name, data := range map[string][]byte{
		"nothing that is a tar":              []byte("<html>not found</html>" + strings.Repeat(" ", 1000)),
		"short rubbish":                      []byte("404"),
		"damaged header":                     badSum,
		"bad directory name":                 tarOf(t, tar.FormatPAX, member{name: "gcc/desc"}),
		"name without release":               tarOf(t, tar.FormatPAX, member{name: "gcc-1/desc"}),
		"depends without desc":               tarOf(t, tar.FormatPAX, member{name: "gcc-1-1/depends"}),
		"truncated tar":                      small[:700],
		"file name that leads out":           tarOf(t, tar.FormatPAX, member{name: "gcc-1-1/desc", body: "%FILENAME%\n../../etc/x\n\n"}),
		"hidden file name":                   tarOf(t, tar.FormatPAX, member{name: "gcc-1-1/desc", body: "%FILENAME%\n.x\n\n"}),
		"option for a name":                  tarOf(t, tar.FormatPAX, member{name: "-rf-1-1/desc"}),
		"name and version too long together": tarOf(t, tar.FormatPAX, member{name: strings.Repeat("x", 300) + "-1-1/desc"}),
		"gzip's magic alone":                 {0x1f, 0x8b},
		"zstd's magic alone":                 {0x28, 0xb5, 0x2f, 0xfd},
		"xz's magic alone":                   []byte("\xfd7zXZ\x00"),
		"bzip2's magic alone":                []byte("BZh9"),
	} {
		if pkgs, err := ReadDatabase(bytes.NewReader(data)); err == nil {
			t.Errorf("%s: %v", name, pkgs)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}

func TestReadDatabaseSeesTruncation(t *testing.T) {
	whole := tarOf(t, tar.FormatPAX, member{name: "gcc-1-1/desc", body: gccDesc})
	for name, data := range map[string][]byte{"gzip": gzipped(whole), "zstd": zstded(whole), "xz": xzed(whole)} {
		for n := 8; n < len(data); n += 1 + len(data)/200 {
			if _, err := ReadDatabase(bytes.NewReader(data[:n])); err == nil {
				t.Errorf("%s cut to %d of %d bytes is no error", name, n, len(data))
			}
		}
	}
}

func TestReadDatabaseLimits(t *testing.T) {
	zeros := make([]byte, 80<<20)
	huge := tarOf(t, tar.FormatPAX, member{name: "gcc-1-1/desc", body: gccDesc})
	huge = append(huge[:len(huge)-1024], zeros...)
	header := tarOf(t, tar.FormatGNU, member{name: "gcc-1-1/desc"})[:512]
	copy(header[124:], "77777777777\x00")
	fixChecksum(header)
	for name, data := range map[string][]byte{
		"zip bomb":       gzipped(huge),
		"zstd bomb":      zstded(huge),
		"one huge entry": gzipped(append(header, zeros[:1024]...)),
		"too many values": gzipped(tarOf(t, tar.FormatPAX,
			member{name: "gcc-1-1/desc", body: "%GROUPS%\n" + strings.Repeat("a\n", maxListValues+1)})),
		"long pax record": gzipped(tarOf(t, tar.FormatPAX, member{name: strings.Repeat("a", maxName+10) + "-1-1/desc"})),
	} {
		_, err := ReadDatabase(bytes.NewReader(data))
		var limit *LimitError
		if !errors.As(err, &limit) {
			t.Errorf("%s: %v, want a LimitError", name, err)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}

func fixChecksum(header []byte) {
	copy(header[148:156], "        ")
	sum := 0
	for _, c := range header {
		sum += int(c)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
}

func TestReadFiles(t *testing.T) {
	data := gzipped(tarOf(t, tar.FormatPAX,
		member{name: "a-1-1/", kind: tar.TypeDir}, member{name: "a-1-1/desc", body: "%NAME%\na\n"},
		member{name: "a-1-1/files", body: "%FILES%\nusr/\nusr/bin/\nusr/bin/a b\n"},
		member{name: "b-2:1-1/files", body: "%FILES%\n\n"}, member{name: "c-1-1/files", body: "%FILES%\netc/\n\n"}))
	var got []string
	err := ReadFiles(bytes.NewReader(data), func(name, version string, files []string) error {
		got = append(got, fmt.Sprintf("%s %s %q", name, version, files))
		return nil
	})
	if want := []string{`a 1-1 ["usr/" "usr/bin/" "usr/bin/a b"]`, `b 2:1-1 []`, `c 1-1 ["etc/"]`}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	stop := errors.New("stop")
	if err := ReadFiles(bytes.NewReader(data), func(string, string, []string) error { return stop }); err != stop {
		t.Errorf("%v, want the callback's own error", err)
	}
	if err := ReadFiles(bytes.NewReader(data[:len(data)-9]), func(string, string, []string) error { return nil }); err == nil {
		t.Error("a truncated database is no error")
	}
}

func TestReadDatabaseBzip2(t *testing.T) {
	data, err := base64.StdEncoding.DecodeString(bzip2ed)
	if err != nil {
		t.Fatal(err)
	}
	pkgs, err := ReadDatabase(bytes.NewReader(data))
	if err != nil || len(pkgs) != 1 || !reflect.DeepEqual(pkgs[0], gccPackage) {
		t.Errorf("%+v, %v", pkgs, err)
	}
}

func FuzzReadDatabase(f *testing.F) {
	whole := tarOf(f, tar.FormatPAX, member{name: "gcc-1-1/desc", body: gccDesc})
	f.Add(whole)
	f.Add(gzipped(whole))
	f.Add(zstded(whole))
	f.Add(tarOf(f, tar.FormatGNU, member{name: strings.Repeat("x", 200) + "-1-1/depends", body: gccDesc}, member{name: "a-1-1/files", body: "%FILES%\na\n"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		pkgs, err := ReadDatabase(bytes.NewReader(data))
		if err == nil {
			NewIndex(pkgs)
		}
		ReadFiles(bytes.NewReader(data), func(string, string, []string) error { return nil })
	})
}

func FuzzDesc(f *testing.F) {
	f.Add(gccDesc)
	f.Fuzz(func(t *testing.T, text string) {
		var p Package
		var r fieldReader
		if r.read(text, &p) == nil {
			if got := NewIndex([]*Package{&p}).Lookup(""); got != &p {
				t.Errorf("lost %+v", p)
			}
		}
		ReadLocalDesc(strings.NewReader(text))
		ReadLocalFiles(strings.NewReader(text))
	})
}
