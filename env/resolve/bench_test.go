package resolve

import (
	"bytes"
	"testing"

	"devenv/layers/alpm"
)

var benchNames = map[string][]string{
	"2014-08-x86_64":  {"gcc", "make", "cmake", "git", "python", "gdb", "vim", "qt4"},
	"2015-06-armv7h":  {"gcc", "make", "cmake", "git", "python", "gdb", "vim", "qt4"},
	"2021-01-aarch64": {"gcc", "make", "git", "python", "vim", "clang", "boost", "perl"},
}

func BenchmarkCold(b *testing.B) {
	for _, set := range dataSets {
		b.Run(set.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ask(set.read(b), set.arch, benchNames[set.name]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// encode is what a cache would keep of a set.
func (d dataSet) encode(t testing.TB) (names []string, encoded [][]byte) {
	for _, r := range d.load(t) {
		var b bytes.Buffer
		if _, err := r.Index.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		names = append(names, r.Name)
		encoded = append(encoded, b.Bytes())
	}
	return names, encoded
}

func open(t testing.TB, names []string, encoded [][]byte) (repos []*Repo) {
	for i, data := range encoded {
		index, err := alpm.OpenIndex(data)
		if err != nil {
			t.Fatal(err)
		}
		repos = append(repos, &Repo{Name: names[i], Index: index})
	}
	return repos
}

func BenchmarkCached(b *testing.B) {
	for _, set := range dataSets {
		b.Run(set.name, func(b *testing.B) {
			names, encoded := set.encode(b)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ask(open(b, names, encoded), set.arch, benchNames[set.name]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSearch solves with the full search what pacman's way could answer.
func BenchmarkSearch(b *testing.B) {
	for _, set := range dataSets {
		b.Run(set.name, func(b *testing.B) {
			names, encoded := set.encode(b)
			b.ReportAllocs()
			for b.Loop() {
				req := Request{Arch: set.arch, Repos: open(b, names, encoded)}
				for _, name := range benchNames[set.name] {
					req.Wants = append(req.Wants, Want{Name: name})
				}
				r, err := newResolution(b.Context(), &req, newArchive(b.Context(), nil))
				if err != nil {
					b.Fatal(err)
				}
				r.u.build()
				if _, core, err := newSearch(r.u.problem).run(b.Context()); core != nil || err != nil {
					b.Fatal(core, err)
				}
			}
		})
	}
}

func BenchmarkRefusal(b *testing.B) {
	set := dataSets[2]
	names, encoded := set.encode(b)
	for b.Loop() {
		if _, err := ask(open(b, names, encoded), set.arch, []string{"gnome", "libreoffice-still-be", "libreoffice-fresh-br"}); err == nil {
			b.Fatal("an answer to the impossible")
		}
	}
}
