package mirror

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devenv/layers/alpm"
)

// maxFaults bounds how much of what is wrong is printed.
const maxFaults = 20

// verify reads a day's databases, wherever each of its repositories is, and
// makes sure that the day is whole: everything that a package depends on is
// there, and no file belongs to two packages.
func verify(date string, databases map[string]string) error {
	var packages []*alpm.Package
	files := map[string]string{} // path → package
	var faults []error
	for _, repo := range slices.Sorted(maps.Keys(databases)) {
		dir := databases[repo]
		found, err := readDatabase(filepath.Join(dir, repo+".db"))
		if err != nil {
			return err
		}
		packages = append(packages, found...)
		conflicts, err := readFiles(filepath.Join(dir, repo+".files"), files)
		if err != nil {
			return err
		}
		faults = append(faults, conflicts...)
	}
	faults = append(faults, unsatisfied(packages)...)
	if len(faults) == 0 {
		return nil
	}
	if len(faults) > maxFaults {
		faults = append(faults[:maxFaults], fmt.Errorf("and %d more", len(faults)-maxFaults))
	}
	return fmt.Errorf("%s is not whole, mend packages.toml:\n%w", date, errors.Join(faults...))
}

func readDatabase(name string) ([]*alpm.Package, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	packages, err := alpm.ReadDatabase(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return packages, nil
}

// readFiles adds a repository's files to owners and returns what had an owner.
func readFiles(name string, owners map[string]string) ([]error, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var faults []error
	err = alpm.ReadFiles(f, func(pkg, _ string, files []string) error {
		for _, file := range files {
			if strings.HasSuffix(file, "/") {
				continue
			}
			if other := owners[file]; other != "" {
				faults = append(faults, fmt.Errorf("%s is in %s and in %s", file, other, pkg))
			}
			owners[file] = pkg
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return faults, nil
}

// unsatisfied lists the dependencies that nothing among packages satisfies.
func unsatisfied(packages []*alpm.Package) []error {
	x := alpm.NewIndex(packages)
	satisfied := func(d alpm.Dep) bool {
		return slices.ContainsFunc(append(x.Versions(d.Name), x.Providers(d.Name)...), func(p *alpm.Package) bool { return p.Satisfies(d) })
	}
	var faults []error
	for _, p := range packages {
		for _, d := range p.Depends {
			if !satisfied(d) {
				faults = append(faults, fmt.Errorf("%s %s needs %s, which no package has", p.Name, p.Version, d))
			}
		}
	}
	return faults
}
