package alpm

import "testing"

func TestParseDep(t *testing.T) {
	for s, want := range map[string]Dep{
		"glibc":                    {Name: "glibc"},
		"gcc-libs=14.2.1-3":        {"gcc-libs", EQ, "14.2.1-3"},
		"libz.so=1-64":             {"libz.so", EQ, "1-64"},
		"a<1":                      {"a", LT, "1"},
		"a<=1":                     {"a", LE, "1"},
		"a>1:2":                    {"a", GT, "1:2"},
		"a>=1:2-3":                 {"a", GE, "1:2-3"},
		"java-environment-openjdk": {Name: "java-environment-openjdk"},
		"perl(Foo::Bar)":           {Name: "perl(Foo::Bar)"},
		"python: for the scripts":  {Name: "python"},
		"python>=3: for scripts":   {"python", GE, "3"},
	} {
		got, err := ParseDep(s)
		if err != nil || got != want {
			t.Errorf("ParseDep(%q) = %+v, %v; want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "=1", ">=1", "a=", "a>=", "a>=1<2", "a==1", "a =1", "a= 1", "a\n", ": what"} {
		if d, err := ParseDep(s); err == nil {
			t.Errorf("ParseDep(%q) = %+v, want an error", s, d)
		}
	}
}

func TestSatisfies(t *testing.T) {
	p := &Package{
		Name: "gcc", Version: "1:14.2.1+r753-1",
		Provides: []Dep{{Name: "cc"}, {"libgo.so", EQ, "23-64"}, {"gcc-multilib", EQ, "14"}, {"odd", GE, "3"}},
	}
	for s, want := range map[string]bool{
		"gcc": true, "gcc>=14": true, "gcc=14.2.1+r753": false, "gcc=1:14.2.1+r753": true,
		"gcc=1:14.2.1+r753-2": false, "gcc<1:14.2.1": false, "gcc>1:14.2.1": true,
		"cc": true, "cc>=1": false, "libgo.so=23-64": true, "libgo.so=22-64": false, "libgo.so": true,
		"libgo.so=23": true, "gcc-multilib<15": true, "gcc-multilib=14-9": true, "odd": true, "odd>=3": false,
		"clang": false,
	} {
		d, err := ParseDep(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Satisfies(d); got != want {
			t.Errorf("%s satisfies %s: %v", p.Name, s, got)
		}
	}
}

func FuzzParseDep(f *testing.F) {
	f.Add("gcc-libs>=14.2.1-3")
	f.Add("a: b")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDep(s)
		if err != nil {
			return
		}
		again, err := ParseDep(d.String())
		if err != nil || again != d {
			t.Errorf("%q reads as %+v, written as %q, then as %+v, %v", s, d, d.String(), again, err)
		}
	})
}
