package alpm

import (
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	// Older first; what the second column holds was asked of vercmp(8).
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1", "1", 0}, {"1", "2", -1}, {"1.5-1", "1.5-2", -1}, {"1.5", "1.5-2", 0},
		{"1.5-1", "1.5", 0}, {"1.5-", "1.5-1", -1}, {"1.0", "1.0.0", -1}, {"1.0a", "1.0", -1},
		{"1.0a", "1.0b", -1}, {"1.0rc1", "1.0", -1}, {"1.0.rc1", "1.0", 1}, {"1.0alpha", "1.0beta", -1},
		{"1.0beta", "1.0p", -1}, {"1.0p", "1.0pre", -1}, {"1.0pre", "1.0rc", -1}, {"1.0rc", "1.0", -1},
		{"1.1.a", "1.1.1", -1}, {"1.a", "1.1", -1}, {"1..0", "1.0", 1}, {"1.0", "1..1", -1}, {"1_0", "1.0", 0},
		{"1~rc", "1", 1}, {"1~1", "1.1", 0}, {"01", "1", 0}, {"1.007", "1.7", 0}, {"1.10", "1.9", 1},
		{"1:1", "2", 1}, {"0:1", "1", 0}, {":1", "1", 0}, {"1:1", "2:0", -1}, {"01:1", "1:1", 0},
		{"99999999999999999999999", "100000000000000000000000", -1},
		{"14.2.1+r753+g1cd744a6828f-1", "14.2.1-1", 1}, {"14.2.1+r753-1", "14.2.1+r1000-1", -1},
		{"r10.abc-1", "r9.def-1", 1}, {"20240101", "1:1", -1}, {"", "1", -1}, {"", "a", 1}, {"1.", "1", 1},
		{"1-1-1", "1-1", 1}, {"é1", "1", 1}, {"1a1", "1a", 1}, {"a:1", "1", -1},
	} {
		if got := Compare(c.a, c.b); got != c.want {
			t.Errorf("Compare(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Compare(c.b, c.a); got != -c.want {
			t.Errorf("Compare(%q, %q) = %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}

func TestSplitVersion(t *testing.T) {
	for v, want := range map[string][3]string{
		"1.2-3": {"0", "1.2", "3"}, "2:1.2-3": {"2", "1.2", "3"}, "1.2": {"0", "1.2", ""},
		":1.2-1": {"0", "1.2", "1"}, "1-2-3": {"0", "1-2", "3"}, "a:1-1": {"0", "a:1", "1"}, "": {"0", "", ""},
	} {
		epoch, ver, rel := SplitVersion(v)
		if got := [3]string{epoch, ver, rel}; got != want {
			t.Errorf("SplitVersion(%q) = %q, want %q", v, got, want)
		}
	}
}

func realVercmp(t testing.TB) func(t testing.TB, a, b string) int {
	path, err := exec.LookPath("vercmp")
	if err != nil {
		t.Skip("vercmp is not installed (Debian: pacman-package-manager): no peer to compare with")
	}
	return func(t testing.TB, a, b string) int {
		out, err := exec.Command(path, a, b).CombinedOutput()
		if err != nil {
			t.Fatalf("vercmp %q %q: %v", a, b, err)
		}
		switch strings.TrimSpace(string(out)) {
		case "-1":
			return -1
		case "0":
			return 0
		case "1":
			return 1
		}
		t.Fatalf("vercmp %q %q said %q", a, b, out)
		return 0
	}
}

// vercmpTakes says whether a version can be an argument of vercmp's.
func vercmpTakes(v string) bool {
	return v != "" && v[0] != '-' && !strings.ContainsRune(v, 0)
}

func TestCompareAgreesWithVercmp(t *testing.T) {
	vercmp := realVercmp(t)
	rnd := rand.New(rand.NewPCG(7, 11))
	parts := []string{"0", "1", "01", "2", "10", "a", "b", "rc", "alpha", ".", "..", "-", "_", "+", "~", ":", "1:", "-1", "-2", ".0", "é", "^", " "}
	version := func() string {
		var b strings.Builder
		for range 1 + rnd.IntN(6) {
			b.WriteString(parts[rnd.IntN(len(parts))])
		}
		return b.String()
	}
	agreed := 0
	for range 600 {
		a, b := version(), version()
		if rnd.IntN(3) == 0 {
			b = a[:rnd.IntN(len(a)+1)] + parts[rnd.IntN(len(parts))]
		}
		if !vercmpTakes(a) || !vercmpTakes(b) {
			continue
		}
		if got, want := Compare(a, b), vercmp(t, a, b); got != want {
			t.Errorf("Compare(%q, %q) = %d, vercmp says %d", a, b, got, want)
		} else {
			agreed++
		}
	}
	t.Logf("agreed on %d pairs", agreed)
}

// FuzzCompareVercmp needs the real vercmp; without it there is nothing to fuzz
// against.
func FuzzCompareVercmp(f *testing.F) {
	vercmp := realVercmp(f)
	f.Add("1.0-1", "1.0rc1-2")
	f.Add("1:1.0~a", "1:1.0.a")
	f.Fuzz(func(t *testing.T, a, b string) {
		if !vercmpTakes(a) || !vercmpTakes(b) {
			t.Skip()
		}
		if got, want := Compare(a, b), vercmp(t, a, b); got != want {
			t.Errorf("Compare(%q, %q) = %d, vercmp says %d", a, b, got, want)
		}
	})
}

func FuzzCompare(f *testing.F) {
	f.Add("1.0-1", "1.0rc1-2")
	f.Fuzz(func(t *testing.T, a, b string) {
		if Compare(a, a) != 0 {
			t.Errorf("%q differs from itself", a)
		}
		if c := Compare(a, b); c < -1 || c > 1 {
			t.Errorf("Compare(%q, %q) = %d", a, b, c)
		}
	})
}
