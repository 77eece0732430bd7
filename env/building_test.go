package env

import (
	"testing"

	"devenv/env/lock"
)

func TestDownloadsFromBothEnds(t *testing.T) {
	var pkgs []lock.Package
	for _, size := range []int64{3, 1, small + 1, small, 2, small + 2} {
		pkgs = append(pkgs, lock.Package{Size: size})
	}
	q := newDownloads(pkgs)
	for i, want := range []int64{small + 2, 1, small + 1, 2, small, 3, 0} {
		pkg, ok := q.next(i%2 == 0)
		if pkg.Size != want || ok != (want > 0) {
			t.Errorf("number %d is of size %d (%v), not %d", i, pkg.Size, ok, want)
		}
	}
	q = newDownloads([]lock.Package{{Size: small}, {Size: small + 1}})
	if pkg, _ := q.next(false); pkg.Size != small+1 {
		t.Errorf("with no small one left the first is of size %d", pkg.Size)
	}
	q.next(false)
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
