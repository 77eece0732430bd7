package table

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"devenv/cmd/devenv-mirror/debian"
)

// world is what apt has: lines of "name version source: depends".
const world = `
libc6 2.36-9 glibc:
gcc 4:12.2.0-3 gcc-defaults: gcc-12
gcc-11 11.3.0-12 gcc-11: libc6, libgcc-s1, libgcc-11-dev (= 11.3.0-12)
libgcc-11-dev 11.3.0-12 gcc-11: libgcc-s1
gcc-12 12.2.0-14 gcc-12: libc6, libgcc-s1, libgcc-12-dev (= 12.2.0-14)
libgcc-12-dev 12.2.0-14 gcc-12: libgcc-s1
libgcc-s1 12.2.0-14 gcc-12: libc6
libtool 2.4 libtool: gcc | c-compiler, debconf
libb1 1.0-1 b1: libc6
libb2 2.0-1 b2: libc6
leaf 3-1 leaf: libb1
python3-z 1-1 zed: libc6, libextra
libextra 5-1 extra: libmissing | libc6
`

const small = `
ignore = ["debconf"]
[[day]]
date = "2020-01-01"
repos = ["core", "extra", "community"]
[[day]]
date = "2021-01-01"
repos = ["core", "extra"]
[[day]]
date = "2022-01-01"
repos = ["core", "extra"]
[series.gcc]
pick = "gcc-#"
[series.b]
pick = "libb#"
[sets]
base = ["glibc"]
[[rename]]
deb = '^python3-(.+)$'
as = "python-$1"
[package.glibc]
repo = "core"
debs = ["libc6"]
[package.gcc-libs]
repo = "core"
debs = ["libgcc-s1"]
version-from = "gcc-{gcc}"
[package.gcc]
repo = "core"
debs = ["gcc-{gcc}", "libgcc-{gcc}-dev"]
covers = ["gcc", "libgcc-#-dev"]
depends = ["gcc-libs="]
until = { "2022-01-01" = { suffix = "+r1" } }
[package.libtool]
debs = ["libtool"]
[package.b]
debs = ["libb{b}"]
[package.leaf]
repo = "community"
debs = ["leaf"]
rides = "libb{b}"
[package.zuser]
debs = ["python3-z", "absent?", "absent|libextra?"]
[package.meta]
version = "1-1"
gone = "2022-01-01"
`

func available(t *testing.T, world string) *debian.Available {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(world)) {
		head, depends, _ := strings.Cut(strings.TrimSpace(line), ":")
		if _, rest, ok := strings.Cut(line, "4:"); ok { // the one version with an epoch
			head, depends, _ = strings.Cut("gcc "+strings.TrimSpace(rest), ":")
		}
		f := strings.Fields(head)
		fmt.Fprintf(&b, "Package: %s\nVersion: %s\nSource: %s\nArchitecture: amd64\nDepends: %s\nSHA256: %s\nSize: 1\n\n", f[0], f[1], f[2], depends, f[0])
	}
	a, err := debian.Read("amd64", strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func plan(t *testing.T) *Plan {
	t.Helper()
	table, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	p, err := table.Make(available(t, world))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// contents lists a day as "repo/name-version: depends".
func contents(d Day) map[string]string {
	m := map[string]string{}
	for repo, builds := range d.Repos {
		for _, b := range builds {
			m[repo+"/"+b.Name+"-"+b.Version] = strings.Join(b.Depends, " ")
		}
	}
	return m
}

func TestPlanDays(t *testing.T) {
	p := plan(t)
	for i, want := range []map[string]string{
		{
			"core/glibc-2.36-9": "", "core/gcc-libs-11.3.0-12": "glibc", "core/gcc-11.3.0+r1-12": "gcc-libs=11.3.0-12 glibc",
			"extra/libtool-2.4-1": "gcc", "extra/b-1.0-1": "glibc", "community/leaf-3-1": "b", "extra/zuser-1-1": "glibc", "extra/meta-1-1": "",
		},
		{
			"core/glibc-2.36-9": "", "core/gcc-libs-12.2.0-14": "glibc", "core/gcc-12.2.0+r1-14": "gcc-libs=12.2.0-14 glibc",
			"extra/libtool-2.4-1": "gcc", "extra/b-2.0-1": "glibc", "extra/zuser-1-1": "glibc", "extra/meta-1-1": "",
		},
		{
			"core/glibc-2.36-9": "", "core/gcc-libs-12.2.0-14": "glibc", "core/gcc-12.2.0-14": "gcc-libs=12.2.0-14 glibc",
			"extra/libtool-2.4-1": "gcc", "extra/b-2.0-1": "glibc", "extra/zuser-1-1": "glibc",
		},
	} {
		got := contents(p.Days[i])
		for name, deps := range want {
			if d, ok := got[name]; !ok || d != deps {
				t.Errorf("%s: %s has dependencies %q (there: %v), want %q", p.Days[i].Date, name, d, ok, deps)
			}
			delete(got, name)
		}
		for name := range got {
			t.Errorf("%s: unexpected %s", p.Days[i].Date, name)
		}
	}
}

func TestUnnamedDependenciesBecomePackages(t *testing.T) {
	table, err := Parse([]byte(strings.Replace(small, `debs = ["python3-z", "absent?", "absent|libextra?"]`, `debs = ["libtool"]`+"\n[package.user]\ndebs = [\"user\"]", 1)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := table.Make(available(t, world+"user 1 user: python3-z\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := contents(p.Days[2])
	for name, deps := range map[string]string{"extra/user-1-1": "python-z", "extra/python-z-1-1": "extra glibc", "extra/extra-5-1": "glibc"} {
		if d, ok := got[name]; !ok || d != deps {
			t.Errorf("%s has dependencies %q (there: %v), want %q; all: %v", name, d, ok, deps, got)
		}
	}
}

func TestInstalledNamesExactPartners(t *testing.T) {
	for _, b := range plan(t).Builds {
		if b.Name == "gcc" && b.Version == "12.2.0-14" {
			want := []string{"gcc-libs-12.2.0-14-x86_64", "glibc-2.36-9-x86_64"}
			if !slices.Equal(b.Installed, want) {
				t.Errorf("installed %q, want %q", b.Installed, want)
			}
		}
	}
}

func TestRestrict(t *testing.T) {
	whole := plan(t)
	p, err := whole.Restrict([]string{"gcc"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := contents(p.Days[0]); len(p.Days) != 1 || len(got) != 3 || len(p.Builds) != 3 {
		t.Errorf("%d days, %v", len(p.Days), got)
	}
	if _, ok := p.Days[0].Repos["extra"]; !ok {
		t.Error("an empty repository is missing")
	}
	for _, b := range p.Builds {
		if !slices.Contains(whole.Builds, b) {
			t.Errorf("%s is another build than in the whole plan", b.Name)
		}
	}
	if _, err := whole.Restrict([]string{"nonsense"}, 1); err == nil {
		t.Error("nonsense was found")
	}
}

func TestPlanComplains(t *testing.T) {
	for change, want := range map[string]string{
		`debs = ["libtool"]`:      `package libtool: apt has no lib-tool`,
		`depends = ["gcc-libs="]`: `depends on nothing`,
		`pick = "libb#"`:          `series b`,
	} {
		replaced := map[string]string{
			`debs = ["libtool"]`: `debs = ["lib-tool"]`, `depends = ["gcc-libs="]`: `depends = ["nothing"]`, `pick = "libb#"`: `pick = "libq#"`,
		}[change]
		table, err := Parse([]byte(strings.Replace(small, change, replaced, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := table.Make(available(t, world)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not mention %q", replaced, err, want)
		}
	}
}
