package alpm

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestReadsWhatRepoAddWrites lets repo-add make both databases of a package and
// wants in them what the package's own .PKGINFO says.
func TestReadsWhatRepoAddWrites(t *testing.T) {
	repoAdd, err := exec.LookPath("repo-add")
	if err != nil {
		t.Skip("repo-add is not installed (Debian: pacman-package-manager): no peer to compare with")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "gcc-14.2.1+r753-1-x86_64.pkg.tar.zst")
	// xdata came with pacman 6.1.
	info := strings.ReplaceAll(gccPkgInfo, "xdata = pkgtype=split\n", "")
	data := zstded(tarOf(t, tar.FormatPAX, member{name: ".PKGINFO", body: info}, member{name: "usr/", kind: tar.TypeDir},
		member{name: "usr/bin/", kind: tar.TypeDir}, member{name: "usr/bin/a b", body: "x"}))
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"gz", "zst", "xz", "bz2"} {
		db := filepath.Join(dir, suffix+".db.tar."+suffix)
		if out, err := exec.Command(repoAdd, "--nocolor", db, file).CombinedOutput(); err != nil {
			t.Fatalf("repo-add: %v\n%s", err, out)
		}
		pkgs, err := ReadDatabase(bytes.NewReader([]byte(readFile(t, dir, filepath.Base(db)))))
		if err != nil || len(pkgs) != 1 {
			t.Fatalf("%s: %v, %v", suffix, pkgs, err)
		}
		want, err := ReadPkgInfo(strings.NewReader(info))
		if err != nil {
			t.Fatal(err)
		}
		want.Filename, want.Size, want.SHA256 = filepath.Base(file), int64(len(data)), pkgs[0].SHA256
		if !reflect.DeepEqual(pkgs[0], &want.Package) || len(pkgs[0].SHA256) != 64 {
			t.Errorf("%s: read\n%+v, want\n%+v", suffix, pkgs[0], &want.Package)
		}
		var files []string
		err = ReadFiles(strings.NewReader(readFile(t, dir, suffix+".files.tar."+suffix)), func(name, version string, list []string) error {
			files = append([]string{name, version}, list...)
			return nil
		})
		if want := []string{"gcc", "14.2.1+r753-1", "usr/", "usr/bin/", "usr/bin/a b"}; err != nil || !reflect.DeepEqual(files, want) {
			t.Errorf("%s: files %q, %v; want %q", suffix, files, err, want)
		}
	}
}
