package resolve

import (
	"fmt"
	"testing"
)

func TestGraph(t *testing.T) {
	s, err := solve(t, Request{
		Repos: []*Repo{repo(t, "core", "a 1-1 depends=b,c\nb 1-1 depends=c\nc 1-1 depends=a\nd 1-1 depends=b\ne 1-1\nl 1-1\nv 1-1 provides=virtual depends=l")},
		Wants: []Want{{Name: "a"}, {Name: "d", With: []string{"e"}}, {Name: "virtual"}, {Name: "l", Base: true}, {Name: "c", Base: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := NewGraph(s.Links())
	for name, want := range map[string]string{
		"c": "[[c] [a c] [d b c]]", "e": "[[d e]]", "v": "[[v]]", "l": "[[l] [v l]]", "nothing": "[]",
	} {
		if got := fmt.Sprint(g.Why(name)); got != want {
			t.Errorf("why %s: %s, want %s", name, got, want)
		}
	}
	if got := fmt.Sprint(g.Roots(), g.Needs("a"), g.NeededBy("b"), g.Wants("v")); got != "[a c d l v] [b c] [a d] [virtual]" {
		t.Error(got)
	}
	lock := NewGraph([]Link{{Name: "a", By: []string{"a"}}, {Name: "b", By: []string{"a", "base-devel"}}})
	if got := fmt.Sprint(lock.Why("b"), lock.Wants("b"), lock.Wants("a")); got != "[[b] [a b]] [base-devel] [a]" {
		t.Error(got)
	}
	for _, c := range s.Packages {
		if c.Base {
			t.Errorf("%s is marked as of the base set alone", c.Name)
		}
	}
}

func TestBaseMark(t *testing.T) {
	s, err := solve(t, Request{
		Repos: []*Repo{repo(t, "core", "a 1-1 depends=l\nb 1-1 depends=l,m\nl 1-1\nm 1-1")},
		Wants: []Want{{Name: "a"}, {Name: "b", Base: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.Packages {
		if want := c.Name == "b" || c.Name == "m"; c.Base != want {
			t.Errorf("%s: base %v, want %v", c.Name, c.Base, want)
		}
	}
}
