package manifest

import (
	"errors"
	"strings"
	"testing"
)

func TestPinMatches(t *testing.T) {
	for _, c := range []struct {
		pin      string
		yes, not string
	}{
		{"*", "1-1 2:5-1 r5.gabc-1", ""},
		{" * ", "1-1", ""},
		{"14.2.1", "14.2.1-1 14.2.1-7 14.2.1+r753+g1cd744a6828f-1 1:14.2.1-1", "14.2.0-1 14.2.10-1 14.2.1.1-1 14.2.1_r3-1 14.2-1"},
		{"= 14.2.1", "14.2.1+r753-1", "14.2.2-1"},
		{"==14.2.1", "14.2.1+r753-1", "14.2.2-1"},
		{"14.2.1+r753", "14.2.1+r753-1 14.2.1+r753+g1cd-1", "14.2.1-1 14.2.1+r7530-1"},
		{"14.2.1-1", "14.2.1-1 3:14.2.1-1", "14.2.1-2 14.2.1-1.1 14.2.1+r753-1"},
		{"2.0-1.1", "2.0-1.1", "2.0-1"},
		{"1:1.3.1-2", "1:1.3.1-2", "1.3.1-2 2:1.3.1-2 1:1.3.1-1 1:1.3.1+x-2"},
		{"1:1.3.1", "1:1.3.1-2 1:1.3.1+r2-1", "1.3.1-2"},
		{"0:1.3.1", "1.3.1-2 0:1.3.1-1", "1:1.3.1-2"},
		{"18.*", "18-1 18.1.8-1 18_2-1 18+r3-1 2:18.1-1", "180-1 18rc1-1 17.9-1 1.18-1"},
		{"18.1.*", "18.1-1 18.1.8-1 18.01.2-1", "18.10.1-1 18-1"},
		{"=18.*", "18.1-1", "19-1"},
		{"!=18.*", "19-1 180.1-1", "18.1.8-1"},
		{"1:18.*", "1:18.1-1", "18.1-1 2:18.1-1"},
		{"17.0.13.u11.*", "17.0.13.u11-1", "17.0.13.u12-1"},
		{">=3.28, <4", "3.28-1 3.31.2-3 1:3.30-1", "3.27.9-1 4.0-1 4-1 5:2-1"},
		{">=1.22", "2:1.23.4-1 1.22-1", "2:1.21-1"},
		{">=2:1.22", "2:1.23.4-1 3:1.0-1", "1.23.4-1"},
		{"<2:1.22", "9.9-1 2:1.21-1", "2:1.22-1 3:1-1"},
		{"<=14.2.1", "14.2.1-9 14.2.1+r753-1 14.2.0-1", "14.2.2-1"},
		{">14.2.1", "14.2.2-1 14.2.1.1-1", "14.2.1-9 14.2.1+r753-1"},
		{"<14.2.1", "14.2.0-1 14.2.1rc1-1", "14.2.1-1 14.2.1+r753-1"},
		{">1.0-1", "1.0-2 1.1-1", "1.0-1"},
		{"<=1.0-2", "1.0-2 1.0-1", "1.0-3"},
		{">1.0, !=1.5", "1.4-1 1.5.1-1", "1.5-1 1.5-2 1.5+g1-1"},
		{"*, <3", "2-1", "3-1"},
	} {
		p, err := ParsePin(c.pin)
		if err != nil {
			t.Errorf("ParsePin(%q): %v", c.pin, err)
			continue
		}
		for _, v := range strings.Fields(c.yes) {
			if !p.Matches(v) {
				t.Errorf("%q does not match %s", c.pin, v)
			}
		}
		for _, v := range strings.Fields(c.not) {
			if p.Matches(v) {
				t.Errorf("%q matches %s", c.pin, v)
			}
		}
		if p.String() != strings.TrimSpace(c.pin) {
			t.Errorf("%q prints as %q", c.pin, p)
		}
	}
}

func TestPinAnswers(t *testing.T) {
	for _, c := range []struct {
		pin, exact, upstream string
		epoch, any           bool
	}{
		{"*", "", "", false, true},
		{"1:1.3.1-2", "1:1.3.1-2", "1.3.1", true, false},
		{"0:1.3.1-2", "1.3.1-2", "1.3.1", true, false},
		{"1.3.1-2", "", "1.3.1", false, false},
		{"14.2.1", "", "14.2.1", false, false},
		{">=1.2, 1.3", "", "1.3", false, false},
		{"18.*", "", "", false, false},
		{">=1:2", "", "", true, false},
	} {
		p, err := ParsePin(c.pin)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := p.Exact(); got != c.exact {
			t.Errorf("%q: Exact %q, want %q", c.pin, got, c.exact)
		}
		if got, _ := p.Upstream(); got != c.upstream {
			t.Errorf("%q: Upstream %q, want %q", c.pin, got, c.upstream)
		}
		if p.HasEpoch() != c.epoch || p.IsAny() != c.any {
			t.Errorf("%q: HasEpoch %v, IsAny %v", c.pin, p.HasEpoch(), p.IsAny())
		}
	}
	if p := (Pin{}); !p.IsAny() || p.String() != "*" || !p.Matches("1-1") {
		t.Error("the zero Pin does not allow every version")
	}
}

func TestPinErrors(t *testing.T) {
	for _, c := range []struct {
		pin  string
		col  int
		want string
	}{
		{"", 1, `a version is missing; write "*" for any version`},
		{"  ", 1, `a version is missing; write "*" for any version`},
		{"latest", 1, `"latest" is no version; write "*" for any version: the newest is taken`},
		{"^1.2", 1, `"^1.2" is no version; write >=1.2, <2`},
		{"~> 3.4", 1, `"~> 3.4" is no version; write >=3.4, <4`},
		{"18.x", 1, `"18.x" is no version; write 18.*`},
		{"=>3", 1, `"=>3" is no version; write >=3`},
		{"<>3", 1, `"<>3" is no version; write !=3`},
		{"1 || 2", 1, `"1 || 2" is no version; there is no or: write one range such as >=1.2, <3`},
		{">=", 1, ">= has no version after it; write >=1.2, for example"},
		{">=1, <", 6, "< has no version after it; write <1.2, for example"},
		{">=1,", 5, "a condition is missing beside the comma; remove the comma or write a condition such as >=1.2"},
		{",1", 1, "a condition is missing beside the comma; remove the comma or write a condition such as >=1.2"},
		{">=1 <2", 4, "two conditions need a comma between them; write >=1.2, <3, for example"},
		{">=1<2", 4, "'<' is out of place here; a comma stands between conditions: >=1.2, <3"},
		{"18*", 3, "* stands for whole components; write 18.*"},
		{"18.*.1", 4, "* stands only at the end of a version; write 18.*"},
		{">=18.*", 6, ">= cannot compare with a *; write >=18"},
		{">=*", 3, `>= cannot compare with *; write "*" alone for any version`},
		{".*", 1, `".*" has no component before the *; write "*" for any version`},
		{"x:1", 1, `the epoch "x" is no number; an epoch is written as in 1:2.3-1`},
		{":1", 1, `the epoch "" is no number; an epoch is written as in 1:2.3-1`},
		{"1:", 3, "a version is missing; a version is written as in 14.2.1, 18.*, >=3.28 or 1:1.3.1-2"},
		{"1.2-x", 5, `the pkgrel "x" is no number; a pkgrel is written as in 2.3-1; inside a version Arch writes _ for -`},
		{"1.2-", 5, `the pkgrel "" is no number; a pkgrel is written as in 2.3-1; inside a version Arch writes _ for -`},
		{"1-beta-1", 2, "a version has no - but before its pkgrel; inside a version Arch writes _ for -"},
		{"1.2/3", 4, "'/' cannot be in a version; a version is written as in 14.2.1, 18.*, >=3.28 or 1:1.3.1-2"},
		{"é, ü", 1, "'é' cannot be in a version; a version is written as in 14.2.1, 18.*, >=3.28 or 1:1.3.1-2"},
		{"1, ü", 4, "'ü' cannot be in a version; a version is written as in 14.2.1, 18.*, >=3.28 or 1:1.3.1-2"},
		{">4, <3", 1, "no version is both >4 and <3; give a range that some version is in"},
		{"4, 3", 1, "no version is both 4 and 3; give a range that some version is in"},
		{"3, !=3, <3", 1, "no version is both 3 and <3; give a range that some version is in"},
	} {
		_, err := ParsePin(c.pin)
		var pe *PinError
		if !errors.As(err, &pe) {
			t.Errorf("ParsePin(%q): %v, want a *PinError", c.pin, err)
			continue
		}
		if pe.Col != c.col || pe.Error() != c.want {
			t.Errorf("ParsePin(%q):\n got %d %s\nwant %d %s", c.pin, pe.Col, pe, c.col, c.want)
		}
	}
}

func FuzzParsePin(f *testing.F) {
	for _, s := range []string{"*", "14.2.1", ">=3.28, <4", "1:1.3.1-2", "18.*", "!=18.*", "^1", "é,1"} {
		f.Add(s, "14.2.1+r753-1")
	}
	f.Fuzz(func(t *testing.T, s, version string) {
		p, err := ParsePin(s)
		if err != nil {
			var pe *PinError
			if !errors.As(err, &pe) || pe.Col < 1 || pe.Col > len([]rune(s))+1 {
				t.Fatalf("ParsePin(%q): %#v", s, err)
			}
			return
		}
		again, err := ParsePin(p.String())
		if err != nil || again.Matches(version) != p.Matches(version) {
			t.Fatalf("%q, printed as %q, is another pin: %v", s, p, err)
		}
	})
}
