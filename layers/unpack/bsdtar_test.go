package unpack

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestUnpackAgreesWithBsdtar compares trees with those of the peer, for a
// sample and for whatever packages DEVENV_TEST_PACKAGES has.
func TestUnpackAgreesWithBsdtar(t *testing.T) {
	bsdtar, err := exec.LookPath("bsdtar")
	if err != nil {
		t.Skip("bsdtar is not installed (Debian: libarchive-tools): no peer to compare with")
	}
	file := filepath.Join(t.TempDir(), "sample.pkg.tar.zst")
	a := sample()
	for i := range a {
		a[i].Name = strings.ToValidUTF8(a[i].Name, "") // bsdtar's locale may not have others
	}
	a = append(a, tar.Header{Name: "usr/lib/implied/A::B c.pm.2", Typeflag: tar.TypeSymlink, Linkname: "A::B c.pm", Mode: 0o777, ModTime: stamp})
	if err := os.WriteFile(file, zstded(a.bytes(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	files := []string{file}
	if dir := os.Getenv("DEVENV_TEST_PACKAGES"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*.pkg.tar.*"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".sig") {
			continue
		}
		ours, theirs := t.TempDir(), t.TempDir()
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Unpack(t.Context(), f, ours, Options{})
		f.Close()
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		args := []string{"-xpf", file, "-C", theirs}
		for _, name := range []string{".PKGINFO", ".BUILDINFO", ".MTREE", ".INSTALL", ".CHANGELOG", ".NEWFANGLED"} {
			args = append(args, "--exclude", name)
		}
		cmd := exec.Command(bsdtar, args...)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("bsdtar: %v\n%s", err, out)
		}
		got, want := listing(t, ours), listing(t, theirs)
		for path, line := range want {
			if got[path] != line {
				t.Errorf("%s: %s is\n%s, bsdtar's\n%s", filepath.Base(file), path, got[path], line)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d paths, bsdtar has %d", file, len(got), len(want))
		}
		for _, dir := range []string{ours, theirs} {
			filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
				if err == nil && info.IsDir() {
					os.Chmod(path, 0o755)
				}
				return nil
			})
		}
	}
}

// listing says of each path all that a package can determine.
func listing(t *testing.T, dir string) map[string]string {
	list := make(map[string]string)
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || path == dir {
			return err
		}
		line := fmt.Sprintf("%v %v links %d", info.Mode(), info.ModTime().UTC(), info.Sys().(*syscall.Stat_t).Nlink)
		switch {
		case info.Mode().IsRegular():
			body, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" size %d %x", info.Size(), sha256.Sum256(body))
		case info.Mode()&os.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += " to " + to
		}
		rel, _ := filepath.Rel(dir, path)
		if rel == filepath.Join("usr", "lib", "implied") {
			line = "implied" // its time is that of unpacking
		}
		list[rel] = line
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
