package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
	"unicode/utf8"
)

// Uses is all that one project needs of the cache. gc keeps what stands here.
type Uses struct {
	Packages  []string `json:"packages,omitempty"`  // names in packages/
	Layers    []string `json:"layers,omitempty"`    // layer ids in the store
	Trees     []string `json:"trees,omitempty"`     // ids
	Setups    []string `json:"setups,omitempty"`    // ids
	Hosts     []string `json:"hosts,omitempty"`     // ids
	Plans     []string `json:"plans,omitempty"`     // keys
	Launchers []string `json:"launchers,omitempty"` // ids
	Locals    []string `json:"locals,omitempty"`    // keys
	Files     []string `json:"files,omitempty"`     // others, as Rel gives them: databases, indexes
}

// Use is one project's record.
type Use struct {
	Project string    `json:"project"`         // as RecordUse was given it
	Bytes   []byte    `json:"bytes,omitempty"` // the same where it is no UTF-8, which JSON cannot hold
	Uses    Uses      `json:"uses"`
	Time    time.Time `json:"-"` // when it was last recorded, to the day
}

// adHocTouch is how often the record of what has no directory is dated anew.
const adHocTouch = 24 * time.Hour

// RecordUse notes what a project uses, in place of what it used before. project
// is the absolute path of its devenv.toml: the record counts for as long as that
// exists. For what has none it is a few words ("shell gdb"), and counts for a month after
// the last call. RecordUse writes only where something changed, so that it
// may be called at every build.
func (c *Cache) RecordUse(project string, uses Uses) error {
	path := c.Path(Projects, projectKey(project))
	use := Use{Project: project, Uses: uses.sorted()}
	if !utf8.ValidString(project) {
		use.Bytes = []byte(project)
	}
	text, err := json.MarshalIndent(use, "", "\t")
	if err != nil {
		return fmt.Errorf("record what %s uses: %w", project, err)
	}
	text = append(text, '\n')
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, text) {
		return touch(path, adHocTouch)
	}
	return c.WriteFile(path, text, 0o644)
}

// ForgetUse drops a project's record: gc may then take what only it used.
func (c *Cache) ForgetUse(project string) error {
	err := os.Remove(c.Path(Projects, projectKey(project)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget what %s uses: %w", project, err)
	}
	return nil
}

// Uses lists every project's record, sorted by project. A damaged record is
// an error that says which: gc must not take it for an empty one.
func (c *Cache) Uses() ([]Use, error) {
	entries, err := os.ReadDir(c.Path(Projects))
	if err != nil {
		return nil, fmt.Errorf("list the projects: %w", err)
	}
	var all []Use
	for _, entry := range entries {
		use, err := readUse(c.Path(Projects, entry.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // forgotten meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, use)
	}
	slices.SortFunc(all, func(a, b Use) int { return bytes.Compare([]byte(a.Project), []byte(b.Project)) })
	return all, nil
}

func readUse(path string) (Use, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Use{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return Use{}, err
	}
	var use Use
	if err := json.Unmarshal(text, &use); err != nil || use.Project == "" {
		return Use{}, fmt.Errorf("%s: damaged record of a project's uses (%v): remove that file and run devenv once in the project", path, err)
	}
	if len(use.Bytes) > 0 {
		use.Project = string(use.Bytes)
	}
	use.Time = info.ModTime()
	return use, nil
}

// projectKey is a file name for a project: legible, and never the same for two.
func projectKey(project string) string {
	sum := sha256.Sum256([]byte(project))
	name := fileName(filepath.Base(project))
	return name[:min(len(name), 40)] + "-" + hex.EncodeToString(sum[:8])
}

// touch dates path anew where its date is older than age.
func touch(path string, age time.Duration) error {
	info, err := os.Stat(path)
	if err != nil || time.Since(info.ModTime()) < age {
		return err
	}
	now := time.Now()
	return os.Chtimes(path, now, now)
}

func (u Uses) sorted() Uses {
	for _, list := range []*[]string{&u.Packages, &u.Layers, &u.Trees, &u.Setups, &u.Hosts, &u.Plans, &u.Launchers, &u.Locals, &u.Files} {
		*list = slices.Clone(*list)
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return u
}
