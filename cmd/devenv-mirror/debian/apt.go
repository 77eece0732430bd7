package debian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Available is every package that apt would install now.
type Available struct {
	Arch     string // dpkg's word for the machine
	packages map[string]*Package
	virtual  map[string][]string // name → the packages that provide it
}

// Ask reads apt's whole list, which takes about a second.
func Ask(ctx context.Context) (*Available, error) {
	arch, err := output(ctx, "dpkg", "--print-architecture")
	if err != nil {
		return nil, err
	}
	list, err := output(ctx, "apt-cache", "dumpavail")
	if err != nil {
		return nil, err
	}
	a := &Available{Arch: strings.TrimSpace(string(arch)), packages: map[string]*Package{}, virtual: map[string][]string{}}
	err = parseControl(bytes.NewReader(list), func(f map[string]string) {
		if f["Architecture"] != a.Arch && f["Architecture"] != "all" || f["SHA256"] == "" {
			return // another architecture's, or installed by hand and not to be had from apt
		}
		p := newPackage(f)
		a.packages[p.Name] = p
		for _, v := range p.Provides {
			a.virtual[v] = append(a.virtual[v], p.Name)
		}
	})
	if err != nil {
		return nil, err
	}
	if len(a.packages) == 0 {
		return nil, errors.New("apt knows no packages; run: apt-get update")
	}
	return a, nil
}

// Get returns the package of that name, or nil.
func (a *Available) Get(name string) *Package { return a.packages[name] }

// Providers returns the names of the packages that provide a virtual name.
func (a *Available) Providers(virtual string) []string { return a.virtual[virtual] }

// Match returns the names that pattern stands for, oldest first by the number
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
	prefix, suffix, _ := strings.Cut(pattern, "#")
	found := map[int]string{}
	for name := range a.packages {
		if n, ok := number(name, prefix, suffix); ok {
			if old := found[n]; old == "" || len(name) < len(old) {
				found[n] = name
			}
		}
	}
	var names []string
	for _, n := range sortedKeys(found) {
		names = append(names, found[n])
	}
	return names
}

// number returns what '#' stands for where name is prefix#suffix.
func number(name, prefix, suffix string) (int, bool) {
	middle, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	rest, ok := strings.CutSuffix(middle, suffix)
	if !ok {
		if rest, ok = strings.CutSuffix(middle, suffix+"t64"); !ok {
			return 0, false
		}
	}
	if rest == "" || len(rest) > 6 {
		return 0, false
	}
	n := 0
	for _, c := range rest {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func sortedKeys(m map[int]string) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Download brings the .debs of packages into dir; those that are there are
// kept. It returns how many were fetched.
func Download(ctx context.Context, dir string, packages []*Package) (int, error) {
	var want []string
	var files []string
	for _, p := range packages {
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
	args := append([]string{"-q", "-o", "APT::Sandbox::User=" + "root", "download"}, want...)
	if _, err := run(ctx, part, "apt-get", args...); err != nil {
		return 0, fmt.Errorf("fetching %d packages: %w", len(want), err)
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
