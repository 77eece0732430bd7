package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"devenv/cache"
	"devenv/cache/fetch"
	"devenv/layers/alpm"
)

// The most a database may hold: ten times the largest of today.
const (
	maxDatabase = 256 << 20
	maxFilesDB  = 1 << 30
)

// Info says where a database came from.
type Info struct {
	Repo     string
	Day      string    // empty: today's mirrors, or a repository without an archive
	URL      string    // without any password
	File     string    // from the cache's directory, for cache.Uses.Files
	Modified time.Time // when it was published; zero where the server does not say
	Checked  time.Time // when a server was last asked
	Stale    bool      // the network was refused and this is what was there
}

// Synced is one repository as it was found.
type Synced struct {
	Index *alpm.Index
	Info  Info
}

// Sync gives a repository as it is today (day "") or was on a day ("2026-11-20").
// A repository of Config.Extra is today's on every day. A day that the archive
// does not have is a [NoDayError], a repository that a day does not have a [NoRepoError].
func (m *Mirror) Sync(ctx context.Context, repo, day string, opt Options) (*alpm.Index, Info, error) {
	db := m.database(repo, day, ".db", maxDatabase)
	for {
		res, err := m.obtain(ctx, db, opt)
		if err != nil {
			return nil, Info{}, err
		}
		index, err := m.open(db.dest)
		var damaged *DamagedError
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // another process found it damaged and threw it away
		case !errors.As(err, &damaged):
			return index, m.info(db, res), err
		}
		// Nothing damaged stays, or it would be found again and again.
		if err := fetch.Remove(db.dest); err != nil {
			return nil, Info{}, err
		}
		if res.Changed { // else it was damaged here: the same servers may have it whole
			db.urls = without(db.urls, res.URL)
		}
		if len(db.urls) == 0 {
			damaged.What, damaged.URL = "the database of "+repo, res.URL
			return nil, Info{}, damaged
		}
	}
}

// SyncAll is Sync for several repositories at once, in their order.
func (m *Mirror) SyncAll(ctx context.Context, repos []string, day string, opt Options) ([]Synced, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := make([]Synced, len(repos))
	errs := make([]error, len(repos))
	var wg sync.WaitGroup
	for i, repo := range repos {
		wg.Go(func() {
			all[i].Index, all[i].Info, errs[i] = m.Sync(ctx, repo, day, opt)
			if errs[i] != nil {
				cancel() // the others could not help
			}
		})
	}
	wg.Wait()
	return all, firstOf(errs)
}

// firstOf is the first error that is not another's consequence.
func firstOf(errs []error) error {
	var cancelled error
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		cancelled = errors.Join(cancelled, err)
	}
	return cancelled
}

// SyncFiles brings a repository's .files database, to be read with
// alpm.ReadFiles. It is large: ask for it only when it is needed.
func (m *Mirror) SyncFiles(ctx context.Context, repo, day string, opt Options) (path string, info Info, err error) {
	db := m.database(repo, day, ".files", maxFilesDB)
	res, err := m.obtain(ctx, db, opt)
	if err != nil {
		return "", Info{}, err
	}
	return db.dest, m.info(db, res), nil
}

// database is one database to be had.
type database struct {
	repo, day string
	urls      []string
	dest      string
	forever   bool // it never changes
	limit     int64
}

func (m *Mirror) database(repo, day, suffix string, limit int64) database {
	file := repo + suffix
	if day != "" && m.extra(repo) == nil {
		return database{
			repo: repo, day: day, limit: limit,
			urls:    []string{fetch.Join(m.dayDir(repo, day), file)},
			dest:    m.archivePath("repos", day, m.cfg.Arch, file),
			forever: !isLocal(m.cfg.Archive),
		}
	}
	dirs := m.servers(repo)
	urls := make([]string, len(dirs))
	for i, dir := range dirs {
		urls[i] = fetch.Join(dir, file)
	}
	db := database{repo: repo, urls: urls, limit: limit}
	if len(dirs) > 0 {
		db.dest = m.cache.Path(cache.Sync, placeKey(dirs...), file)
	}
	return db
}

// obtain brings a database to its place, where it is not there or not fresh.
func (m *Mirror) obtain(ctx context.Context, db database, opt Options) (fetch.Result, error) {
	if err := m.checkPlace(db); err != nil {
		return fetch.Result{}, err
	}
	req := fetch.Request{URLs: db.urls, Dest: db.dest, MaxSize: db.limit, Progress: opt.Progress}
	res, err := m.bring(ctx, req, db, opt)
	switch {
	case err == nil:
		return res, nil
	case errors.Is(err, context.Canceled):
		return res, err
	case db.day != "" && errors.As(err, new(*fetch.NotFoundError)):
		return res, m.explainMissing(ctx, db)
	}
	if errors.As(err, new(*fetch.NotFoundError)) {
		return res, &NoRepoError{Repo: db.repo, Arch: m.cfg.Arch, Err: err}
	}
	return res, fmt.Errorf("database of %s: %w", db.repo, err)
}

func (m *Mirror) bring(ctx context.Context, req fetch.Request, db database, opt Options) (fetch.Result, error) {
	if db.forever {
		return m.fetch.Get(ctx, req)
	}
	fresh := m.cfg.Fresh
	if opt.Refresh || isLocal(db.urls[0]) {
		fresh = 0
	}
	res, err := m.fetch.Conditional(ctx, req, fresh)
	if err != nil && errors.As(err, new(*fetch.OfflineError)) {
		if stored, ok := fetch.Stored(req.Dest); ok {
			return stored, nil
		}
	}
	return res, err
}

func (m *Mirror) checkPlace(db database) error {
	switch {
	case !isName(db.repo):
		return fmt.Errorf("%q is no repository's name", db.repo)
	case len(db.urls) == 0:
		return fmt.Errorf("no server is known for the repository %s: name one under [mirrors] in devenv.toml", db.repo)
	case db.day == "":
		return nil
	case m.cfg.Archive == "":
		return fmt.Errorf("no archive is known, so there is no repository of %s: name one as archive under [mirrors] in devenv.toml", db.day)
	}
	if _, err := time.Parse(time.DateOnly, db.day); err != nil {
		return fmt.Errorf("%q is no day: write it as 2006-01-02", db.day)
	}
	return nil
}

// isName reports whether s can stand in a path as one element.
func isName(s string) bool {
	return s != "" && s[0] != '.' && len(s) <= 100 && filepath.IsLocal(s) && filepath.Base(s) == s
}

func (m *Mirror) info(db database, res fetch.Result) Info {
	info := Info{Repo: db.repo, Day: db.day, URL: res.URL, Modified: res.Modified, Checked: res.Checked}
	info.File, _ = m.cache.Rel(db.dest)
	if info.URL == "" {
		info.URL = db.urls[0]
	}
	info.Stale = m.fetch.Offline() && db.day == "" && !isLocal(db.urls[0]) && time.Since(res.Checked) > m.cfg.Fresh
	return info
}

func without(urls []string, shown string) []string {
	var rest []string
	for _, u := range urls {
		if fetch.Show(u) != shown {
			rest = append(rest, u)
		}
	}
	if len(rest) == len(urls) {
		return nil
	}
	return rest
}
