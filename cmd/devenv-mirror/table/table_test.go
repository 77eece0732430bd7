package table

import (
	"io/fs"
	"strings"
	"testing"
)

func load(t *testing.T) *Table {
	t.Helper()
	table, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// Files and scriptlets of a package that does not exist would go unnoticed.
func TestOwnFilesBelongToPackages(t *testing.T) {
	table := load(t)
	for _, dir := range []string{"root", "install"} {
		entries, err := fs.ReadDir(files, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if table.Package[e.Name()] == nil {
				t.Errorf("%s/%s belongs to no package", dir, e.Name())
			}
		}
	}
}

func TestScriptletsAreShell(t *testing.T) {
	entries, err := fs.ReadDir(files, "install")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if text := string(Install(e.Name())); !strings.Contains(text, "post_install() {") && !strings.Contains(text, "post_upgrade() {") {
			t.Errorf("install/%s has no function that pacman calls", e.Name())
		}
	}
}

func TestEnoughPackagesAndDays(t *testing.T) {
	table := load(t)
	if len(table.Package) < 180 || len(table.Days) < 3 {
		t.Errorf("%d packages on %d days", len(table.Package), len(table.Days))
	}
	if len(table.Sets["base"]) != 16 {
		t.Errorf("the base set has %d packages", len(table.Sets["base"]))
	}
}

func TestParseComplains(t *testing.T) {
	day := "[[day]]\ndate = \"2024-01-01\"\nrepos = [\"core\"]\n"
	for text, want := range map[string]string{
		day + "[package.x]\ndebz = []\n":                     "debz",
		day + "[sets]\nbase = [\"y\"]\n":                     "y, which is no package",
		"[package.x]\n":                                      "days",
		day + "[[day]]\ndate = \"2020-01-01\"\nrepos = []\n": "oldest first",
		day + "[[rename]]\ndeb = \"(\"\nas = \"\"\n":         "rename",
		day + "[package.x\n":                                 "line 5",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v does not mention %q", text, err, want)
		}
	}
}
