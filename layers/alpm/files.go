package alpm

import (
	"fmt"
	"io"
)

// What a database of files may hold. The largest of 2026 has 50 MiB, 1 GiB
// unpacked.
const (
	maxFiles    = 16 << 30
	maxFileList = 64 << 20
)

// ReadFiles reads a .files database (repo-add(8)) and calls each for every
// package, in the database's order, with its paths: no leading slash, a slash
// after directories. It keeps one package in memory; an error of each ends it.
func ReadFiles(r io.Reader, each func(name, version string, files []string) error) error {
	guard, _, err := decompressGuarded(&countingReader{r: r}, maxFiles)
	if err != nil {
		return databaseError(err)
	}
	defer guard.Close()
	tar := newTarScanner(guard, maxFileList)
	for {
		name, version, files, err := nextFileList(tar)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return databaseError(err)
		}
		if err := each(name, version, files); err != nil {
			return err
		}
	}
}

// nextFileList goes to the next package that has a list; io.EOF after the last,
// if the archive ends soundly.
func nextFileList(tar *tarScanner) (name, version string, files []string, err error) {
	for {
		if err := tar.next(); err == io.EOF {
			if err := tar.drain(); err != nil {
				return "", "", nil, err
			}
			return "", "", nil, io.EOF
		} else if err != nil {
			return "", "", nil, err
		}
		dir, file, ok := splitEntry(tar.name)
		if !ok || !tar.regular || string(file) != "files" {
			continue
		}
		name, version, ok = SplitNameVersion(string(dir))
		if !ok {
			return "", "", nil, fmt.Errorf("entry %q is not called NAME-VERSION-RELEASE", dir)
		}
		body, err := tar.body()
		if err == nil {
			files, err = parseFileList(string(body))
		}
		if err != nil {
			return "", "", nil, fmt.Errorf("%s-%s: %w", name, version, err)
		}
		return name, version, files, nil
	}
}

func parseFileList(text string) ([]string, error) {
	var files []string
	var f fieldReader
	err := f.each(text, func(field string) {
		if field == "%FILES%" {
			files, f.values = f.values, nil
		}
	})
	return files, err
}
