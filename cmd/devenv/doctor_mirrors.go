package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"devenv/cache/fetch"
	"devenv/cache/trust"
	"devenv/env"
	"devenv/env/manifest"
)

const (
	mirrorPatience = 10 * time.Second
	slowMirror     = 2 * time.Second
	clockWarn      = 5 * time.Minute
	clockFail      = 24 * time.Hour
	oldKeyring     = 300 * 24 * time.Hour
)

// mirrors asks each server for the head of the first repository's database, and
// the archive for its own.
func (d *doctor) mirrors(ctx context.Context, p *env.Project) {
	repos := p.Mirrors.Repositories("")
	if len(repos) == 0 {
		d.fail("mirrors", "name some: [mirrors] repos", "no repository is known")
		return
	}
	repo, reached := repos[0], 0
	var failed []finding
	for _, server := range repo.Servers {
		url := fetch.Join(strings.NewReplacer("$repo", repo.Name, "$arch", p.Arch).Replace(server.Name), repo.Name+".db")
		took, err := d.head(ctx, url)
		switch {
		case err != nil:
			failed = append(failed, finding{"mirror", statusWarn, fmt.Sprintf("%s: %v", fetch.Show(url), err), "another one answers; or take it out of [mirrors] servers"})
		case took > slowMirror:
			reached++
			d.warn("mirror", "name a nearer one first: [mirrors] servers", "%s answers after %s", fetch.Show(url), took.Round(time.Millisecond))
		default:
			reached++
			d.ok("mirror", "%s", answered(url, took))
		}
	}
	for _, f := range failed {
		if reached == 0 {
			f.Status, f.Remedy = statusFail, "check the network and https_proxy, or name another mirror: [mirrors] servers in devenv.toml or config.toml, or DEVENV_MIRROR"
		}
		d.findings = append(d.findings, f)
	}
	switch took, err := d.archive(ctx, p); {
	case p.Mirrors.Archive == "":
		d.warn("archive", "name one: [mirrors] archive", "none is known: no snapshots, no older versions")
	case err != nil:
		d.warn("archive", "[mirrors] archive names another one; without it there are no snapshots and no older versions", "%s: %v", fetch.Show(p.Mirrors.Archive), err)
	default:
		d.ok("archive", "%s", answered(p.Mirrors.Archive, took))
	}
}

func answered(url string, took time.Duration) string {
	if _, local := fetch.LocalPath(url); local {
		return fetch.Show(url) + " is there"
	}
	return fmt.Sprintf("%s answers after %s", fetch.Show(url), took.Round(time.Millisecond))
}

func (d *doctor) archive(ctx context.Context, p *env.Project) (time.Duration, error) {
	if p.Mirrors.Archive == "" {
		return 0, nil
	}
	return d.head(ctx, fetch.Join(p.Mirrors.Archive, "repos")+"/")
}

// head asks for a URL without its content, and notes what time it is there.
func (d *doctor) head(ctx context.Context, url string) (time.Duration, error) {
	start := time.Now()
	if path, ok := fetch.LocalPath(url); ok {
		_, err := os.Stat(path)
		return time.Since(start), err
	}
	if fetch.FromEnv(os.Getenv).Offline {
		return 0, errors.New("not asked: DEVENV_OFFLINE is set")
	}
	ctx, cancel := context.WithTimeout(ctx, mirrorPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("User-Agent", "devenv")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, errors.Unwrap(err) // without the URL, which may have a password in it
	}
	res.Body.Close()
	took := time.Since(start)
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil && d.there.IsZero() {
		d.there, d.here = date, start.Add(took/2)
	}
	if res.StatusCode >= 400 {
		return took, fmt.Errorf("it says %s", res.Status)
	}
	return took, nil
}

// clock compares this machine's with a mirror's: signatures and certificates
// are judged by it.
func (d *doctor) clock() {
	if d.there.IsZero() {
		d.ok("clock", "%s; no mirror to compare with", time.Now().Format(time.RFC3339))
		return
	}
	off := d.here.Sub(d.there).Abs()
	remedy := "set the clock: as root, timedatectl set-ntp true"
	switch {
	case off > clockFail:
		d.fail("clock", remedy, "it is %s off: signatures and certificates cannot be judged", off.Round(time.Minute))
	case off > clockWarn:
		d.warn("clock", remedy, "it is %s off", off.Round(time.Second))
	default:
		d.ok("clock", "agrees with a mirror's to %s", max(off.Round(time.Second), time.Second))
	}
}

var dated = regexp.MustCompile(`20\d{6}`)

// keyring loads what packages are verified with.
func (d *doctor) keyring(ctx context.Context, p *env.Project) {
	ring, level, err := p.Keyring(ctx)
	remedy := "check the mirrors above; [mirrors] keyring names a keyring of one's own"
	if err != nil {
		d.fail("keyring", remedy, "%v", err)
		return
	}
	if level == trust.Never || ring == nil {
		d.warn("keyring", "take siglevel = \"never\" out of [mirrors]", "packages are not verified")
		return
	}
	trusted := len(ring.Trusted(time.Now()))
	if trusted == 0 {
		d.fail("keyring", remedy, "%s: none of its %d keys is trusted", ring.Name(), ring.Len())
		return
	}
	day, err := time.Parse("20060102", dated.FindString(ring.Name()))
	if age := time.Since(day); err == nil && age > oldKeyring {
		d.warn("keyring", "use a mirror that is up to date", "%s is %d days old", ring.Name(), int(age.Hours()/24))
		return
	}
	d.ok("keyring", "%s: %d of %d keys are trusted", ring.Name(), trusted, ring.Len())
}

// project looks at devenv.toml and devenv.lock, where there are any.
func (d *doctor) project() *env.Project {
	p, err := env.Open(".", env.Options{})
	if errors.Is(err, manifest.ErrNotFound) {
		p, err = env.OpenAnywhere(".", env.Options{})
		if err != nil {
			d.fail("settings", "mend that file", "%v", err)
			return nil
		}
		d.ok("project", "there is none here")
		return p
	}
	if err != nil {
		d.fail("project", "mend that file; `devenv show` says how it is read", "%v", err)
		return nil
	}
	upToDate, err := p.UpToDate()
	switch {
	case err != nil:
		d.fail("project", "`devenv lock` writes it anew", "%v", err)
	case !upToDate:
		d.warn("project", "`devenv lock`, and commit the result", "devenv.lock does not fit %s", p.Path)
	default:
		d.ok("project", "%s, with a lock that fits", p.Path)
	}
	return p
}
