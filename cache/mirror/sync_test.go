package mirror

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devenv/cache"
	"devenv/cache/fetch"
)

var ctx = context.Background()

func TestSync(t *testing.T) {
	s := newSite(t)
	s.today("core", pkg{name: "gcc", version: "14.2.1-1"})
	s.day("2024-01-02", "core", pkg{name: "gcc", version: "13.1-1"}, pkg{name: "make", version: "4-1"})
	everywhere(t, s, func(t *testing.T, place string) {
		c := openCache(t)
		for range 2 { // the second process finds the indexes of the first
			m := mirrorAt(c, place)
			for day, want := range map[string]string{"": "14.2.1-1", "2024-01-02": "13.1-1"} {
				index, info, err := m.Sync(ctx, "core", day, Options{})
				if err != nil {
					t.Fatal(err)
				}
				if p := index.Lookup("gcc"); p == nil || p.Version != want {
					t.Errorf("day %q: %v", day, p)
				}
				if info.Day != day || info.Repo != "core" || info.URL == "" || info.Stale {
					t.Errorf("%+v", info)
				}
				if _, err := os.Stat(filepath.Join(c.Dir(), info.File)); err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(filepath.Join(c.Dir(), info.File+".idx")); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

func TestSyncAsksAsLittleAsItCan(t *testing.T) {
	s := newSite(t)
	s.today("core", pkg{name: "gcc", version: "1-1"})
	s.day("2024-01-02", "core", pkg{name: "gcc", version: "1-1"})
	c := openCache(t)
	for range 3 {
		m := mirrorAt(c, s.http.URL)
		for _, day := range []string{"", "2024-01-02"} {
			if _, _, err := m.Sync(ctx, "core", day, Options{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := s.took(); len(got) != 2 {
		t.Errorf("asked %q", got)
	}
	m := mirrorAt(c, s.http.URL)
	s.today("core", pkg{name: "gcc", version: "2-1"})
	// Servers tell dates by the second.
	later := time.Now().Add(time.Hour)
	os.Chtimes(filepath.Join(s.dir, "core/os/x86_64/core.db"), later, later)
	for _, want := range []struct {
		refresh bool
		version string
	}{{false, "1-1"}, {true, "2-1"}} {
		index, _, err := m.Sync(ctx, "core", "", Options{Refresh: want.refresh})
		if err != nil || index.Lookup("gcc").Version != want.version {
			t.Errorf("refresh %v: %v, %v", want.refresh, index.Lookup("gcc"), err)
		}
	}
	if _, _, err := m.Sync(ctx, "core", "2024-01-02", Options{Refresh: true}); err != nil {
		t.Fatal(err)
	}
	if got := s.took(); len(got) != 1 {
		t.Errorf("asked %q", got)
	}
}

func TestSyncSeesAFileThatChangedHere(t *testing.T) {
	s := newSite(t)
	c := openCache(t)
	m := mirrorAt(c, s.dir)
	for _, version := range []string{"1-1", "2-1", "3-1"} {
		s.today("core", pkg{name: "gcc", version: version})
		s.day("2024-01-02", "core", pkg{name: "gcc", version: version})
		for _, day := range []string{"", "2024-01-02"} {
			index, _, err := m.Sync(ctx, "core", day, Options{})
			if err != nil || index.Lookup("gcc").Version != version {
				t.Errorf("%q: %v, %v", day, index.Lookup("gcc"), err)
			}
		}
	}
}

func TestSyncAllIsInOrder(t *testing.T) {
	s := newSite(t)
	repos := []string{"core", "extra", "team"}
	for _, repo := range repos {
		s.today(repo, pkg{name: repo + "-pkg", version: "1-1"})
	}
	all, err := mirrorAt(openCache(t), s.http.URL).SyncAll(ctx, repos, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, repo := range repos {
		if all[i].Info.Repo != repo || all[i].Index.Lookup(repo+"-pkg") == nil {
			t.Errorf("%d: %+v", i, all[i].Info)
		}
	}
	_, err = mirrorAt(openCache(t), s.http.URL).SyncAll(ctx, []string{"core", "nothing"}, "", Options{})
	wantWords(t, err, "no repository nothing for x86_64", "[mirrors]")
	if !errors.As(err, new(*NoRepoError)) {
		t.Errorf("%#v", err)
	}
}

// TestUnreadDatabase: what is packed as nothing here reads is not damaged.
func TestUnreadDatabase(t *testing.T) {
	s := newSite(t)
	s.write("core/os/x86_64/core.db", []byte("\x04\x22\x4d\x18"+strings.Repeat("x", 600)))
	everywhere(t, s, func(t *testing.T, place string) {
		_, _, err := mirrorAt(openCache(t), place).Sync(ctx, "core", "", Options{})
		wantWords(t, err, "core", "cannot be read", "lz4")
		if err != nil && strings.Contains(err.Error(), "damaged") {
			t.Error(err)
		}
	})
}

func TestDamagedDatabases(t *testing.T) {
	good, bad := newSite(t), newSite(t)
	good.today("core", pkg{name: "gcc", version: "1-1"})
	whole, err := os.ReadFile(filepath.Join(good.dir, "core/os/x86_64/core.db"))
	if err != nil {
		t.Fatal(err)
	}
	bad.write("core/os/x86_64/core.db", whole[:len(whole)/2])
	bad.write("archive/repos/2024/01/02/core/os/x86_64/core.db", []byte("hello"))
	everywhere(t, bad, func(t *testing.T, place string) {
		c := openCache(t)
		m := mirrorAt(c, place)
		for _, day := range []string{"", "2024-01-02"} {
			_, _, err := m.Sync(ctx, "core", day, Options{})
			wantWords(t, err, "core", "damaged", "thrown away")
			if !errors.As(err, new(*DamagedError)) {
				t.Errorf("%#v", err)
			}
		}
		wantEmpty(t, c.Path(cache.Sync), c.Path(cache.Archive))
		m.cfg.Servers = append(m.cfg.Servers, good.http.URL+"/$repo/os/$arch")
		index, info, err := m.Sync(ctx, "core", "", Options{})
		if err != nil || index.Lookup("gcc") == nil || !strings.HasPrefix(info.URL, good.http.URL) {
			t.Errorf("%+v, %v", info, err)
		}
	})
}

// wantEmpty checks that no file is anywhere below dirs.
func wantEmpty(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				t.Errorf("%s was left", path)
			}
			return nil
		})
	}
}

func TestDamageInTheCacheIsMended(t *testing.T) {
	s := newSite(t)
	s.day("2024-01-02", "core", pkg{name: "gcc", version: "1-1"})
	for _, damage := range []string{"", ".idx"} {
		c := openCache(t)
		_, info, err := mirrorAt(c, s.http.URL).Sync(ctx, "core", "2024-01-02", Options{})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(c.Dir(), info.File)
		text, err := os.ReadFile(path + damage)
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)/2] ^= 1
		if err := os.WriteFile(path+damage, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if damage == "" {
			later := time.Now().Add(time.Second)
			os.Chtimes(path, later, later)
		}
		index, _, err := mirrorAt(c, s.http.URL).Sync(ctx, "core", "2024-01-02", Options{})
		if err != nil || index.Lookup("gcc") == nil {
			t.Errorf("damaged %q: %v", damage, err)
		}
	}
}

func TestSyncByManyAtOnce(t *testing.T) {
	s := newSite(t)
	s.today("core", pkg{name: "gcc", version: "1-1"})
	c := openCache(t)
	var wg sync.WaitGroup
	for range 8 {
		m := mirrorAt(c, s.http.URL)
		wg.Go(func() {
			if index, _, err := m.Sync(ctx, "core", "", Options{}); err != nil || index.Lookup("gcc") == nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := s.took(); len(got) != 1 {
		t.Errorf("asked %q", got)
	}
}

func TestMissingDays(t *testing.T) {
	s := newSite(t)
	for _, day := range []string{"2023-12-30", "2024-01-02", "2024-01-05", "2024-03-01"} {
		s.day(day, "core", pkg{name: "gcc", version: "1-1"})
	}
	everywhere(t, s, func(t *testing.T, place string) {
		m := mirrorAt(openCache(t), place)
		for day, want := range map[string][2]string{
			"2024-01-04": {"2024-01-02", "2024-01-05"},
			"2024-01-01": {"2023-12-30", "2024-01-02"},
			"2024-02-10": {"2024-01-05", "2024-03-01"},
			"2019-02-10": {"", "2023-12-30"},
			"2030-02-10": {"2024-03-01", ""},
		} {
			_, _, err := m.Sync(ctx, "core", day, Options{})
			var missing *NoDayError
			if !errors.As(err, &missing) || missing.Before != want[0] || missing.After != want[1] {
				t.Errorf("%s: %v", day, err)
			}
			wantWords(t, err, day, want[0], want[1])
		}
		_, _, err := m.Sync(ctx, "core", "2019-02-10", Options{})
		wantWords(t, err, "no longer keeps")
		_, _, err = m.Sync(ctx, "extra", "2024-01-02", Options{})
		wantWords(t, err, "no repository extra for x86_64 on 2024-01-02", "there are core")
		if !errors.As(err, new(*NoRepoError)) {
			t.Errorf("%#v", err)
		}
		for _, day := range []string{"2024-1-2", "yesterday", "../../etc"} {
			_, _, err = m.Sync(ctx, "core", day, Options{})
			wantWords(t, err, "is no day")
		}
		_, _, err = m.Sync(ctx, "../core", "", Options{})
		wantWords(t, err, "no repository's name")
		days, err := m.Archive().Days(ctx)
		if err != nil || !slices.Equal(days, []string{"2023-12-30", "2024-01-02", "2024-01-05", "2024-03-01"}) {
			t.Errorf("%v, %v", days, err)
		}
	})
}

func TestNoArchive(t *testing.T) {
	m := New(openCache(t), fetch.New(fetch.Options{}), Config{Arch: "x86_64"})
	_, _, err := m.Sync(ctx, "core", "2024-01-02", Options{})
	wantWords(t, err, "no archive is known", "[mirrors]")
	_, _, err = m.Sync(ctx, "core", "", Options{})
	wantWords(t, err, "no server is known", "core")
	if versions, err := m.Archive().Versions(ctx, "gcc"); err != nil || len(versions) > 0 {
		t.Errorf("%v, %v", versions, err)
	}
	if days, err := m.Archive().Days(ctx); err != nil || len(days) > 0 {
		t.Errorf("%v, %v", days, err)
	}
	if _, err := m.Archive().Package(ctx, "gcc", "1-1"); err == nil {
		t.Error("found a package")
	}
}

func TestOfflineUsesWhatIsThere(t *testing.T) {
	s := newSite(t)
	s.today("core", pkg{name: "gcc", version: "1-1"})
	c := openCache(t)
	_, _, err := mirrorWith(c, s.http.URL, fetch.Options{Offline: true}).Sync(ctx, "core", "", Options{})
	wantWords(t, err, "core", "DEVENV_OFFLINE")
	if _, _, err := mirrorAt(c, s.http.URL).Sync(ctx, "core", "", Options{}); err != nil {
		t.Fatal(err)
	}
	m := mirrorWith(c, s.http.URL, fetch.Options{Offline: true})
	m.cfg.Fresh = time.Nanosecond
	index, info, err := m.Sync(ctx, "core", "", Options{Refresh: true})
	if err != nil || index.Lookup("gcc") == nil || !info.Stale || info.Checked.IsZero() {
		t.Errorf("%+v, %v", info, err)
	}
	if got := s.took(); len(got) != 1 {
		t.Errorf("asked %q", got)
	}
}

func TestARepositoryOfItsOwn(t *testing.T) {
	s, team := newSite(t), newSite(t)
	s.day("2024-01-02", "core", pkg{name: "gcc", version: "1-1"})
	tool := pkg{name: "tool", version: "1-1"}
	team.write("team.db", dbOf(t, tool))
	team.write(tool.filename(), tool.file(t))
	m := mirrorAt(openCache(t), s.http.URL)
	m.cfg.Extra = []ExtraRepo{{Name: "team", Servers: []string{team.http.URL}}}
	all, err := m.SyncAll(ctx, []string{"core", "team"}, "2024-01-02", Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := all[1].Index.Lookup("tool")
	if p == nil || all[1].Info.Day != "" {
		t.Fatalf("%+v", all[1].Info)
	}
	got, err := m.Package(ctx, File{Repo: "team", Filename: p.Filename, SHA256: p.SHA256, Size: p.Size, Day: "2024-01-02"})
	if err != nil || !strings.HasPrefix(got.URL, team.http.URL) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSyncFiles(t *testing.T) {
	s := newSite(t)
	s.write("core/os/x86_64/core.files", []byte("files"))
	m := mirrorAt(openCache(t), s.http.URL)
	path, info, err := m.SyncFiles(ctx, "core", "", Options{})
	text, _ := os.ReadFile(path)
	if err != nil || string(text) != "files" || info.Repo != "core" {
		t.Errorf("%q, %+v, %v", text, info, err)
	}
}
