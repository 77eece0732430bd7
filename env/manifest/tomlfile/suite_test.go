package tomlfile

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

// beyondSyntax are documents of the suite that the tree accepts: their faults
// are in dates and numbers, which stay as they are written until somebody
// reads them.
var beyondSyntax = []string{"invalid/datetime/", "invalid/local-date/", "invalid/local-datetime/", "invalid/local-time/", "invalid/integer/"}

// newer are documents that TOML 1.0 refuses and TOML 1.1 has.
var newer = []string{"invalid/inline-table/linebreak-", "invalid/inline-table/trailing-comma.", "invalid/string/basic-byte-escapes."}

// TestSuite reads the documents of toml-test, which come with the other
// library, and compares with what that library understands.
func TestSuite(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/BurntSushi/toml").Output()
	root := filepath.Join(strings.TrimSpace(string(dir)), "internal/toml-test/tests")
	if _, statErr := os.Stat(root); err != nil || statErr != nil {
		t.Skip("toml-test's documents are not in the module cache: run go mod download")
	}
	count := 0
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		if err != nil || filepath.Ext(path) != ".toml" || strings.Contains(name, "spec-1.0.0") {
			return err
		}
		count++
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		d, err := Parse(name, path, src)
		if strings.HasPrefix(name, "invalid/") {
			isIn := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
			if err == nil && !slices.ContainsFunc(slices.Concat(beyondSyntax, newer), isIn) {
				t.Errorf("%s was accepted", name)
			}
			return nil
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return nil
		}
		checkAgainstPeer(t, d)
		return nil
	})
	if err != nil || count < 500 {
		t.Fatalf("%d documents: %v", count, err)
	}
}

// checkAgainstPeer compares the meaning of a document with what the other
// library makes of it, and checks that values stand where they say.
func checkAgainstPeer(t *testing.T, d *Document) {
	t.Helper()
	var want map[string]any
	if _, err := toml.Decode(string(d.Src), &want); err != nil {
		t.Errorf("%s: accepted, but: %v", d.Name, err)
		return
	}
	comparePeer(t, d.Name, d.Root, want)
}

func comparePeer(t *testing.T, at string, v *Value, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		if v.Kind != Table || len(v.Entries) != len(want) {
			t.Errorf("%s: %d entries of %s, want %d", at, len(v.Entries), v.Kind, len(want))
			return
		}
		for _, e := range v.Entries {
			comparePeer(t, at+"."+e.Key, e.Value, want[e.Key])
		}
	case []any:
		compareItems(t, at, v, len(want), func(i int) any { return want[i] })
	case []map[string]any:
		compareItems(t, at, v, len(want), func(i int) any { return want[i] })
	case string:
		if v.Kind != String || v.Text != want {
			t.Errorf("%s: %s %q, want %q", at, v.Kind, v.Text, want)
		}
	case bool:
		if v.Kind != Bool || v.Text != strconv.FormatBool(want) {
			t.Errorf("%s: %s, want %v", at, v.Text, want)
		}
	case int64:
		if v.Kind != Integer {
			t.Errorf("%s: %s, want an integer", at, v.Kind)
		}
	case float64:
		if v.Kind != Float {
			t.Errorf("%s: %s, want a float", at, v.Kind)
		}
	case time.Time:
		if v.Kind != Date && v.Kind != Time {
			t.Errorf("%s: %s, want a time", at, v.Kind)
		}
	default:
		t.Errorf("%s: unexpected %T", at, want)
	}
}

func compareItems(t *testing.T, at string, v *Value, n int, item func(int) any) {
	t.Helper()
	if v.Kind != Array || len(v.Items) != n {
		t.Errorf("%s: %d items, want %d", at, len(v.Items), n)
		return
	}
	for i := range v.Items {
		comparePeer(t, at, v.Items[i], item(i))
	}
}
