package alpm

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

const sampleHook = `# comment
[Trigger]
Type = File
Operation = Install
Operation = Upgrade
Target = usr/share/info/*
Target = !usr/share/info/dir

[Trigger]
Operation=Remove
Type = Package
Target = texinfo

[Action]
Description = Updating the info directory file...
When = PostTransaction
Exec = /bin/sh -c 'while read -r f; do install-info "$f" /usr/share/info/dir; done'
Depends = texinfo
Depends = bash>=5
NeedsTargets
AbortOnFail = no matter what
`

func TestParseHook(t *testing.T) {
	h, err := ParseHook("texinfo-install.hook", strings.NewReader(sampleHook))
	if err != nil {
		t.Fatal(err)
	}
	want := &Hook{
		Name: "texinfo-install.hook", Description: "Updating the info directory file...", When: PostTransaction,
		Exec:    []string{"/bin/sh", "-c", `while read -r f; do install-info "$f" /usr/share/info/dir; done`},
		Depends: []Dep{{Name: "texinfo"}, {"bash", GE, "5"}}, AbortOnFail: true, NeedsTargets: true,
		Triggers: []Trigger{
			{PathTargets, Install | Upgrade, Patterns{"usr/share/info/*", "!usr/share/info/dir"}},
			{PackageTargets, Remove, Patterns{"texinfo"}},
		},
		Warnings: []string{"texinfo-install.hook: AbortOnFail set for PostTransaction hook"},
	}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("read\n%+v, want\n%+v", h, want)
	}
	targets, ok := h.Triggered(Install, []string{"texinfo"}, []string{"usr/share/info/z", "usr/share/info/dir", "usr/share/info/a", "usr/bin/a"})
	if !ok || !slices.Equal(targets, []string{"usr/share/info/a", "usr/share/info/z"}) {
		t.Errorf("triggered: %q, %v", targets, ok)
	}
	if targets, ok := h.Triggered(Remove, []string{"texinfo"}, []string{"usr/share/info/a"}); !ok || !slices.Equal(targets, []string{"texinfo"}) {
		t.Errorf("triggered: %q, %v", targets, ok)
	}
	if _, ok := h.Triggered(Install, []string{"texinfo"}, []string{"usr/bin/a"}); ok {
		t.Error("triggered by a package that is only to be removed")
	}
}

func TestParseHookMask(t *testing.T) {
	h, err := ParseHook("x.hook", strings.NewReader(""))
	if err != nil || len(h.Triggers) != 0 {
		t.Fatalf("%+v, %v", h, err)
	}
	if _, ok := h.Triggered(Install, []string{"a"}, []string{"b"}); ok {
		t.Error("a masked hook is triggered")
	}
}

func TestParseHookRefuses(t *testing.T) {
	trigger := "[Trigger]\nOperation = Install\nType = Path\nTarget = a\n"
	action := "[Action]\nWhen = PostTransaction\nExec = /bin/true\n"
	for text, want := range map[string]string{
		"Type = Path\n":                                                 "x.hook:1: invalid option Type",
		"[Foo]\n":                                                       "x.hook:1: invalid section Foo",
		"[Trigger]\nOperation = Update\n":                               `x.hook:2: invalid value "Update" of Operation`,
		"[Trigger]\nOperation\n":                                        `x.hook:2: invalid value "" of Operation`,
		"[Trigger]\n\n#\nType = Folder\n":                               `x.hook:4: invalid value "Folder" of Type`,
		"[Trigger]\nTargets = a\n":                                      "x.hook:2: invalid option Targets in [Trigger]",
		"[Trigger]\nTarget\n":                                           `x.hook:2: invalid value "" of Target`,
		"[Action]\nWhen = Now\n":                                        `x.hook:2: invalid value "Now" of When`,
		"[Action]\nTarget = a\n":                                        "x.hook:2: invalid option Target in [Action]",
		"[Action]\nExec = /bin/sh 'a\n":                                 "x.hook:2: invalid value /bin/sh 'a: a quote is not closed",
		"[Action]\nExec\n":                                              `x.hook:2: invalid value "" of Exec`,
		"[Action]\nNot an option\n":                                     "x.hook:2: invalid option Not an option in [Action]",
		trigger + "[Action]\nWhen = PostTransaction\n":                  "x.hook: missing Exec option",
		trigger + "[Action]\nExec = /bin/true\n":                        "x.hook: missing When option",
		trigger + "[Action]\nExec =\nWhen = PostTransaction\n":          "x.hook: missing Exec option",
		"[Trigger]\nType = Path\nTarget = a\n" + action:                 "x.hook: missing trigger operation",
		"[Trigger]\nOperation = Install\nTarget = a\n" + action:         "x.hook: missing trigger type",
		"[Trigger]\nOperation = Install\nType = Package\n" + action:     "x.hook: missing trigger targets",
		trigger + action + "Description = " + strings.Repeat("x", 4096): "x.hook:8: line is longer than 4095 bytes",
	} {
		h, err := ParseHook("x.hook", strings.NewReader(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want %q", text, h, err, want)
		}
	}
}

func TestParseHookWarns(t *testing.T) {
	h, err := ParseHook("x.hook", strings.NewReader("[Trigger]\nOperation = Install\nType = Path\nType = Package\nTarget = a\n"+
		"[Action]\nWhen = PreTransaction\nWhen = PostTransaction\nExec = a\nExec = b\nDescription = a\nDescription = b\n"))
	want := []string{
		"x.hook:4: overwriting previous definition of Type", "x.hook:8: overwriting previous definition of When",
		"x.hook:10: overwriting previous definition of Exec", "x.hook:12: overwriting previous definition of Description",
	}
	if err != nil || !slices.Equal(h.Warnings, want) {
		t.Fatalf("%q, %v; want %q", h.Warnings, err, want)
	}
	if h.When != PostTransaction || h.Exec[0] != "b" || h.Description != "b" || h.Triggers[0].Type != PackageTargets {
		t.Errorf("the last does not win: %+v", h)
	}
}

func TestSplitWords(t *testing.T) {
	for s, want := range map[string][]string{
		"":                               nil,
		"  /bin/true  ":                  {"/bin/true"},
		`a "b c" 'd e'`:                  {"a", "b c", "d e"},
		`a"b c"d`:                        {"ab cd"},
		`"a \" b" 'c \' d'`:              {`a " b`, "c ' d"},
		`\"a \'b \c`:                     {`"a`, "'b", `\c`},
		`"a \n 'b'" 'c "d" \x'`:          {`a \n 'b'`, `c "d" \x`},
		`""`:                             {""},
		"sh -c 'for f in *; do :; done'": {"sh", "-c", "for f in *; do :; done"},
		"$HOME *.c # x":                  {"$HOME", "*.c", "#", "x"},
	} {
		if got, ok := splitWords(s); !ok || !slices.Equal(got, want) {
			t.Errorf("splitWords(%q) = %q, %v; want %q", s, got, ok, want)
		}
	}
	for _, s := range []string{`"`, `'a`, `a "b\"`, `a'b"c`} {
		if got, ok := splitWords(s); ok {
			t.Errorf("splitWords(%q) = %q", s, got)
		}
	}
}

func TestCompareHooks(t *testing.T) {
	files := []string{"b.hook", "a-b.hook", "a.hook", "10-x.hook", "a-.hook"}
	slices.SortFunc(files, CompareHooks)
	if got := strings.Join(files, " "); got != "10-x.hook a.hook a-.hook a-b.hook b.hook" {
		t.Errorf("%s", got)
	}
	if IsHook("a.hook.bak") || !IsHook("a.hook") {
		t.Error("what is a hook's name?")
	}
}

func FuzzParseHook(f *testing.F) {
	f.Add(sampleHook)
	f.Add("[Action]\nExec = a 'b")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHook("x.hook", strings.NewReader(text))
		if err != nil {
			return
		}
		h.Triggered(Install, []string{"a"}, []string{"usr/", "usr/share/info/a"})
		if len(h.Triggers) > 0 && (len(h.Exec) == 0 || h.When == 0) {
			t.Errorf("accepted %+v", h)
		}
	})
}
