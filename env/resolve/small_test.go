package resolve

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"devenv/layers/alpm"
)

// small makes packages from lines such as
//
//	gcc 15-1 arch=any depends=gcc-libs=15-1,glibc provides=cc conflicts=tcc groups=base-devel replaces=egcs
func small(t testing.TB, text string) (pkgs []*alpm.Package) {
	t.Helper()
	for line := range strings.Lines(text) {
		field := strings.Fields(line)
		if len(field) == 0 {
			continue
		}
		p := &alpm.Package{Name: field[0], Version: field[1], Arch: "x86_64"}
		for _, f := range field[2:] {
			key, value, _ := strings.Cut(f, "=")
			var deps []alpm.Dep
			for _, v := range strings.Split(value, ",") {
				d, err := alpm.ParseDep(v)
				if err != nil {
					t.Fatal(err)
				}
				deps = append(deps, d)
			}
			switch key {
			case "arch":
				p.Arch = value
			case "depends":
				p.Depends = deps
			case "provides":
				p.Provides = deps
			case "conflicts":
				p.Conflicts = deps
			case "replaces":
				p.Replaces = deps
			case "groups":
				p.Groups = strings.Split(value, ",")
			case "built":
				fmt.Sscan(value, &p.BuildDate)
			default:
				t.Fatalf("no field %q", key)
			}
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}

func repo(t testing.TB, name, text string) *Repo {
	t.Helper()
	return &Repo{Name: name, Index: alpm.NewIndex(small(t, text))}
}

// shelfArchive is an archive in memory, which counts what it is asked.
type shelfArchive struct {
	sync.Mutex
	pkgs  []*alpm.Package
	asked map[string]int
	fail  error
}

func archiveOf(t testing.TB, text string) *shelfArchive {
	return &shelfArchive{pkgs: small(t, text), asked: make(map[string]int)}
}

func (a *shelfArchive) Versions(_ context.Context, name string) ([]string, error) {
	a.Lock()
	defer a.Unlock()
	a.asked[name]++
	var out []string
	for _, p := range a.pkgs {
		if p.Name == name {
			out = append(out, p.Version)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return alpm.Compare(b, a) })
	return out, a.fail
}

func (a *shelfArchive) Package(_ context.Context, name, version string) (*alpm.Package, error) {
	a.Lock()
	defer a.Unlock()
	a.asked[name+" "+version]++
	for _, p := range a.pkgs {
		if p.Name == name && p.Version == version {
			return p, a.fail
		}
	}
	return nil, fs.ErrNotExist
}

// pinned makes a want of "NAME" or "NAME OP VERSION"; the pin accepts any
// pkgrel, as alpm.Dep does.
func pinned(text string) Want {
	w := Want{Name: text, Origin: "devenv.toml: " + text}
	if name, pin, ok := strings.Cut(text, " "); ok {
		op, version, _ := strings.Cut(pin, " ")
		dep, err := alpm.ParseDep("x" + op + version)
		if err != nil {
			panic(err)
		}
		w.Name, w.Pin, w.Accept = name, pin, dep.Satisfied
	}
	return w
}

func wants(texts ...string) (out []Want) {
	for _, t := range texts {
		out = append(out, pinned(t))
	}
	return out
}

// got is an answer in one line.
func got(s *Solution, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	var out []string
	for _, c := range s.Packages {
		out = append(out, c.Name+" "+c.Version)
	}
	return strings.Join(out, ", ")
}

func solve(t testing.TB, req Request) (*Solution, error) {
	t.Helper()
	if req.Arch == "" {
		req.Arch = "x86_64"
	}
	return Solve(context.Background(), req)
}
