package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"devenv/cache/fetch"
	"devenv/layers/alpm"
)

const (
	firstBytes = 64 << 10
	// maxHead bounds what is fetched of a package to read its head. In odd ones
	// .MTREE or .INSTALL stands first, but nothing near this size.
	maxHead = 64 << 20
)

// head is what is kept of a package's head.
type head struct {
	Package  *alpm.Package
	Build    *alpm.BuildInfo
	Modified time.Time // the file's
}

// NoVersionError says that the archive does not keep a version of a package.
// errors.Is finds fs.ErrNotExist in it.
type NoVersionError struct {
	Name    string
	Version string
	Archive string
}

func (e *NoVersionError) Error() string {
	return fmt.Sprintf("the archive %s does not keep %s %s: \"devenv versions %s\" lists what there is", e.Archive, e.Name, e.Version, e.Name)
}

func (e *NoVersionError) Is(target error) bool { return target == fs.ErrNotExist }

func (a *Archive) headOf(ctx context.Context, name, version string) (*head, error) {
	if a.m.cfg.Archive == "" || !isName(name) {
		return nil, &NoVersionError{Name: name, Version: version, Archive: a.m.cfg.Archive}
	}
	ans := a.answer("head " + name + " " + version)
	ans.once.Lock()
	defer ans.once.Unlock()
	if ans.done {
		return ans.head, ans.err
	}
	h, err := a.findHead(ctx, name, version)
	if err == nil || errors.As(err, new(*NoVersionError)) {
		ans.head, ans.err, ans.done = h, err, true
	}
	return h, err
}

// findHead looks for the file of a version: kept from before, then where the
// package's page says, then under the names it may have.
func (a *Archive) findHead(ctx context.Context, name, version string) (*head, error) {
	if !isLocal(a.m.cfg.Archive) {
		for _, filename := range a.possible(name, version) {
			if h, err := a.recallHead(filename); err == nil {
				return h, nil
			}
		}
	}
	listed, err := a.Listed(ctx, name)
	if err != nil && !a.m.fetch.Offline() {
		return nil, err
	}
	candidates := a.possible(name, version)
	for _, k := range listed {
		if k.Version == version {
			candidates = []string{k.Filename}
			break
		}
	}
	for _, filename := range candidates {
		h, err := a.readHead(ctx, filename)
		if isMissing(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("package %s: %w", filename, err)
		}
		if h.Package.Name != name || h.Package.Version != version {
			return nil, fmt.Errorf("%s says that it is %s %s: the archive is damaged there; pin another version", filename, h.Package.Name, h.Package.Version)
		}
		return h, nil
	}
	return nil, &NoVersionError{Name: name, Version: version, Archive: fetch.Show(a.m.cfg.Archive)}
}

// possible are the names that a version's file may have.
func (a *Archive) possible(name, version string) []string {
	var filenames []string
	for _, suffix := range suffixes[:3] {
		for _, arch := range []string{a.m.cfg.Arch, "any"} {
			if filename := name + "-" + version + "-" + arch + suffix; checkFilename(filename) == nil {
				filenames = append(filenames, filename)
			}
		}
	}
	return filenames
}

// headPath is where a head is kept. Raise the number when head's form changes.
func (a *Archive) headPath(filename string) string {
	return a.m.archivePath("heads", "1", filename+".json")
}

func (a *Archive) recallHead(filename string) (*head, error) {
	text, err := os.ReadFile(a.headPath(filename))
	if err != nil {
		return nil, err
	}
	h := &head{}
	if err := json.Unmarshal(text, h); err != nil || h.Package == nil {
		return nil, fmt.Errorf("%s is damaged", a.headPath(filename))
	}
	return h, nil
}

// readHead fetches as much of a package as its head takes.
func (a *Archive) readHead(ctx context.Context, filename string) (*head, error) {
	url := a.m.archived(filename)
	data, info, err := a.m.fetch.Range(ctx, 0, firstBytes, url)
	if err != nil {
		return nil, err
	}
	var parsed *alpm.Head
	for {
		parsed, err = alpm.ReadPackageHead(bytes.NewReader(data))
		var short *alpm.ShortError
		if !errors.As(err, &short) {
			break
		}
		have := int64(len(data))
		want := min(max(short.Want, have+firstBytes), maxHead)
		if want <= have || info.Size >= 0 && have >= info.Size {
			return nil, fmt.Errorf("%s is cut short or no package: %w", info.URL, err)
		}
		more, moreInfo, err := a.m.fetch.Range(ctx, have, want-have, url)
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			return nil, fmt.Errorf("%s is cut short or no package", info.URL)
		}
		data, info = append(data, more...), moreInfo
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", info.URL, err)
	}
	return a.keepHead(filename, parsed, info)
}

func (a *Archive) keepHead(filename string, parsed *alpm.Head, info fetch.Info) (*head, error) {
	pkg := parsed.Info.Package
	pkg.Filename, pkg.Size, pkg.SHA256 = filename, max(info.Size, 0), ""
	h := &head{Package: &pkg, Build: parsed.Build, Modified: info.Modified}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return h, a.m.cache.WriteFile(a.headPath(filename), text, 0o644)
}
