package cache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func init() {
	children["hold"] = func(dir string) error {
		c, err := Open(dir)
		if err != nil {
			return err
		}
		if _, err := c.Hold(Trees, "held"); err != nil {
			return err
		}
		return sayAndWait("held")
	}
}

func TestRecordUseWritesOnlyChanges(t *testing.T) {
	c := open(t)
	uses := Uses{Trees: []string{"b", "a", "a"}}
	if err := c.RecordUse("/p/devenv.toml", uses); err != nil {
		t.Fatal(err)
	}
	path := c.Path(Projects, projectKey("/p/devenv.toml"))
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.RecordUse("/p/devenv.toml", Uses{Trees: []string{"a", "b"}}); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("written again, %v", err)
	}
	if err := c.RecordUse("/q/devenv.toml", Uses{Trees: []string{"c"}}); err != nil {
		t.Fatal(err)
	}
	all, err := c.Uses()
	if err != nil || len(all) != 2 || all[0].Project != "/p/devenv.toml" || !slices.Equal(all[0].Uses.Trees, []string{"a", "b"}) {
		t.Errorf("%v, %v", all, err)
	}
	if err := c.ForgetUse("/p/devenv.toml"); err != nil {
		t.Fatal(err)
	}
	if all, _ := c.Uses(); len(all) != 1 {
		t.Errorf("%v", all)
	}
}

func TestADamagedRecordStopsGC(t *testing.T) {
	c := open(t)
	mustWrite(t, c.Path(Projects, "x"), "{")
	mustWrite(t, c.Path(Trees, "t", "fs", "f"), "x")
	if _, err := c.GC(context.Background(), GCOptions{}); err == nil || !exists(c.Tree("t")) {
		t.Errorf("%v", err)
	}
}

// furnished is a cache with used and unused things, and the used ones' project.
func furnished(t *testing.T) (c *Cache, project string) {
	c = open(t)
	project = filepath.Join(t.TempDir(), "devenv.toml")
	mustWrite(t, project, "")
	for _, name := range []string{"used", "unused"} {
		mustWrite(t, c.Path(Trees, name, "fs", "f"), "tree")
		mustWrite(t, c.Path(Setups, name, "fs", "f"), "setup")
		mustWrite(t, c.Path(Hosts, name, "fs", "f"), "host")
		mustWrite(t, c.Plan(name), "plan")
		mustWrite(t, c.Path(Packages, name), "package")
		mustWrite(t, c.Path(Packages, name+".sig"), "signature")
		mustWrite(t, c.Path(Sync, "mirror", name+".db"), "db")
		mustWrite(t, c.Path(Sync, "mirror", name+".db.meta"), "meta")
		mustWrite(t, c.Path(Archive, "a", "repos", "2024-01-01", name+".db"), "db")
		mustWrite(t, c.Path(Archive, "a", "repos", "2024-01-01", name+".db.idx"), "idx")
	}
	mustWrite(t, c.Path(Archive, "a", "heads", "new"), "head")
	mustWrite(t, c.Path(Archive, "a", "heads", "old"), "head")
	long := time.Now().Add(-2 * archiveAge)
	if err := os.Chtimes(c.Path(Archive, "a", "heads", "old"), long, long); err != nil {
		t.Fatal(err)
	}
	used := []string{"used"}
	err := c.RecordUse(project, Uses{
		Packages: used, Trees: used, Setups: used, Hosts: used, Plans: used, Layers: used,
		Files: []string{"sync/mirror/used.db", "archive/a/repos/2024-01-01/used.db"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, project
}

// left lists what is in the cache, but for locks and records.
func left(t *testing.T, c *Cache) []string {
	t.Helper()
	var files []string
	for _, kind := range []Kind{Trees, Setups, Hosts, Plans, Packages, Sync, Archive, Tmp} {
		filepath.WalkDir(c.Path(kind), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				rel, _ := c.Rel(path)
				files = append(files, rel)
			}
			return nil
		})
	}
	return files
}

func TestGCRemovesWhatNoProjectUses(t *testing.T) {
	c, _ := furnished(t)
	layers := func(_ context.Context, used map[string]bool, dryRun bool, size func(string) int64) ([]Removed, error) {
		if !used["used"] || used["unused"] {
			t.Errorf("layers in use: %v", used)
		}
		return []Removed{{Kind: Store, Name: "unused", Size: 5}}, nil
	}
	before := left(t, c)
	dry, err := c.GC(context.Background(), GCOptions{DryRun: true, Layers: layers})
	if err != nil {
		t.Fatal(err)
	}
	if after := left(t, c); !slices.Equal(before, after) {
		t.Fatalf("a dry run changed something: %v", after)
	}
	report, err := c.GC(context.Background(), GCOptions{Layers: layers})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(dry.Removed, report.Removed) || dry.Freed != report.Freed || report.Freed <= 5 {
		t.Errorf("the dry run said %v, %d, and then went %v, %d", dry.Removed, dry.Freed, report.Removed, report.Freed)
	}
	want := []string{
		"trees/used/fs/f", "setups/used/fs/f", "hosts/used/fs/f", "plans/used", "packages/used", "packages/used.sig",
		"sync/mirror/used.db", "sync/mirror/used.db.meta", "archive/a/heads/new",
		"archive/a/repos/2024-01-01/used.db", "archive/a/repos/2024-01-01/used.db.idx",
	}
	if got := left(t, c); !slices.Equal(got, want) {
		t.Errorf("left\n%v\nwant\n%v", got, want)
	}
	again, err := c.GC(context.Background(), GCOptions{})
	if err != nil || len(again.Removed) != 0 {
		t.Errorf("once more: %v, %v", again.Removed, err)
	}
}

// A path is bytes, not text.
func TestGCKeepsAProjectWhosePathIsNoUTF8(t *testing.T) {
	c, _ := furnished(t)
	project := filepath.Join(t.TempDir(), "\xff\xfe", "devenv.toml")
	if err := os.MkdirAll(filepath.Dir(project), 0o755); err != nil {
		t.Skipf("no file system for such names: %v", err)
	}
	if err := os.WriteFile(project, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.RecordUse(project, Uses{Trees: []string{"unused"}}); err != nil {
		t.Fatal(err)
	}
	report, err := c.GC(context.Background(), GCOptions{})
	if err != nil || len(report.Gone) != 0 || !exists(c.Tree("unused")) {
		t.Errorf("gone: %q, %v", report.Gone, err)
	}
	if err := os.Remove(project); err != nil {
		t.Fatal(err)
	}
	report, err = c.GC(context.Background(), GCOptions{})
	if err != nil || !slices.Equal(report.Gone, []string{project}) || exists(c.Tree("unused")) {
		t.Errorf("removed, gone: %q, %v", report.Gone, err)
	}
}

func TestGCForgetsProjectsThatAreGone(t *testing.T) {
	c, project := furnished(t)
	if err := c.RecordUse("shell gdb", Uses{Trees: []string{"unused"}}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(project); err != nil {
		t.Fatal(err)
	}
	report, err := c.GC(context.Background(), GCOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(report.Gone, []string{project}) {
		t.Errorf("gone: %v", report.Gone)
	}
	if exists(c.Tree("used")) || !exists(c.Tree("unused")) {
		t.Error("kept what was used by a project that is gone, or removed what a shell uses")
	}
	old := time.Now().Add(-60 * 24 * time.Hour)
	if err := os.Chtimes(c.Path(Projects, projectKey("shell gdb")), old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GC(context.Background(), GCOptions{}); err != nil || exists(c.Tree("unused")) {
		t.Errorf("kept what a shell used two months ago: %v", err)
	}
}

func TestGCLeavesWhatARunningEnvironmentHolds(t *testing.T) {
	c := open(t)
	mustWrite(t, c.Path(Trees, "held", "fs", "f"), "x")
	ch := start(t, "hold", c.Dir(), nil)
	report, err := c.GC(context.Background(), GCOptions{})
	if err != nil || len(report.Busy) != 1 || !exists(c.Tree("held")) {
		t.Fatalf("%+v, %v", report, err)
	}
	if !exists(c.HoldPath(Trees, "held")) {
		t.Error("the held lock file went")
	}
	ch.kill()
	if _, err := c.GC(context.Background(), GCOptions{}); err != nil || exists(c.Tree("held")) || exists(c.HoldPath(Trees, "held")) {
		t.Errorf("still there: %v", err)
	}
}

func TestGCWaitsForBuilds(t *testing.T) {
	c := open(t)
	release, err := c.Use(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if _, err := c.GC(ctx, GCOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("did not wait: %v", err)
	}
	release()
	if _, err := c.GC(context.Background(), GCOptions{}); err != nil {
		t.Error(err)
	}
}

func TestUsageCountsSharedFilesOnce(t *testing.T) {
	c := open(t)
	big := make([]byte, 1<<20)
	mustWrite(t, c.Path(Store, "layer", "f"), string(big))
	if err := os.MkdirAll(c.Path(Trees, "t", "fs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(c.Path(Store, "layer", "f"), c.Path(Trees, "t", "fs", "f")); err != nil {
		t.Fatal(err)
	}
	kinds, total := c.Usage()
	for _, k := range kinds {
		if k.Kind == Trees && k.Size > 1<<19 {
			t.Errorf("the tree counts %d", k.Size)
		}
	}
	if total < 1<<20 || total > 3<<19 {
		t.Errorf("total %d", total)
	}
	var m Meter
	if a, b := m.Add(c.Path(Trees)), m.Add(c.Path(Store)); a > 1<<19 || b < 1<<20 {
		t.Errorf("removing the tree frees %d, then the layer %d", a, b)
	}
}
