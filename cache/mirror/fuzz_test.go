package mirror

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
	"time"
)

// Pages as servers write them, shortened.
const (
	nginxPage = `<html>
<head><title>Index of /packages/g/gcc/</title></head>
<body bgcolor="white">
<h1>Index of /packages/g/gcc/</h1><hr><pre><a href="../">../</a>
<a href="gcc-1%3A2.0%2Br5-1-x86_64.pkg.tar.zst">gcc-1:2.0+r5-1-x86_64.pkg.tar.zst</a>                  12-Nov-2024 10:11            44523001
<a href="gcc-1%3A2.0%2Br5-1-x86_64.pkg.tar.zst.sig">gcc-1:2.0+r5-1-x86_64.pkg.tar.zst.sig</a>              12-Nov-2024 10:11                 566
<a href="gcc-averyveryveryveryveryverylongversion-1-x86_64.pkg.tar.xz">gcc-averyveryveryveryveryverylongversion-1-x86_6..&gt;</a> 01-Feb-2019 00:59    7
<a href="gcc-1:9-1-any.pkg.tar.gz">gcc-1:9-1-any.pkg.tar.gz</a>  12-Nov-2024 10:11   5
<a href="old/">old/</a>     12-Nov-2024 10:11    -
</pre><hr></body>
</html>`
	apachePage = `<table><tr><th><a href="?C=N;O=D">Name</a></th><th><a href='?C=M;O=A'>Last modified</a></th></tr>
<tr><td valign="top">&nbsp;</td><td><a href="/packages/">Parent Directory</a></td><td>&nbsp;</td></tr>
<tr><td><img src="x.gif" alt="[ ]"></td><td><a href="a&amp;b-1-1-any.pkg.tar.xz">a&amp;b..&gt;</a></td><td align="right">2019-02-01 10:11  </td><td align="right">1.2M</td></tr></table>`
	goPage = "<pre>\n<a href=\"2024/\">2024/</a>\n<A CLASS=x HREF=./2023/ >2023/</A>\n<a href=\"https://elsewhere.example/x\">x</a><a name=top></a><a href=\"#top\">top</a></pre>"
)

func TestParseListing(t *testing.T) {
	noon := time.Date(2024, 11, 12, 10, 11, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		page string
		want []entry
	}{
		"nginx": {nginxPage, []entry{
			{name: "gcc-1:2.0+r5-1-x86_64.pkg.tar.zst", size: 44523001, modified: noon},
			{name: "gcc-1:2.0+r5-1-x86_64.pkg.tar.zst.sig", size: 566, modified: noon},
			{name: "gcc-averyveryveryveryveryverylongversion-1-x86_64.pkg.tar.xz", size: 7, modified: time.Date(2019, 2, 1, 0, 59, 0, 0, time.UTC)},
			{name: "gcc-1:9-1-any.pkg.tar.gz", size: 5, modified: noon},
			{name: "old", dir: true, modified: noon},
		}},
		"Apache": {apachePage, []entry{{name: "a&b-1-1-any.pkg.tar.xz", modified: time.Date(2019, 2, 1, 10, 11, 0, 0, time.UTC)}}},
		"Go":     {goPage, []entry{{name: "2024", dir: true}, {name: "2023", dir: true}}},
		"none":   {"", nil},
		"cut":    {"<a href=\"2024", nil},
		"text":   {"a < b <a <ahref=x> <a\n>", nil},
	} {
		got := parseListing(test.page)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", name, got, test.want)
		}
	}
}

func FuzzParseListing(f *testing.F) {
	for _, page := range []string{nginxPage, apachePage, goPage, "<a href=", "<a href='x", "<a = b href=c>", "<a href=%zz>", "<A\x00>"} {
		f.Add(page)
	}
	f.Fuzz(func(t *testing.T, page string) {
		for _, e := range parseListing(page) {
			if e.name == "" || e.name == "." || e.name == ".." || strings.ContainsAny(e.name, "/\x00\n") || e.size < 0 {
				t.Errorf("%q gives %+v", page, e)
			}
		}
	})
}

func FuzzSortNames(f *testing.F) {
	f.Add("gcc-1-1-x86_64\ngcc-libs-1:2+3-1-any\r\n\na b-1-1-any\n-\n--\n---\n", "gcc")
	f.Add("b-1-1-any\na-2-1-any\na-1-1-any\nab-1-1-any\na-1-1-any", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		w.Write([]byte(text))
		w.Close()
		for _, form := range []string{packed.String(), text} {
			lines, err := sortNames(strings.NewReader(form))
			if err != nil {
				continue
			}
			checkNames(t, lines, name)
		}
	})
}

// checkNames checks that every line is found by its name, and nothing else is.
func checkNames(t *testing.T, lines []byte, stranger string) {
	t.Helper()
	n := &names{lines: lines}
	known := map[string]bool{}
	last := ""
	for line := range strings.Lines(string(lines)) {
		name, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if !ok || name <= last && last != "" {
			t.Fatalf("line %q after %q", line, last)
		}
		last, known[name] = name, true
		if got := n.find(name); len(got) != strings.Count(rest, " ")+1 {
			t.Errorf("%q: %v, want %q", name, got, rest)
		}
	}
	if got := n.find(stranger); (len(got) > 0) != known[stranger] {
		t.Errorf("%q: %v", stranger, got)
	}
}
