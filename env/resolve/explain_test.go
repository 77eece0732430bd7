package resolve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// gccDays is an archive of six days, with a gcc of a new major version every
// second one, and of the packages one by one.
func gccDays(t *testing.T) (today []*Repo, archive *shelfArchive, history *History) {
	day := func(date string) []*Repo {
		var month int
		fmt.Sscanf(date, "2024-%d-01", &month)
		v := 12 + (month+1)/2
		return []*Repo{repo(t, "core", fmt.Sprintf(`
			gcc %[1]d-1 depends=gcc-libs=%[1]d-1,glibc
			gcc-libs %[1]d-1 depends=glibc
			gcc-fortran %[1]d-1 depends=gcc=%[1]d-1
			glibc 2.%[2]d-1
			vim 9-1
			gvim 9-1 conflicts=vim
			broken 1-1 depends=nowhere
			worse 1-1 depends=nowhere`, v, 30+month))}
	}
	archive = archiveOf(t, `
		gcc 14-2 depends=gcc-libs=14-2
		gcc 14-1 depends=gcc-libs=14-1
		gcc 13-1 depends=gcc-libs=13-1
		gcc-libs 14-2
		gcc-libs 14-1
		gcc-libs 13-1
		gcc-fortran 14-1 depends=gcc=14-1`)
	history = &History{
		Days: func(context.Context) ([]string, error) {
			return strings.Fields("2024-01-01 2024-02-01 2024-03-01 2024-04-01 2024-05-01 2024-06-01"), nil
		},
		At: func(_ context.Context, date string) ([]*Repo, error) { return day(date), nil },
	}
	return day("2024-06-01"), archive, history
}

// TestConflict holds refusals to their words: each reason is needed, and each
// change works.
func TestConflict(t *testing.T) {
	for _, c := range []struct {
		name, wants string
		days        bool
		want        string
	}{
		{"a partner of today for a package of then", "gcc = 14;gcc-fortran", true, `
these cannot be had together:
  devenv.toml: gcc = 14 asks for gcc 14-2 or 14-1 of the archive
  devenv.toml: gcc-fortran asks for gcc-fortran 15-1
  gcc-fortran 15-1 needs gcc=15-1
  only one version of gcc can be there: 14-2 or 14-1 or 15-1
what would work:
  snapshot = "2024-04-01", a day on which gcc was 14-1
  gcc-fortran = "14-1" (devenv.toml: gcc-fortran)
  no pin on gcc: that gives 15-1 (devenv.toml: gcc = 14)`},
		{"two pins that do not go together", "gcc = 14;gcc-libs >= 15", false, `
these cannot be had together:
  devenv.toml: gcc = 14 asks for gcc 14-2 or 14-1 of the archive
  gcc 14-2 needs gcc-libs=14-2, gcc 14-1 needs gcc-libs=14-1
  devenv.toml: gcc-libs >= 15 asks for gcc-libs 15-1
  only one version of gcc-libs can be there: 15-1 or 14-2 or 14-1
what would work:
  no pin on gcc: that gives 15-1 (devenv.toml: gcc = 14)
  no pin on gcc-libs: that gives 14-2 (devenv.toml: gcc-libs >= 15)`},
		{"no such version", "gcc = 14.3", false, `
these cannot be had together:
  devenv.toml: gcc = 14.3 asks for a version that there is not: there is gcc 15-1, and in the archive 13-1 to 14-2
what would work:
  gcc = "14-2" (devenv.toml: gcc = 14.3)
  no pin on gcc: that gives 15-1 (devenv.toml: gcc = 14.3)`},
		{"no pin to give up", "vim;gvim;gcc", true, `
these cannot be had together:
  devenv.toml: vim asks for vim 9-1
  devenv.toml: gvim asks for gvim 9-1
  gvim 9-1 is in conflict with vim 9-1
what would work:
  do without vim (devenv.toml: vim)
  do without gvim (devenv.toml: gvim)`},
		{"two conflicts", "vim;gvim;gcc = 14.3", false, `
these cannot be had together:
  devenv.toml: gcc = 14.3 asks for a version that there is not: there is gcc 15-1, and in the archive 13-1 to 14-2
what would work:
  no pin on gcc (devenv.toml: gcc = 14.3), and do without vim (devenv.toml: vim)`},
		{"a pin on what must go anyway", "broken < 1;worse < 1", false, `
these cannot be had together:
  devenv.toml: broken < 1 asks for a version that there is not: there is broken 1-1
what would work:
  do without broken (devenv.toml: broken < 1), and do without worse (devenv.toml: worse < 1)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := Request{Wants: wants(strings.Split(c.wants, ";")...)}
			var history *History
			req.Repos, req.Archive, history = gccDays(t)
			if c.days {
				req.History = history
			}
			_, err := solve(t, req)
			var conflict *Conflict
			if !errors.As(err, &conflict) || "\n"+err.Error() != c.want {
				t.Errorf("got\n%v\nwant%s", err, c.want)
			}
		})
	}
}

// TestManyVersions has a range that a hundred archived versions meet, none of
// which helps: that is said in a few lines, after a bounded number of looks.
func TestManyVersions(t *testing.T) {
	var text strings.Builder
	for v := range 100 {
		fmt.Fprintf(&text, "a %d-1 conflicts=q depends=b=%d\nb %d-1\n", v, v, v)
	}
	archive := archiveOf(t, text.String())
	_, err := solve(t, Request{
		Repos: []*Repo{repo(t, "core", "a 100-1 conflicts=q\nq 1-1")}, Archive: archive, Wants: wants("a >= 1", "q"),
	})
	const want = `these cannot be had together:
  devenv.toml: a >= 1 asks for a 100-1, 99-1, 98-1 or 62 others
  devenv.toml: q asks for q 1-1
  a 100-1, 99-1, 98-1 or 62 others is in conflict with q 1-1
what would work:
  do without a (devenv.toml: a >= 1)
  do without q (devenv.toml: q)`
	if fmt.Sprint(err) != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if len(archive.asked) > 3*maxTried {
		t.Errorf("%d questions to the archive", len(archive.asked))
	}
}

func TestConflictAsData(t *testing.T) {
	req := Request{Wants: wants("gcc = 14", "gcc-fortran")}
	req.Repos, req.Archive, req.History = gccDays(t)
	_, err := solve(t, req)
	data, jsonErr := json.Marshal(err)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	for _, part := range []string{
		`"text":"gcc = 14 asks for gcc 14-2 or 14-1 of the archive","origin":"devenv.toml: gcc = 14","package":"gcc"`,
		`"text":"gcc-fortran 15-1 needs gcc=15-1","package":"gcc-fortran","version":"15-1","needs":"gcc=15-1"`,
		`{"kind":"snapshot","text":"snapshot = \"2024-04-01\", a day on which gcc was 14-1","name":"gcc","value":"2024-04-01"}`,
	} {
		if !strings.Contains(string(data), part) {
			t.Errorf("no %s in %s", part, data)
		}
	}
}

// TestBlameGoesToWhatWasAsked has two contradictions, of which one is about the base
// set alone.
func TestBlameGoesToWhatWasAsked(t *testing.T) {
	_, err := solve(t, Request{
		Repos: []*Repo{repo(t, "core", "a 1-1 conflicts=base\nbase 1-1\nb 1-1 conflicts=a")},
		Wants: []Want{{Name: "base", Base: true, Origin: "the base set"}, {Name: "a"}, {Name: "b"}},
	})
	if err == nil || strings.Contains(err.Error(), "base") {
		t.Error(err)
	}
}

func TestSimilar(t *testing.T) {
	repos := []*Repo{repo(t, "core", `
		cmake 1-1
		make 1-1
		python-numpy 1-1
		ninja 1-1
		jre-openjdk 1-1 provides=java-runtime
		autoconf 1-1 groups=base-devel`)}
	for name, want := range map[string]string{
		"cmaek": "cmake", "cmkae": "cmake", "CMake": "cmake", "numpy": "python-numpy", "ninja-build": "ninja",
		"java-runtme": "java-runtime", "base-dev": "base-devel", "nothing-like-it": "",
	} {
		if got := strings.Join(similar(name, repos), " "); got != want && !strings.HasPrefix(got, want+" ") {
			t.Errorf("%s: got %q, want %q first", name, got, want)
		}
	}
}
