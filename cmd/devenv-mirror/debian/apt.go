package debian

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Available is every package that apt would install now.
type Available struct {
	Arch     string // dpkg's word for the machine
	packages map[string]*Package
	virtual  map[string][]string // name → the packages that provide it

	mu      sync.Mutex
	matched map[string][]string // answers of match
}

// Ask reads apt's whole list, which takes about a second. Apt looks as if
// nothing were installed: a package of another origin on this host would
// otherwise hide the one that can be fetched. For this apt needs a cache of
// its own, which it keeps in dir.
func Ask(ctx context.Context, dir string) (*Available, error) {
	arch, err := output(ctx, "dpkg", "--print-architecture")
	if err != nil {
		return nil, err
	}
	list, err := output(ctx, "apt-cache", "-o", "Dir::State::status=/dev/null", "-o", "Dir::Cache::pkgcache="+filepath.Join(dir, "pkgcache.bin"),
		"-o", "Dir::Cache::srcpkgcache=", "dumpavail")
	if err != nil {
		return nil, err
	}
	a, err := Read(strings.TrimSpace(string(arch)), bytes.NewReader(list))
	if err == nil && len(a.packages) == 0 {
		err = errors.New("apt knows no packages; as root run: apt-get update")
	}
	return a, err
}

// Read reads a list such as apt-cache dumpavail prints. Packages of another
// architecture are left out, and those that are in no repository.
func Read(arch string, list io.Reader) (*Available, error) {
	a := &Available{Arch: arch, packages: map[string]*Package{}, virtual: map[string][]string{}, matched: map[string][]string{}}
	err := parseControl(list, func(f map[string]string) {
		if f["Architecture"] != arch && f["Architecture"] != "all" || f["SHA256"] == "" {
			return
		}
		p := newPackage(f)
		a.packages[p.Name] = p
		for _, v := range p.Provides {
			a.virtual[v] = append(a.virtual[v], p.Name)
		}
	})
	return a, err
}

// Get returns the package of that name, or nil.
func (a *Available) Get(name string) *Package { return a.packages[name] }

// Providers returns the names of the packages that provide a virtual name.
func (a *Available) Providers(virtual string) []string { return a.virtual[virtual] }

// Match returns the names that pattern stands for, oldest first by the numbers
// in them. '#' in a pattern is a number. A name that Debian renamed for its
// 64-bit time_t transition ("libssl3t64") is found under its old name.
func (a *Available) Match(pattern string) []string {
	if !strings.Contains(pattern, "#") {
		for _, name := range []string{pattern, pattern + "t64"} {
			if a.packages[name] != nil {
				return []string{name}
			}
		}
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	names, ok := a.matched[pattern]
	if !ok {
		names = a.match(pattern)
		a.matched[pattern] = names
	}
	return names
}

// match goes through all packages.
func (a *Available) match(pattern string) []string {
	re := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), "#", `(\d+)`) + "(?:t64)?$")
	prefix, _, _ := strings.Cut(pattern, "#")
	type match struct {
		name    string
		numbers []int
	}
	var found []match
	for name := range a.packages {
		if !strings.HasPrefix(name, prefix) { // far cheaper, and rules out nearly all
			continue
		}
		if m := re.FindStringSubmatch(name); m != nil {
			numbers := make([]int, len(m)-1)
			for i, digits := range m[1:] {
				numbers[i], _ = strconv.Atoi(digits) // overflow sorts it last, as it should
			}
			found = append(found, match{name, numbers})
		}
	}
	slices.SortFunc(found, func(x, y match) int {
		return cmp.Or(slices.Compare(x.numbers, y.numbers), strings.Compare(x.name, y.name))
	})
	names := make([]string, len(found))
	for i, m := range found {
		names[i] = m.name
	}
	return names
}

// Download brings the .debs of packages into dir; those that are there are
// kept. It returns how many were fetched.
func Download(ctx context.Context, dir string, packages []*Package) (int, error) {
	var want, files []string
	seen := map[string]bool{}
	for _, p := range packages {
		if seen[p.Name] {
			continue
		}
		seen[p.Name] = true
		info, err := os.Stat(filepath.Join(dir, p.Filename()))
		if err == nil && info.Size() == p.Size {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		want = append(want, p.Name+"="+p.Version)
		files = append(files, p.Filename())
	}
	if len(want) == 0 {
		return 0, nil
	}
	part, err := os.MkdirTemp(dir, ".part-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(part)
	// As root apt would fetch as its own user, who cannot write here, and warn.
	args := append([]string{"-q", "-o", "APT::Sandbox::User=root", "download"}, want...)
	if _, err := run(ctx, part, "apt-get", args...); err != nil {
		return 0, fmt.Errorf("fetching %d packages: %w; if apt's lists are old, as root run: apt-get update", len(want), err)
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(part, f), filepath.Join(dir, f)); err != nil {
			return 0, fmt.Errorf("apt-get download gave no %s: %w", f, err)
		}
	}
	return len(files), nil
}

func output(ctx context.Context, name string, args ...string) ([]byte, error) {
	return run(ctx, "", name, args...)
}

func run(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", name, args[0], err, lastLines(stderr.String(), 5))
	}
	return out.Bytes(), nil
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}
