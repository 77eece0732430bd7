package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"devenv/cmd/devenv-mirror/table"
)

// repo is one repository directory to be.
type repo struct {
	date   string // empty for today's
	name   string
	dir    string // relative to the mirror
	builds []*table.Build
}

// repositories lists, for each repository name, its directories from the
// oldest day on; the mirror of today, which is the newest day's, comes last.
func (b *builder) repositories() map[string][]repo {
	chains := map[string][]repo{}
	for i, day := range b.plan.Days {
		for name, builds := range day.Repos {
			today := filepath.Join(name, "os", b.plan.Arch)
			dated := filepath.Join("archive", "repos", strings.ReplaceAll(day.Date, "-", "/"), today)
			chains[name] = append(chains[name], repo{day.Date, name, dated, builds})
			if i == len(b.plan.Days)-1 {
				chains[name] = append(chains[name], repo{"", name, today, builds})
			}
		}
	}
	return chains
}

// want is what a repository shall hold: file name → SHA-256.
func (b *builder) want(r repo) map[string]string {
	w := map[string]string{}
	for _, build := range r.builds {
		w[build.Filename()] = b.state.Packages[build.Filename()].SHA256
	}
	return w
}

// publish makes all repositories that changed and puts them in place.
func (b *builder) publish(ctx context.Context) error {
	aside := filepath.Join(b.dir, ".new")
	defer os.RemoveAll(aside)
	chains := b.repositories()
	g, gctx := errgroup.WithContext(ctx)
	for _, name := range slices.Sorted(maps.Keys(chains)) {
		g.Go(func() error { return b.chain(gctx, aside, chains[name]) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := b.verifyDays(aside, chains); err != nil {
		return err
	}
	for _, chain := range chains {
		for _, r := range chain {
			if err := exchange(filepath.Join(aside, r.dir), filepath.Join(b.dir, r.dir)); err != nil {
				return err
			}
			b.state.Repos[r.dir] = b.want(r)
		}
	}
	return nil
}

// verifyDays looks at each day of which something was made anew.
func (b *builder) verifyDays(aside string, chains map[string][]repo) error {
	days, changed := map[string]map[string]string{}, map[string]bool{}
	for name, chain := range chains {
		for _, r := range chain {
			if r.date == "" {
				continue // the newest day's, once more
			}
			if days[r.date] == nil {
				days[r.date] = map[string]string{}
			}
			days[r.date][name] = filepath.Join(b.dir, r.dir)
			if _, err := os.Stat(filepath.Join(aside, r.dir)); err == nil {
				days[r.date][name] = filepath.Join(aside, r.dir)
				changed[r.date] = true
			}
		}
	}
	for _, date := range slices.Sorted(maps.Keys(changed)) {
		if err := verify(date, days[date]); err != nil {
			return err
		}
	}
	return nil
}

// chain makes the directories of one repository, each from the database of
// its own last state or of the day before: repo-add need only see what is new.
func (b *builder) chain(ctx context.Context, aside string, repos []repo) error {
	var from string // a directory with a database
	held := map[string]string{}
	for _, r := range repos {
		want := b.want(r)
		old, existing := b.state.Repos[r.dir], filepath.Join(b.dir, r.dir)
		if maps.Equal(old, want) && isRepo(existing, r.name, want) {
			from, held = existing, want
			continue
		}
		dir := filepath.Join(aside, r.dir)
		if err := b.fill(dir, r); err != nil {
			return err
		}
		if from != "" {
			if err := copyDatabase(from, dir, r.name); err != nil {
				return err
			}
		}
		if err := b.update(ctx, dir, r.name, held, want); err != nil {
			return fmt.Errorf("repository %s: %w", r.dir, err)
		}
		from, held = dir, want
	}
	return nil
}

// isRepo tells whether a directory still has all that the state says.
func isRepo(dir, name string, want map[string]string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	have := map[string]bool{}
	for _, e := range entries {
		have[e.Name()] = true
	}
	for file := range want {
		if !have[file] || !have[file+".sig"] {
			return false
		}
	}
	return have[name+".db"] && have[name+".files"]
}

// fill links the packages and signatures into a new directory.
func (b *builder) fill(dir string, r repo) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, build := range r.builds {
		for _, end := range []string{"", ".sig"} {
			file := build.Filename() + end
			if err := os.Link(b.path(build.Name, file), filepath.Join(dir, file)); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyDatabase hands on what repo-add will write anew, or keep as it is.
func copyDatabase(from, to, name string) error {
	for _, kind := range []string{".db", ".files"} {
		data, err := os.ReadFile(filepath.Join(from, name+kind+".tar.gz"))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name+kind+".tar.gz"), data, 0o644); err != nil {
			return err
		}
		err = os.Symlink(name+kind+".tar.gz", filepath.Join(to, name+kind))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// update lets repo-remove and repo-add change a database from held to want.
func (b *builder) update(ctx context.Context, dir, name string, held, want map[string]string) error {
	database := name + ".db.tar.gz"
	var add, remove []string
	names := map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(want)) {
		names[packageName(file)] = true
		if held[file] != want[file] {
			add = append(add, file)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(held)) {
		if !names[packageName(file)] {
			remove = append(remove, packageName(file))
		}
	}
	if len(remove) > 0 {
		if _, err := run(ctx, dir, nil, "repo-remove", append([]string{"-q", database}, remove...)...); err != nil {
			return err
		}
	}
	if len(add) > 0 || len(want) == 0 { // without packages repo-add makes an empty database
		if _, err := run(ctx, dir, nil, "repo-add", append([]string{"-q", database}, add...)...); err != nil {
			return err
		}
	}
	for _, kind := range []string{".db", ".files"} {
		os.Remove(filepath.Join(dir, name+kind+".tar.gz.old"))
	}
	return nil
}

// packageName is the name in "name-version-release-arch.pkg.tar.zst".
func packageName(file string) string {
	parts := strings.Split(file, "-")
	return strings.Join(parts[:len(parts)-3], "-")
}

// exchange puts a new directory where another may be, in one step.
func exchange(fresh, place string) error {
	if _, err := os.Stat(fresh); errors.Is(err, fs.ErrNotExist) {
		return nil // nothing changed
	}
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	err := unix.Renameat2(unix.AT_FDCWD, fresh, unix.AT_FDCWD, place, unix.RENAME_EXCHANGE)
	switch {
	case errors.Is(err, unix.ENOENT): // the first time
		return os.Rename(fresh, place)
	case errors.Is(err, unix.EINVAL): // a file system that cannot
		if err := os.RemoveAll(place); err != nil {
			return err
		}
		return os.Rename(fresh, place)
	case err != nil:
		return fmt.Errorf("%s: %w", place, err)
	}
	return os.RemoveAll(fresh)
}
