package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"devenv/cache/fetch"
	"devenv/layers/alpm"
)

// File names one package file and says where it may be had.
type File struct {
	Repo     string // empty: only the archive's packages/ has it
	Day      string // the day whose repository names it; empty: today's
	Filename string
	SHA256   string // lower-case hexadecimal; empty: not known before it is here
	Size     int64  // 0: not known

	Progress func(fetch.Event)
}

// Got is a package file that is in the cache, and right.
type Got struct {
	Path   string
	SHA256 string
	Size   int64
	URL    string // empty: it was there
}

const (
	maxSignature = 64 << 10
	// A package's file name stands behind its hash, with ".part.json" behind
	// that, in a name of at most 255 bytes.
	maxFilename = 255 - 64 - 1 - 10
)

// Package brings a package file into the cache and checks it there. Where
// the mirrors have dropped it, it comes from the archive. A file whose hash is
// not known (of the archive, seen by its head alone) is taken as it comes, and
// its hash remembered: a signature must vouch for it.
func (m *Mirror) Package(ctx context.Context, f File) (Got, error) {
	if err := checkFilename(f.Filename); err != nil {
		return Got{}, err
	}
	if f.SHA256 == "" {
		f.SHA256 = m.recall(f.Filename)
	}
	if f.SHA256 == "" {
		return m.unknownPackage(ctx, f)
	}
	if !isSHA256(f.SHA256) {
		return Got{}, fmt.Errorf("%s: %q is no SHA-256", f.Filename, f.SHA256)
	}
	req := f.request(m.packageURLs(f), m.cache.Package(f.SHA256, f.Filename))
	res, err := m.fetch.Get(ctx, req)
	if err != nil {
		return Got{}, packageError(f, err)
	}
	return Got{Path: req.Dest, SHA256: f.SHA256, Size: res.Size, URL: res.URL}, nil
}

// unknownPackage brings a package file whose hash is not known, and puts it
// where it belongs when it is.
func (m *Mirror) unknownPackage(ctx context.Context, f File) (Got, error) {
	req := f.request(m.packageURLs(f), m.archivePath("incoming", f.Filename))
	unlock, err := m.cache.Lock(ctx, "incoming-"+f.Filename)
	if err != nil {
		return Got{}, err
	}
	defer unlock()
	if sum := m.recall(f.Filename); sum != "" { // another process was first
		f.SHA256 = sum
		return m.Package(ctx, f)
	}
	res, err := m.fetch.Get(ctx, req)
	if err != nil {
		return Got{}, packageError(f, err)
	}
	if res.SHA256 == "" { // it was there: a process was killed before it could name it
		if res.SHA256, err = fetch.HashFile(req.Dest); err != nil {
			return Got{}, err
		}
	}
	final := m.cache.Package(res.SHA256, f.Filename)
	if err := os.Rename(req.Dest, final); err != nil {
		return Got{}, fmt.Errorf("package %s: %w", f.Filename, err)
	}
	if err := m.remember(f.Filename, res.SHA256); err != nil {
		return Got{}, err
	}
	return Got{Path: final, SHA256: res.SHA256, Size: res.Size, URL: res.URL}, nil
}

func packageError(f File, err error) error {
	if isMissing(err) {
		return fmt.Errorf("package %s: %w\nneither mirror nor archive has it any more: \"devenv update\" chooses among what there is", f.Filename, err)
	}
	return fmt.Errorf("package %s: %w", f.Filename, err)
}

// recall is the hash of a file of the archive that was here before.
func (m *Mirror) recall(filename string) string {
	if m.cfg.Archive == "" {
		return ""
	}
	text, err := os.ReadFile(m.archivePath("sums", filename))
	if sum := strings.TrimSpace(string(text)); err == nil && isSHA256(sum) {
		return sum
	}
	return ""
}

func (m *Mirror) remember(filename, sum string) error {
	return m.cache.WriteFile(m.archivePath("sums", filename), []byte(sum+"\n"), 0o644)
}

func (f File) request(urls []string, dest string) fetch.Request {
	return fetch.Request{URLs: urls, Dest: dest, SHA256: f.SHA256, Size: f.Size, Progress: f.Progress}
}

// Signature is the detached signature of a package file, kept beside it. f.SHA256
// must be known. A file that no place has a signature for is a fetch.NotFoundError.
func (m *Mirror) Signature(ctx context.Context, f File) ([]byte, error) {
	if err := checkFilename(f.Filename); err != nil {
		return nil, err
	}
	if !isSHA256(f.SHA256) {
		return nil, fmt.Errorf("signature of %s: the file's own hash must be known first", f.Filename)
	}
	path := m.cache.Package(f.SHA256, f.Filename) + ".sig"
	sig, err := os.ReadFile(path)
	if err == nil && len(sig) > 0 {
		return sig, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	urls := m.packageURLs(f)
	for i := range urls {
		urls[i] += ".sig"
	}
	sig, _, err = m.fetch.Bytes(ctx, maxSignature, urls...)
	if err != nil {
		return nil, fmt.Errorf("signature of %s: %w", f.Filename, err)
	}
	if err := m.cache.WriteFile(path, sig, 0o644); err != nil {
		return nil, err
	}
	return sig, nil
}

// ForgetSignature drops a kept signature that was found wrong, so that the next
// Signature asks again.
func (m *Mirror) ForgetSignature(f File) error {
	err := os.Remove(m.cache.Package(f.SHA256, f.Filename) + ".sig")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// recentDays is how long a day's files are likely to be on today's servers, too.
const recentDays = 7

// packageURLs are the places that may have a file, the likeliest first. Today's
// servers are many and near, the archive is one, but has what they dropped.
func (m *Mirror) packageURLs(f File) []string {
	var today, archive []string
	if f.Repo != "" {
		for _, dir := range m.servers(f.Repo) {
			today = append(today, fetch.Join(dir, f.Filename))
		}
	}
	if m.extra(f.Repo) != nil {
		return today
	}
	if m.cfg.Archive != "" {
		archive = append(archive, m.archived(f.Filename))
		if f.Day != "" && f.Repo != "" {
			archive = append(archive, fetch.Join(m.dayDir(f.Repo, f.Day), f.Filename))
		}
	}
	if f.Repo == "" || f.Day != "" && !isRecent(f.Day) {
		return append(archive, today...)
	}
	return append(today, archive...)
}

func isRecent(day string) bool {
	date, err := time.Parse(time.DateOnly, day)
	return err == nil && time.Since(date) < recentDays*24*time.Hour
}

// archived is where the archive keeps a package file.
func (m *Mirror) archived(filename string) string {
	name, _, _, _ := alpm.ParseFilename(filename)
	return fetch.Join(m.packageDir(name), filename)
}

// packageDir is the archive's directory of all of a package's files.
func (m *Mirror) packageDir(name string) string {
	return fetch.Join(m.cfg.Archive, "packages", strings.ToLower(name[:1]), name)
}

// checkFilename refuses what is no package file's name before it becomes a path.
func checkFilename(filename string) error {
	_, _, _, ok := alpm.ParseFilename(filename)
	if !ok || !strings.Contains(filename, ".pkg.tar") || strings.HasSuffix(filename, ".sig") ||
		strings.ContainsAny(filename, "/\x00\n") || filename[0] == '.' {
		return fmt.Errorf("%.100q is no package file's name", filename)
	}
	if len(filename) > maxFilename {
		return fmt.Errorf("%.40s…: a package file's name of %d bytes is longer than the cache can hold (%d)", filename, len(filename), maxFilename)
	}
	return nil
}

func isSHA256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
