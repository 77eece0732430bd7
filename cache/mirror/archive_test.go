package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"devenv/cache"
	"devenv/cache/fetch"
)

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func TestPackage(t *testing.T) {
	s := newSite(t)
	here, dropped := pkg{name: "a", version: "1:2.0+3-1"}, pkg{name: "lib-b", version: "1-1", arch: "any"}
	s.write("core/os/x86_64/"+here.filename(), here.file(t))
	s.write("core/os/x86_64/"+here.filename()+".sig", []byte("sig"))
	s.publish(dropped)
	everywhere(t, s, func(t *testing.T, place string) {
		c := openCache(t)
		m := mirrorAt(c, place)
		for _, p := range []pkg{here, dropped} {
			data := p.file(t)
			f := File{Repo: "core", Filename: p.filename(), SHA256: sum(data), Size: int64(len(data))}
			for i := range 2 {
				got, err := m.Package(ctx, f)
				if err != nil {
					t.Fatal(err)
				}
				text, err := os.ReadFile(got.Path)
				if err != nil || string(text) != string(data) || got.Path != c.Package(f.SHA256, f.Filename) || (got.URL == "") != (i == 1) {
					t.Errorf("%+v, %v", got, err)
				}
				if sig, err := m.Signature(ctx, f); err != nil || !strings.HasPrefix(string(sig), "sig") {
					t.Errorf("%q, %v", sig, err)
				}
			}
			if err := m.ForgetSignature(f); err != nil {
				t.Error(err)
			}
		}
		_, err := m.Package(ctx, File{Repo: "core", Filename: "c-1-1-any.pkg.tar.zst", SHA256: strings.Repeat("0", 64)})
		wantWords(t, err, "c-1-1-any.pkg.tar.zst", strings.TrimPrefix(place, "file://"))
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%#v", err)
		}
		_, err = m.Package(ctx, File{Repo: "core", Filename: here.filename(), SHA256: strings.Repeat("0", 64)})
		wantWords(t, err, "want sha256 0000", sum(here.file(t)))
		for _, bad := range []string{"", "../../x-1-1-any.pkg.tar.zst", "x/y-1-1-any.pkg.tar.zst", ".a-1-1-any.pkg.tar.zst", "x-1-1-any.pkg.tar.zst.sig", "x", strings.Repeat("x", 180) + "-1-1-any.pkg.tar.zst"} {
			if _, err := m.Package(ctx, File{Repo: "core", Filename: bad}); err == nil {
				t.Errorf("accepted %q", bad)
			}
		}
	})
}

func TestPackageOfAnUnknownHash(t *testing.T) {
	s := newSite(t)
	p := pkg{name: "gcc", version: "13-1"}
	data := s.publish(p)
	c := openCache(t)
	got, err := mirrorAt(c, s.http.URL).Package(ctx, File{Filename: p.filename()})
	if err != nil || got.SHA256 != sum(data) || got.Path != c.Package(sum(data), p.filename()) {
		t.Fatalf("%+v, %v", got, err)
	}
	s.took()
	again, err := mirrorAt(c, s.http.URL).Package(ctx, File{Filename: p.filename()})
	if err != nil || again.Path != got.Path || len(s.took()) != 0 {
		t.Errorf("%+v, %v", again, err)
	}
	// A process was killed between the download and its naming.
	c = openCache(t)
	m := mirrorAt(c, s.http.URL)
	incoming := m.archivePath("incoming", p.filename())
	os.MkdirAll(filepath.Dir(incoming), 0o755)
	if err := os.WriteFile(incoming, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Package(ctx, File{Filename: p.filename()}); err != nil || got.SHA256 != sum(data) || len(s.took()) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	wantEmpty(t, filepath.Dir(incoming))
}

// Old days' files are asked of the archive first, recent ones of the mirrors.
func TestWherePackagesAreAskedFor(t *testing.T) {
	m := mirrorAt(openCache(t), "http://m")
	name := "gcc-1-1-any.pkg.tar.zst"
	server, archive := "http://m/core/os/x86_64/"+name, "http://m/archive/packages/g/gcc/"+name
	today := time.Now().UTC().Format(time.DateOnly)
	for _, test := range []struct {
		f    File
		want []string
	}{
		{File{Repo: "core", Filename: name}, []string{server, archive}},
		{File{Filename: name}, []string{archive}},
		{File{Repo: "core", Day: "2020-01-02", Filename: name}, []string{archive, "http://m/archive/repos/2020/01/02/core/os/x86_64/" + name, server}},
		{File{Repo: "core", Day: today, Filename: name}, []string{server, archive, "http://m/archive/repos/" + strings.ReplaceAll(today, "-", "/") + "/core/os/x86_64/" + name}},
	} {
		if got := m.packageURLs(test.f); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %q, want %q", test.f, got, test.want)
		}
	}
}

// history is an archive of one package's versions, and some others.
func history(t *testing.T) *site {
	s := newSite(t)
	s.publish(pkg{name: "gcc", version: "13.1-1", built: date("2024-01-01")})
	s.publish(pkg{name: "gcc", version: "13.1-1", suffix: ".pkg.tar.xz"})
	s.publish(pkg{name: "gcc", version: "9.3-2", suffix: ".pkg.tar.xz"})
	s.publish(pkg{name: "gcc", version: "1:2.0+r5+gabc-1", arch: "any", suffix: ".pkg.tar.gz"})
	s.publish(pkg{name: "gcc", version: "10.1-1"})
	s.publish(pkg{name: "gcc", version: "99-1", arch: "aarch64"})
	s.publish(pkg{name: "gcc-libs", version: "13.1-1"})
	s.write("archive/packages/g/gcc/README", nil)
	s.index(
		"gcc-libs-13.1-1-x86_64", "gcc-9.3-2-x86_64", "gcc-13.1-1-x86_64", "gcc-1:2.0+r5+gabc-1-any", "gcc-10.1-1-x86_64",
		"gcc-99-1-aarch64", "gcc-13.1-1-x86_64", "zlib-1-1-x86_64", "a-1-1-any", "")
	return s
}

func date(day string) time.Time {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return d
}

var gccVersions = []string{"1:2.0+r5+gabc-1", "13.1-1", "10.1-1", "9.3-2"}

func TestVersions(t *testing.T) {
	s := history(t)
	everywhere(t, s, func(t *testing.T, place string) {
		c := openCache(t)
		for range 2 {
			a := mirrorAt(c, place).Archive()
			for range 2 {
				got, err := a.Versions(ctx, "gcc")
				if err != nil || !slices.Equal(got, gccVersions) {
					t.Errorf("%q, %v", got, err)
				}
			}
			for _, none := range []string{"gc", "gcc-", "nothing", "", "../gcc", ".all", strings.Repeat("x", 300)} {
				if got, err := a.Versions(ctx, none); err != nil || len(got) > 0 {
					t.Errorf("%q: %q, %v", none, got, err)
				}
			}
		}
	})
}

func TestVersionsAreAskedForOnce(t *testing.T) {
	s := history(t)
	c := openCache(t)
	for range 3 {
		a := mirrorAt(c, s.http.URL).Archive()
		for _, name := range []string{"gcc", "gcc-libs", "gcc"} {
			if _, err := a.Versions(ctx, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := s.took(); !slices.Equal(got, []string{"GET /archive/packages/.all/index.0.xz"}) {
		t.Errorf("asked %q", got)
	}
}

func TestVersionsWithoutAnIndex(t *testing.T) {
	s := history(t)
	os.RemoveAll(filepath.Join(s.dir, "archive/packages/.all"))
	got, err := mirrorAt(openCache(t), s.http.URL).Archive().Versions(ctx, "gcc")
	if err != nil || !slices.Equal(got, gccVersions) {
		t.Errorf("%q, %v", got, err)
	}
}

// An index that was not written for days does not know what came since.
func TestVersionsWithAnOldIndex(t *testing.T) {
	s := history(t)
	old := time.Now().Add(-72 * time.Hour)
	s.index("gcc-8.1-1-x86_64", "gcc-9.3-2-x86_64")
	os.Chtimes(filepath.Join(s.dir, "archive/packages/.all/index.0.xz"), old, old)
	got, err := mirrorAt(openCache(t), s.http.URL).Archive().Versions(ctx, "gcc")
	if err != nil || !slices.Equal(got, append(slices.Clone(gccVersions), "8.1-1")) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestADamagedIndexIsThrownAway(t *testing.T) {
	s := history(t)
	s.write("archive/packages/.all/index.0.xz", []byte("\xfd7zXZ\x00 and then nothing"))
	c := openCache(t)
	_, err := mirrorAt(c, s.http.URL).Archive().Versions(ctx, "gcc")
	wantWords(t, err, "index of all packages", "damaged")
	wantEmpty(t, c.Path(cache.Archive))
}

func TestListedHasDatesAndSizes(t *testing.T) {
	s := history(t)
	everywhere(t, s, func(t *testing.T, place string) {
		kept, err := mirrorAt(openCache(t), place).Archive().Listed(ctx, "gcc")
		if err != nil || len(kept) != 5 {
			t.Fatalf("%+v, %v", kept, err)
		}
		for _, k := range kept {
			if k.Size == 0 || time.Since(k.Modified) > 2*time.Minute || k.Filename == "" {
				t.Errorf("%+v", k)
			}
		}
		if kept[1].Filename != "gcc-13.1-1-x86_64.pkg.tar.zst" {
			t.Errorf("the slower compression comes first: %q", kept[1].Filename)
		}
	})
}

func TestHeads(t *testing.T) {
	s := history(t)
	s.publish(pkg{name: "big", version: "1-1", padding: 900_000})
	everywhere(t, s, func(t *testing.T, place string) {
		c := openCache(t)
		for i := range 2 {
			a := mirrorAt(c, place).Archive()
			s.took()
			for _, want := range []struct{ name, version, file string }{
				{"gcc", "13.1-1", "gcc-13.1-1-x86_64.pkg.tar.zst"},
				{"gcc", "9.3-2", "gcc-9.3-2-x86_64.pkg.tar.xz"},
				{"gcc", "1:2.0+r5+gabc-1", "gcc-1:2.0+r5+gabc-1-any.pkg.tar.gz"},
				{"big", "1-1", "big-1-1-x86_64.pkg.tar.zst"},
			} {
				p, err := a.Package(ctx, want.name, want.version)
				if err != nil {
					t.Fatal(err)
				}
				info, err := os.Stat(filepath.Join(s.dir, "archive/packages", want.name[:1], want.name, want.file))
				if err != nil {
					t.Fatal(err)
				}
				if p.Version != want.version || p.Filename != want.file || p.Size != info.Size() || p.SHA256 != "" || len(p.Depends) != 1 {
					t.Errorf("%+v", p)
				}
				b, err := a.BuildInfo(ctx, want.name, want.version)
				if err != nil || len(b.Installed) != 1 || b.Installed[0].Name != "glibc" {
					t.Errorf("%+v, %v", b, err)
				}
			}
			if got := s.took(); i == 1 && len(got) > 0 {
				t.Errorf("asked again: %q", got)
			}
			_, err := a.Package(ctx, "gcc", "77-1")
			wantWords(t, err, "does not keep gcc 77-1", "devenv versions gcc")
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%#v", err)
			}
		}
	})
}

func TestAHeadTakesFewBytes(t *testing.T) {
	s := history(t)
	a := mirrorAt(openCache(t), s.http.URL).Archive()
	if _, err := a.Package(ctx, "gcc", "13.1-1"); err != nil {
		t.Fatal(err)
	}
	if got := s.took(); len(got) != 2 || !strings.HasSuffix(got[1], "bytes=0-65535") {
		t.Errorf("asked %q", got)
	}
}

// A version that the page no longer lists may still be redirected to where it went.
func TestAHeadOfWhatIsNotListed(t *testing.T) {
	s := history(t)
	s.forbid("/archive/packages/g/gcc/", 404)
	p, err := mirrorAt(openCache(t), s.http.URL).Archive().Package(ctx, "gcc", "9.3-2")
	if err != nil || p.Filename != "gcc-9.3-2-x86_64.pkg.tar.xz" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestBadHeads(t *testing.T) {
	s := newSite(t)
	s.publish(pkg{name: "liar", version: "1-1", claims: "truth"})
	whole := s.publish(pkg{name: "short", version: "1-1", padding: 500_000})
	s.write("archive/packages/s/short/short-1-1-x86_64.pkg.tar.zst", whole[:len(whole)/2])
	s.write("archive/packages/n/none/none-1-1-x86_64.pkg.tar.zst", []byte("this is no package"))
	everywhere(t, s, func(t *testing.T, place string) {
		c := openCache(t)
		a := mirrorAt(c, place).Archive()
		_, err := a.Package(ctx, "liar", "1-1")
		wantWords(t, err, "liar-1-1-x86_64.pkg.tar.zst", "truth")
		_, err = a.Package(ctx, "short", "1-1")
		wantWords(t, err, "short-1-1-x86_64.pkg.tar.zst", "cut short")
		_, err = a.Package(ctx, "none", "1-1")
		wantWords(t, err, "none-1-1-x86_64.pkg.tar.zst")
	})
}

func TestDayOf(t *testing.T) {
	s := newSite(t)
	versions := map[string]string{}
	day := date("2023-05-01")
	for i := range 60 {
		version := []string{"1-1", "2-1", "3-1", "4-1", "6-1"}[i/12]
		name := day.AddDate(0, 0, i).Format(time.DateOnly)
		repo := "extra"
		if name < communityUntil {
			repo = "community"
		}
		if i >= 2 {
			s.day(name, repo, pkg{name: "tool", version: version})
			if versions[version] == "" {
				versions[version] = name
			}
		}
		s.day(name, "core", pkg{name: "gcc", version: "1-1"})
	}
	for version := range versions {
		s.publish(pkg{name: "tool", version: version, built: date(versions[version]).AddDate(0, 0, -3)})
	}
	s.publish(pkg{name: "tool", version: "5-1", built: date("2023-06-18")})
	everywhere(t, s, func(t *testing.T, place string) {
		a := mirrorAt(openCache(t), place, "core", "extra").Archive()
		for version, want := range versions {
			if got, err := a.DayOf(ctx, "tool", version); err != nil || got != want {
				t.Errorf("%s: %q, %v, want %s", version, got, err, want)
			}
		}
		for _, never := range []string{"5-1", "9-1", "0-1"} {
			if got, err := a.DayOf(ctx, "tool", never); !errors.As(err, new(*NeverCurrentError)) || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %q, %v", never, got, err)
			}
		}
	})
}

func TestArchiveOffline(t *testing.T) {
	s := history(t)
	s.day("2024-01-02", "core", pkg{name: "gcc", version: "1-1"})
	c := openCache(t)
	off := fetch.Options{Offline: true}
	_, err := mirrorWith(c, s.http.URL, off).Archive().Versions(ctx, "gcc")
	wantWords(t, err, "DEVENV_OFFLINE")
	a := mirrorAt(c, s.http.URL).Archive()
	a.Versions(ctx, "gcc")
	a.Package(ctx, "gcc", "13.1-1")
	a.Days(ctx)
	s.took()
	a = mirrorWith(c, s.http.URL, off).Archive()
	if got, err := a.Versions(ctx, "gcc"); err != nil || len(got) != 4 {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := a.Package(ctx, "gcc", "13.1-1"); err != nil {
		t.Error(err)
	}
	if days, err := a.Days(ctx); err != nil || len(days) != 1 {
		t.Errorf("%q, %v", days, err)
	}
	if _, err := a.Package(ctx, "gcc", "10.1-1"); err == nil {
		t.Error("found what was never fetched")
	}
	if got := s.took(); len(got) > 0 {
		t.Errorf("asked %q", got)
	}
}
