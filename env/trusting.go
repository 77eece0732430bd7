package env

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"devenv/cache"
	"devenv/cache/fetch"
	"devenv/cache/mirror"
	"devenv/cache/trust"
	"devenv/env/lock"
	"devenv/env/manifest"
	"devenv/layers/alpm"
)

// truster decides for each package whether it may be used, and remembers what
// it has verified: package file by package file, keyring by keyring. A layer
// that is there proves nothing: another project may have trusted it.
type truster struct {
	p     *Project
	repos map[string]manifest.Repository

	mu       sync.Mutex
	keyrings map[string]*keyringOnce // by where they come from
	warned   map[string]bool
}

type keyringOnce struct {
	once sync.Once
	ring *trust.Keyring
	err  error
}

func (p *Project) truster() *truster {
	t := &truster{p: p, repos: map[string]manifest.Repository{}, keyrings: map[string]*keyringOnce{}, warned: map[string]bool{}}
	for _, day := range []string{p.Snapshot, "2020-01-01"} { // the latter also has community
		for _, r := range p.Mirrors.Repositories(day) {
			t.repos[r.Name] = r
		}
	}
	return t
}

// repository is that of a locked package; what comes from the archive's
// packages counts as Arch's own.
func (t *truster) repository(pkg lock.Package) manifest.Repository {
	if r, ok := t.repos[pkg.Repo]; ok {
		return r
	}
	m := t.p.Mirrors
	return manifest.Repository{Name: "the archive", Keyring: m.Keyring, KeyringOptional: m.KeyringOptional, SigLevel: m.SigLevel}
}

// level is how much a package must prove. What is below "required" is said
// once a repository.
func (t *truster) level(r manifest.Repository) (trust.Level, error) {
	level, err := trust.ParseLevel(r.SigLevel)
	if err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := level.Warning(r.Name); w != "" && !t.warned[r.Name] {
		t.warned[r.Name] = true
		t.p.warn("%s", w)
	}
	return level, nil
}

// verified reports whether a package file has been verified before, with the
// keyring that counts for it now.
func (t *truster) verified(ctx context.Context, pkg lock.Package) (bool, error) {
	r := t.repository(pkg)
	level, err := t.level(r)
	if err != nil || level == trust.Never {
		return err == nil, err
	}
	ring, err := t.keyring(ctx, r, level)
	if err != nil {
		return false, err
	}
	_, err = os.Stat(t.record(ring, pkg))
	return err == nil, nil
}

// record is where it is kept that a package was verified.
func (t *truster) record(ring *trust.Keyring, pkg lock.Package) string {
	id := strings.TrimPrefix(ring.ID(), "sha256:")
	return t.p.Cache.Path(cache.Archive, "verified", id[:min(len(id), 32)], pkg.SHA256)
}

// verify checks a package file against its signature.
func (t *truster) verify(ctx context.Context, pkg lock.Package, file mirror.File, path string) error {
	r := t.repository(pkg)
	level, err := t.level(r)
	if err != nil || level == trust.Never {
		return err
	}
	ring, err := t.keyring(ctx, r, level)
	if err != nil {
		return err
	}
	sig, err := t.p.mirror.Signature(ctx, file)
	var none *fetch.NotFoundError
	if err != nil && !errors.As(err, &none) {
		return fmt.Errorf("getting the signature of %s: %w", pkg.File, err)
	}
	who, err := check(level, ring, pkg.File, path, sig)
	if err != nil && sig != nil && !t.p.client.Offline() && (errors.Is(err, trust.ErrMismatch) || errors.Is(err, trust.ErrMalformed)) {
		// Perhaps the signature was damaged on its way: once more.
		if err := t.p.mirror.ForgetSignature(file); err != nil {
			return err
		}
		if sig, err = t.p.mirror.Signature(ctx, file); err == nil {
			who, err = check(level, ring, pkg.File, path, sig)
		}
	}
	if r.Keyring == "" && (errors.Is(err, trust.ErrUnknownKey) || errors.Is(err, trust.ErrUntrusted)) {
		if older, e := t.ofItsDay(ctx, ring, path); e == nil {
			who, err = check(level, older, pkg.File, path, sig)
		}
	}
	if err != nil {
		return err
	}
	if who == nil {
		return nil // optional, and there is no signature
	}
	text, err := json.Marshal(who)
	if err != nil {
		return err
	}
	name := t.record(ring, pkg)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	// That the file is there says all, so there are no bytes to wait for.
	return t.p.Cache.WriteChecked(name, 0o644, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

func check(level trust.Level, ring *trust.Keyring, name, path string, sig []byte) (*trust.Verified, error) {
	v, err := level.Verifier(ring, name, sig)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := io.CopyBuffer(v, struct{ io.Reader }{f}, make([]byte, 256<<10)); err != nil { // *os.File would copy in small steps
		return nil, err
	}
	return v.Finish(built(f))
}

// built is the day on which a package says that it was built; zero where it
// says nothing.
func built(f *os.File) time.Time {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return time.Time{}
	}
	head, err := alpm.ReadPackageHead(f)
	if err != nil || head.Info == nil || head.Info.BuildDate == 0 {
		return time.Time{}
	}
	return time.Unix(head.Info.BuildDate, 0)
}

// keyring is the one that a repository's packages are verified with.
func (t *truster) keyring(ctx context.Context, r manifest.Repository, level trust.Level) (*trust.Keyring, error) {
	t.mu.Lock()
	k := t.keyrings[r.Keyring]
	if k == nil {
		k = new(keyringOnce)
		t.keyrings[r.Keyring] = k
	}
	t.mu.Unlock()
	k.once.Do(func() { k.ring, k.err = t.open(ctx, r) })
	if k.err != nil {
		return nil, fmt.Errorf("getting the keyring of [%s]: %w", r.Name, k.err)
	}
	return k.ring, nil
}

func (t *truster) open(ctx context.Context, r manifest.Repository) (*trust.Keyring, error) {
	if r.Keyring == "" {
		return t.archKeyring(ctx)
	}
	if path, ok := fetch.LocalPath(r.Keyring); ok {
		ring, err := trust.Open(path)
		if err != nil && r.KeyringOptional && errors.Is(err, os.ErrNotExist) {
			return t.archKeyring(ctx)
		}
		return ring, err
	}
	ring, err := t.fetched(ctx, r.Keyring)
	var none *fetch.NotFoundError
	if r.KeyringOptional && errors.As(err, &none) {
		return t.archKeyring(ctx)
	}
	return ring, err
}

// fetched reads a keyring from a server, with the file that says whom to trust
// where there is one beside it.
func (t *truster) fetched(ctx context.Context, url string) (*trust.Keyring, error) {
	files := trust.Files{Name: url}
	base := strings.TrimSuffix(url, ".gpg")
	var none *fetch.NotFoundError
	for _, part := range []struct {
		url string
		to  *[]byte
	}{{url, &files.Keys}, {base + "-trusted", &files.Trusted}, {base + "-revoked", &files.Revoked}} {
		sum := sha256.Sum256([]byte(part.url))
		dest := t.p.Cache.Path(cache.Sync, "keyring-"+hex.EncodeToString(sum[:8]))
		_, err := t.p.client.Conditional(ctx, fetch.Request{URLs: []string{part.url}, Dest: dest, MaxSize: maxKeyring}, freshKeyring)
		if errors.As(err, &none) && part.url != url {
			continue
		}
		if err != nil {
			return nil, err
		}
		if *part.to, err = os.ReadFile(dest); err != nil {
			return nil, err
		}
	}
	return trust.Parse(files)
}

const (
	maxKeyring   = 16 << 20 // bytes
	freshKeyring = time.Hour
)

// archKeyring takes Arch's keyring out of the archlinux-keyring package: of the
// mirrors of today, which know who was compromised since, and for a snapshot
// also of that day, which knows who has retired since.
func (t *truster) archKeyring(ctx context.Context) (*trust.Keyring, error) {
	newest, err := t.keyringOf(ctx, "")
	if t.p.Snapshot == "" {
		return newest, err
	}
	if err != nil {
		newest = nil
	}
	var before []*trust.Keyring
	if newest != nil {
		before = append(before, newest)
	}
	old, oldErr := t.keyringOf(ctx, t.p.Snapshot, before...)
	switch {
	case oldErr != nil && newest == nil:
		return nil, errors.Join(oldErr, err)
	case oldErr != nil:
		return newest, nil
	case newest == nil:
		t.p.warn("the keyring of today cannot be had (%v): using that of %s, which does not know who was compromised since", err, t.p.Snapshot)
		return old, nil
	}
	return trust.Join(newest, old), nil
}

// ofItsDay is a keyring that also knows what the one of the day on which a
// package was built knew: the keyring of today has dropped who left long ago.
func (t *truster) ofItsDay(ctx context.Context, newest *trust.Keyring, path string) (*trust.Keyring, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	day := built(f)
	if day.IsZero() {
		return nil, errors.New("the package does not say when it was built")
	}
	before, after, has, err := t.p.mirror.Archive().Near(ctx, day.UTC().Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	name := day.UTC().Format(time.DateOnly)
	if !has {
		name = cmp.Or(after, before)
	}
	t.mu.Lock()
	k := t.keyrings["day "+name]
	if k == nil {
		k = new(keyringOnce)
		t.keyrings["day "+name] = k
	}
	t.mu.Unlock()
	k.once.Do(func() {
		var old *trust.Keyring
		if old, k.err = t.keyringOf(ctx, name, newest); k.err == nil {
			k.ring = trust.Join(newest, old)
		}
	})
	return k.ring, k.err
}

// keyringOf is Arch's keyring as a day's repositories have it.
func (t *truster) keyringOf(ctx context.Context, day string, before ...*trust.Keyring) (*trust.Keyring, error) {
	repos, err := t.p.syncDay(ctx, t.p.Manifest, day)
	if err != nil {
		return nil, err
	}
	for _, r := range repos {
		pkg := r.Index.Lookup("archlinux-keyring")
		if pkg == nil {
			continue
		}
		file := mirror.File{Repo: r.Name, Day: r.Day, Filename: pkg.Filename, SHA256: pkg.SHA256, Size: pkg.Size}
		got, err := t.p.mirror.Package(ctx, file)
		if err != nil {
			return nil, err
		}
		sig, err := t.p.mirror.Signature(ctx, file)
		if err != nil {
			return nil, err
		}
		b, err := os.ReadFile(got.Path)
		if err != nil {
			return nil, err
		}
		ring, _, err := trust.FromPackage(pkg.Filename, bytes.NewReader(b), sig, before...)
		return ring, err
	}
	return nil, fmt.Errorf("no repository has the package archlinux-keyring\nhint: name a keyring in devenv.toml, [mirrors] keyring = \"keys.gpg\"")
}
