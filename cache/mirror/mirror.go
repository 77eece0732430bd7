package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"devenv/cache"
	"devenv/cache/fetch"
)

// Config says where to ask. A server or archive is an http, https or file URL,
// or a directory.
type Config struct {
	Servers []string // of today, tried in order, with $repo and $arch in them
	Archive string   // without packages/ or repos/; empty: there is none
	Arch    string   // "x86_64"
	Repos   []string // the repositories in order of preference; [Archive.DayOf] looks in them
	Extra   []ExtraRepo

	// Fresh is how long an answer of today's servers counts as today's.
	// Default 10 minutes.
	Fresh time.Duration
}

// ExtraRepo is a repository with servers of its own. It has no archive: it is
// the same on every day.
type ExtraRepo struct {
	Name    string
	Servers []string // with $repo and $arch in them, where they need it
}

// Mirror is made by [New].
type Mirror struct {
	cache *cache.Cache
	fetch *fetch.Client
	cfg   Config

	mu      sync.Mutex
	opened  map[string]*openIndex // by database, as long as it is the same file
	archive *Archive
}

// New makes a Mirror. It asks nothing yet.
func New(c *cache.Cache, client *fetch.Client, cfg Config) *Mirror {
	if cfg.Fresh <= 0 {
		cfg.Fresh = 10 * time.Minute
	}
	m := &Mirror{cache: c, fetch: client, cfg: cfg, opened: make(map[string]*openIndex)}
	m.archive = newArchive(m)
	return m
}

// Archive is the mirror's archive. It is never nil: where none is configured
// it holds nothing.
func (m *Mirror) Archive() *Archive { return m.archive }

// servers are the URLs of a repository's directory today.
func (m *Mirror) servers(repo string) []string {
	templates := m.cfg.Servers
	if extra := m.extra(repo); extra != nil {
		templates = extra.Servers
	}
	dirs := make([]string, len(templates))
	for i, template := range templates {
		dirs[i] = strings.NewReplacer("$repo", repo, "$arch", m.cfg.Arch).Replace(template)
	}
	return dirs
}

func (m *Mirror) extra(repo string) *ExtraRepo {
	i := slices.IndexFunc(m.cfg.Extra, func(e ExtraRepo) bool { return e.Name == repo })
	if i < 0 {
		return nil
	}
	return &m.cfg.Extra[i]
}

// dayDir is a repository's directory on a day.
func (m *Mirror) dayDir(repo, day string) string {
	return fetch.Join(m.cfg.Archive, "repos", strings.ReplaceAll(day, "-", "/"), repo, "os", m.cfg.Arch)
}

// archivePath is where something of the archive is kept. Each archive has a
// directory of its own: two may differ in what they say of one day.
func (m *Mirror) archivePath(elem ...string) string {
	return m.cache.Path(cache.Archive, append([]string{placeKey(m.cfg.Archive)}, elem...)...)
}

// isLocal reports whether base lies on this machine, where asking is free.
func isLocal(base string) bool {
	_, ok := fetch.LocalPath(base)
	return ok
}

// placeKey is a directory name for one or several servers: legible by the
// first, and never the same for two sets.
func placeKey(places ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(places, "\n")))
	return placeName(places[0]) + "-" + hex.EncodeToString(sum[:6])
}

func placeName(place string) string {
	name := filepath.Base(place)
	if u, err := url.Parse(place); err == nil && u.Host != "" {
		name = u.Hostname()
	} else if path, ok := fetch.LocalPath(place); ok {
		name = filepath.Base(path)
	}
	clean := strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}, strings.TrimLeft(name, "."))
	return clean[:min(len(clean), 40)]
}

// Options are for one question.
type Options struct {
	Refresh  bool              // ask the servers even if they were asked just now
	Progress func(fetch.Event) // as in fetch.Request; several transfers may call it at once
}
