package resolve

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// TestSolve has the cases that any resolver for Arch must know, each as small
// as it gets.
func TestSolve(t *testing.T) {
	for _, c := range []struct {
		name    string
		repos   []string // in order: core, extra, third, …
		archive string
		wants   string // separated by ;
		want    string // an answer, or "error: " and a part of it
	}{
		{"depends, depth first", []string{"a 1-1 depends=b,c\nb 1-1 depends=c\nc 1-1"}, "", "a", "a 1-1, b 1-1, c 1-1"},
		{"cycle", []string{"a 1-1 depends=b\nb 1-1 depends=a"}, "", "a", "a 1-1, b 1-1"},
		{"self", []string{"a 1-1 depends=a,x provides=x"}, "", "a", "a 1-1"},
		{"literal before provider", []string{"z 1-1 provides=x\nx 1-1"}, "", "x", "x 1-1"},
		{"literal of a later repository before provider", []string{"z 1-1 provides=x", "x 1-1"}, "", "x", "x 1-1"},
		{"provider in repository order", []string{"z 1-1 provides=x", "a 1-1 provides=x"}, "", "x", "z 1-1"},
		{"provider in the order of names", []string{"z 1-1 provides=x\na 1-1 provides=x"}, "", "x", "a 1-1"},
		{"provider among the wants wins", []string{"z 1-1 provides=x\na 1-1 provides=x\nq 1-1 depends=x"}, "", "q;z", "q 1-1, z 1-1"},
		{"provider installed already wins", []string{"b 1-1 provides=x\na 1-1 provides=x\nq 1-1 depends=b,r\nr 1-1 depends=x"}, "", "q", "b 1-1, q 1-1, r 1-1"},
		{"repository order before version", []string{"x 1-1", "x 2-1"}, "", "x", "x 1-1"},
		{"later repository where a version asks for it", []string{"x 1-1\nq 1-1 depends=x>1", "x 2-1"}, "", "q", "q 1-1, x 2-1"},
		{"an older version that only a later repository has", []string{"x 2-1\nq 1-1 depends=x=1", "x 1-1"}, "", "q", "q 1-1, x 1-1"},
		{"several versions in one repository", []string{"x 1-1\nx 3-1\nx 2-1"}, "", "x", "x 3-1"},
		{"named repository", []string{"x 1-1", "x 2-1"}, "", "extra/x", "x 2-1"},
		{"group", []string{"a 1-1 groups=g\nb 1-1 groups=g depends=c\nc 1-1"}, "", "g", "a 1-1, b 1-1, c 1-1"},
		{"group of a named repository", []string{"a 1-1 groups=g", "b 1-1 groups=g"}, "", "extra/g", "b 1-1"},
		{"group from several repositories", []string{"a 1-1 groups=g", "a 2-1 groups=g\nb 1-1 groups=g"}, "", "g", "a 1-1, b 1-1"},
		{"provider before group", []string{"a 1-1 groups=g\nb 1-1 provides=g"}, "", "g", "b 1-1"},
		{"unversioned provision meets no version", []string{"a 1-1 provides=x\nq 1-1 depends=x>=1"}, "", "q", "error: q 1-1 needs x>=1, which nothing provides: there is a 1-1"},
		{"versioned provision", []string{"a 1-1 provides=x=2\nb 1-1 provides=x=3\nq 1-1 depends=x>=3"}, "", "q", "b 1-1, q 1-1"},
		{"soname", []string{"a 1-1 provides=libx.so=1-64\nb 1-1 provides=libx.so=2-64\nq 1-1 depends=libx.so=2-64"}, "", "q", "b 1-1, q 1-1"},
		{"soname as a want", []string{"a 1-1 provides=libx.so=1-64"}, "", "libx.so=1-64", "a 1-1"},
		{"epoch", []string{"x 1:1-1\nq 1-1 depends=x>=2"}, "", "q", "q 1-1, x 1:1-1"},
		{"foreign architecture", []string{"x 1-1 arch=i686", "x 2-1"}, "", "x", "x 2-1"},
		{"foreign architecture alone", []string{"x 1-1 arch=i686"}, "", "x", "error: x is there for i686 only"},
		{"foreign dependency", []string{"q 1-1 depends=x\nx 1-1 arch=i686"}, "", "q", "error: q 1-1 needs x, which nothing provides"},
		{"any architecture", []string{"x 1-1 arch=any"}, "", "x", "x 1-1"},
		{"conflict", []string{"a 1-1 conflicts=b\nb 1-1"}, "", "a;b", "error: a 1-1 is in conflict with b 1-1"},
		{"conflict with a version", []string{"a 1-1 conflicts=b<2\nb 2-1"}, "", "a;b", "a 1-1, b 2-1"},
		{"conflict with one's own provision", []string{"a 1-1 conflicts=x provides=x"}, "", "a", "a 1-1"},
		{"conflict with oneself", []string{"a 1-1 conflicts=a"}, "", "a", "a 1-1"},
		{"conflict through provisions", []string{"a 1-1 conflicts=x provides=x\nb 1-1 conflicts=x provides=x"}, "", "a;b", "error: in conflict"},
		{"the provider replaces what it is in conflict with", []string{"vim 1-1\ngvim 1-1 provides=vim conflicts=vim"}, "", "vim;gvim", "gvim 1-1"},
		{"look back at a provider", []string{"a 1-1 provides=x conflicts=q\nb 1-1 provides=x\nq 1-1 depends=x"}, "", "q", "b 1-1, q 1-1"},
		{"look back from a hole", []string{"a 1-1 provides=x depends=gone\nb 1-1 provides=x\nq 1-1 depends=x"}, "", "q", "b 1-1, q 1-1"},
		{"replaces says nothing in an empty root", []string{"a 1-1 replaces=b\nb 1-1"}, "", "b;a", "a 1-1, b 1-1"},
		{"replaced and gone", []string{"a 1-1 replaces=b"}, "", "b", `error: no package, group or provided name is "b" in core; a replaces it`},
		{"unknown name", []string{"cmake 1-1"}, "", "cmaek", "error: did you mean cmake?"},
		{"name in another version", []string{"foo 6-1 provides=libfoo.so=6-64"}, "", "libfoo.so=5-64", `error: no package, group or provided name is "libfoo.so=5-64" in core; there is foo 6-1`},
		{"unknown repository", []string{"cmake 1-1"}, "", "extra/cmake", "error: no repository of that name for extra/cmake; there are core"},
		{"in another repository", []string{"a 1-1", "cmake 1-1"}, "", "core/cmake", "error: cmake is not in core; extra has it"},
		{"in another repository, and in the archive", []string{"a 1-1", "cmake 1-1"}, "cmake 1-1", "core/cmake", "error: cmake is not in core; extra has it"},

		{"pin in view", []string{"x 2-1", "x 1-3"}, "", "x = 1", "x 1-3"},
		{"pin from the archive", []string{"x 2-1"}, "x 1-1\nx 1-2", "x = 1", "x 1-2"},
		{"partners come along", []string{"gcc 15-1 depends=gcc-libs=15-1\ngcc-libs 15-1\nmake 1-1 depends=gcc-libs"},
			"gcc 14-2 depends=gcc-libs=14-2\ngcc 14-1 depends=gcc-libs=14-1\ngcc-libs 14-2\ngcc-libs 14-1", "gcc = 14;make",
			"gcc 14-2, gcc-libs 14-2, make 1-1"},
		{"what is not named stays", []string{"a 2-1 depends=b\nb 2-1"}, "a 1-1 depends=b\nb 1-1", "a = 1", "a 1-1, b 2-1"},
		{"what is gone comes back", []string{"a 2-1"}, "a 1-1 depends=b\nb 1-1\nb 1-2", "a = 1", "a 1-1, b 1-2"},
		{"a wanted partner moves", []string{"gcc 2-1 depends=libs=2-1\nlibs 2-1"}, "gcc 1-1 depends=libs=1-1\nlibs 1-1", "libs;gcc = 1", "gcc 1-1, libs 1-1"},
		{"range tries older ones", []string{"a 3-1 conflicts=q\nq 1-1"}, "a 2-1 conflicts=q\na 1-1", "q;a >= 1", "a 1-1, q 1-1"},
		{"no pin, no move", []string{"a 3-1 conflicts=q\nq 1-1"}, "a 1-1", "q;a", "error: a 3-1 is in conflict with q 1-1"},
		{"old library", []string{"app 2-1 depends=libx.so=2-64\nlibx 2-1 provides=libx.so=2-64"},
			"app 1-1 depends=libx.so=1-64\nlibx 1-1 provides=libx.so=1-64\nlibx 0-1 provides=libx.so=0-64", "app = 1", "app 1-1, libx 1-1"},
		{"old library, but others use today's", []string{"app 2-1 depends=libx.so=2-64\nlibx 2-1 provides=libx.so=2-64\nq 1-1 depends=libx"},
			"app 1-1 depends=libx.so=1-64\nlibx 1-1 provides=libx.so=1-64", "app = 1;q", "app 1-1, libx 2-1, q 1-1"},
		{"old library, by its newer kind of name", []string{"app 2-1 depends=lib:libx.so.2\nlibx 2-1 provides=lib:libx.so.2"},
			"app 1-1 depends=lib:libx.so.1\nlibx 1-1 provides=lib:libx.so.1\nlibx 0-1 provides=lib:libx.so.0", "app = 1", "app 1-1, libx 1-1"},
		{"today's provider before an old package of the name", []string{"new 1-1 provides=x\nq 1-1 depends=x\nr 2-1\nz 1-1 depends=q"},
			"r 1-1 depends=x=1\nx 1-1", "z;r >= 1", "new 1-1, q 1-1, r 2-1, z 1-1"},
		{"pin on a group", []string{"a 1-1 groups=g"}, "", "g = 1", "error: devenv.toml: g = 1 pins a group, and groups have no version"},
		{"no version meets the pin", []string{"a 3-1"}, "a 1-1\na 2-1", "a > 9", "error: a > 9 asks for a version that there is not: there is a 3-1, and in the archive 1-1 to 2-1"},
		{"pin on a provision", []string{"jdk21 21-1 provides=java=21\njdk17 17-1 provides=java=17"}, "", "java = 17", "jdk17 17-1"},
		{"gone, with an archive", []string{"a 1-1"}, "gtk 2-1", "gtk", "error: gtk is in no repository any more; the archive has it up to 2-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var req Request
			for i, text := range c.repos {
				req.Repos = append(req.Repos, repo(t, [...]string{"core", "extra"}[i], text))
			}
			if c.archive != "" {
				req.Archive = archiveOf(t, c.archive)
			}
			req.Wants = wants(strings.Split(c.wants, ";")...)
			answer := got(solve(t, req))
			part, isError := strings.CutPrefix(c.want, "error: ")
			if isError && (!strings.HasPrefix(answer, "error: ") || !strings.Contains(answer, part)) || !isError && answer != c.want {
				t.Errorf("got %s\nwant %s", answer, c.want)
			}
		})
	}
}

func TestConflictIsNotFoundToo(t *testing.T) {
	_, err := solve(t, Request{Repos: []*Repo{repo(t, "core", "a 1-1")}, Wants: wants("b")})
	var unknown *NotFound
	if !errors.As(err, &unknown) || unknown.Names[0].Origin != "devenv.toml: b" {
		t.Errorf("%#v", err)
	}
}

func TestOwnView(t *testing.T) {
	today := []*Repo{repo(t, "core", "kicad 9-1 depends=wx,occt=8\nwx 4-1 provides=libwx.so=4-64\nocct 8-1\nq 1-1 depends=wx")}
	then := []*Repo{repo(t, "core", "kicad 8-1 depends=wx,occt=7,libwx.so=3-64\nwx 3-1 provides=libwx.so=3-64\nocct 7-1")}
	then[0].Day = "2024-06-12"
	own := Want{Name: "kicad", Repos: then, Origin: "devenv.toml:3"}
	answer, err := solve(t, Request{Repos: today, Wants: []Want{own}})
	if s := got(answer, err); s != "kicad 8-1, occt 7-1, wx 3-1" {
		t.Error(s)
	}
	answer, err = solve(t, Request{Repos: today, Wants: append(wants("q"), own)})
	if s := got(answer, err); s != "kicad 8-1, occt 7-1, q 1-1, wx 4-1" {
		t.Fatal(s)
	}
	if d := answer.Deferred; len(d) != 1 || d[0].Package != "kicad" || d[0].Dep.String() != "libwx.so=3-64" || d[0].Owners[0] != "wx" {
		t.Errorf("%+v", d)
	}
	kicad := answer.Packages[0]
	if kicad.Day != "2024-06-12" || kicad.Moved != "9-1" || kicad.From != FromRepo || kicad.Wants[0] != "kicad" {
		t.Errorf("%+v", kicad)
	}
	own.Pin, own.Accept = "= 7", func(v string) bool { return v == "7-1" }
	_, err = solve(t, Request{Repos: today, Wants: []Want{own}})
	var conflict *Conflict
	if !errors.As(err, &conflict) || conflict.Nearest() == nil || conflict.Nearest().Value != "9-1" ||
		!strings.Contains(err.Error(), "there is kicad 8-1 in the view of its own (core of 2024-06-12)") {
		t.Error(err)
	}
}

func TestWith(t *testing.T) {
	repos := []*Repo{repo(t, "core", "inkscape 1-1\nlxml 1-1 depends=xml2\nxml2 1-1")}
	s, err := solve(t, Request{Repos: repos, Wants: []Want{{Name: "inkscape", With: []string{"lxml>=1"}}}})
	if got(s, err) != "inkscape 1-1, lxml 1-1, xml2 1-1" || s.Packages[1].By[0] != "inkscape" {
		t.Error(got(s, err))
	}
	_, err = solve(t, Request{Repos: repos, Wants: []Want{{Name: "inkscape", With: []string{"lxml>=2"}}}})
	if err == nil || !strings.Contains(err.Error(), "inkscape is to come with lxml>=2, which nothing provides: there is lxml 1-1") {
		t.Error(err)
	}
	_, err = solve(t, Request{Repos: repos, Wants: []Want{{Name: "inkscape", With: []string{"lxlm"}}}})
	var unknown *NotFound
	if !errors.As(err, &unknown) || unknown.Error() != `to come with inkscape: no package, group or provided name is "lxlm" in core; did you mean lxml?` {
		t.Error(err)
	}
}

func TestLocked(t *testing.T) {
	repos := []*Repo{repo(t, "core", "a 2-1 depends=b,x\nb 2-1\np 1-1 provides=x\nq 1-1 provides=x\ngcc 2-1 depends=libs=2-1\nlibs 2-1\nc 1-1 depends=y\nr 1-1 provides=y\ns 2-1 provides=y")}
	archive := archiveOf(t, "b 1-1\nlibs 1-1\ngcc 1-1 depends=libs=1-1\ns 1-1 provides=y\nt 1-1 provides=y")
	for _, c := range []struct {
		name, wants, want string
		locked            map[string]string
	}{
		{"stays", "a", "a 2-1, b 1-1, q 1-1", map[string]string{"b": "1-1", "q": "1-1"}},
		{"dropped by the archive, too", "a", "a 2-1, b 2-1, p 1-1", map[string]string{"b": "0-1"}},
		{"not wanted any more", "b", "b 2-1", map[string]string{"q": "1-1"}},
		{"gives way", "gcc", "gcc 2-1, libs 2-1", map[string]string{"libs": "1-1"}},
		{"gives way to a pin", "gcc = 2", "gcc 2-1, libs 2-1", map[string]string{"gcc": "1-1", "libs": "1-1"}},
		{"a provider that moved on", "c", "c 1-1, s 1-1", map[string]string{"c": "1-1", "s": "1-1"}},
		{"a provider that was dropped", "c", "c 1-1, t 1-1", map[string]string{"c": "1-1", "t": "1-1"}},
		{"stays together", "gcc", "gcc 1-1, libs 1-1", map[string]string{"gcc": "1-1", "libs": "1-1"}},
	} {
		s, err := solve(t, Request{Repos: repos, Archive: archive, Wants: wants(c.wants), Locked: c.locked})
		if got(s, err) != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got(s, err), c.want)
		}
	}
}

// TestExactInView pins the very version that the repositories have, which misses a
// library: the archive's file of that version is the same package, not an older
// one that a compatibility layer could serve.
func TestExactInView(t *testing.T) {
	repos := []*Repo{repo(t, "core", "a 2-1 depends=libx.so=1-64\nx 2-1 provides=libx.so=2-64")}
	exact := pinned("a = 2-1")
	exact.Exact = "2-1"
	s, err := solve(t, Request{Repos: repos, Archive: archiveOf(t, "a 2-1 depends=libx.so=1-64"), Wants: []Want{exact}})
	if answer := got(s, err); !strings.Contains(answer, "a 2-1 needs libx.so=1-64, which nothing provides") {
		t.Error(answer)
	}
}

func TestArchiveIsAskedOnce(t *testing.T) {
	archive := archiveOf(t, "gcc 14-1 depends=libs=14-1\ngcc 13-1 depends=libs=13-1\nlibs 14-1\nlibs 13-1\nother 1-1")
	_, err := solve(t, Request{Repos: []*Repo{repo(t, "core", "gcc 15-1 depends=libs=15-1\nlibs 15-1\nmake 1-1")}, Archive: archive,
		Wants: wants("gcc < 15", "libs >= 15", "make")})
	var conflict *Conflict
	if !errors.As(err, &conflict) {
		t.Fatal(err)
	}
	for what, n := range archive.asked {
		if n > 1 || strings.HasPrefix(what, "make") || strings.HasPrefix(what, "other") {
			t.Errorf("asked %d times for %s", n, what)
		}
	}
	archive.fail = errors.New("no route")
	_, err = solve(t, Request{Repos: []*Repo{repo(t, "core", "gcc 15-1")}, Archive: archive, Wants: wants("gcc < 15")})
	if !errors.Is(err, archive.fail) || !strings.Contains(err.Error(), "finding the versions of gcc in the archive") {
		t.Error(err)
	}
}

// TestArchiveFails wants to hear what the archive was needed for.
func TestArchiveFails(t *testing.T) {
	repos := []*Repo{repo(t, "core", "cmake 3-1\ntool 1-1 depends=nowhere")}
	for wanted, told := range map[string]string{
		"cmaek":    "did you mean cmake?",
		"tool":     "tool 1-1 needs nowhere",
		"cmake <3": `there is cmake 3-1`,
	} {
		archive := archiveOf(t, "")
		archive.fail = errors.New("no route")
		_, err := solve(t, Request{Repos: repos, Archive: archive, Wants: wants(wanted)})
		var conflict *Conflict
		if !errors.Is(err, archive.fail) || errors.As(err, &conflict) || !strings.Contains(err.Error(), told) {
			t.Errorf("%s: got %v, want to read %q", wanted, err, told)
		}
	}
}

func TestSearchStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Solve(ctx, Request{Arch: "x86_64", Repos: []*Repo{repo(t, "core", "a 1-1 conflicts=b\nb 1-1")}, Wants: wants("a", "b")})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestLocalFiles(t *testing.T) {
	files := repo(t, "files", "tool 2-1 depends=lib>=2\nlib 2-1")
	files.From = FromFile
	s, err := solve(t, Request{Repos: []*Repo{files, repo(t, "core", "tool 1-1 depends=lib\nlib 1-1\nother 1-1 depends=lib")}, Wants: wants("other", "tool")})
	if got(s, err) != "lib 2-1, other 1-1, tool 2-1" {
		t.Fatal(got(s, err))
	}
	if tool := s.Packages[2]; tool.From != FromFile || tool.Repo != "files" || s.Packages[1].From != FromRepo {
		t.Errorf("%+v", tool)
	}
}
