package env

import (
	"testing"

	"devenv/env/lock"
)

func TestDownloadsFromBothEnds(t *testing.T) {
	var pkgs []lock.Package
	for _, size := range []int64{3, 1, 4, 2, 5} {
		pkgs = append(pkgs, lock.Package{Size: size})
	}
	q := newDownloads(pkgs)
	for i, want := range []int64{5, 1, 4, 2, 3, 0} {
		pkg, ok := q.next(i%2 == 0)
		if pkg.Size != want || ok != (want > 0) {
			t.Errorf("number %d is of size %d (%v), not %d", i, pkg.Size, ok, want)
		}
	}
	if _, ok := q.next(false); ok {
		t.Error("a package after the last one")
	}
}

func TestDownloadsAtOnce(t *testing.T) {
	for _, tt := range []struct {
		sizes []int64
		want  int
	}{
		{nil, downloads},
		{[]int64{0, 0}, downloads},               // a lock that does not say
		{[]int64{10, 10, 10, 10, 10, 10, 10}, 6}, // no more than pay
		{[]int64{22, 20, 20, 20, 18}, 4},         // the largest with a fourth of the line is done before the rest
		{[]int64{100, 1, 1}, 3},                  // nothing helps: the line is to be full
	} {
		var pkgs []lock.Package
		for _, size := range tt.sizes {
			pkgs = append(pkgs, lock.Package{Size: size})
		}
		if got := newDownloads(pkgs).atOnce(); got != tt.want {
			t.Errorf("%v: %d at once, not %d", tt.sizes, got, tt.want)
		}
	}
}
