package debian

import (
	"archive/tar"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// makeDeb lets dpkg-deb build a package out of files (path → content).
func makeDeb(t *testing.T, files map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("dpkg-deb is not here: .debs are read on Debian only")
	}
	dir := t.TempDir()
	for name, content := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	deb := filepath.Join(t.TempDir(), "x.deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", dir, deb).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return deb
}

const control = "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example.invalid>\nDescription: x\n"

func TestReadControl(t *testing.T) {
	deb := makeDeb(t, map[string]string{
		"DEBIAN/control":   control,
		"DEBIAN/conffiles": "/etc/x\nremove-on-upgrade /etc/gone\n",
		"DEBIAN/shlibs":    "libz 1 zlib1g (>= 1)\nudeb: libz 1 zlib1g-udeb\nlibdb 5.3 libdb5.3\n",
		"etc/x":            "x",
	})
	c, err := ReadControl(t.Context(), deb)
	if err != nil {
		t.Fatal(err)
	}
	want := &Control{Conffiles: []string{"etc/x"}, Sonames: []string{"libz.so.1", "libz-1.so", "libdb.so.5.3", "libdb-5.3.so"}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want %+v", c, want)
	}
}

func TestReadData(t *testing.T) {
	deb := makeDeb(t, map[string]string{"DEBIAN/control": control, "usr/bin/x": "content"})
	var names []string
	err := ReadData(t.Context(), deb, func(h *tar.Header, r io.Reader) error {
		names = append(names, h.Name)
		if h.Name == "usr/bin/x" {
			if data, err := io.ReadAll(r); string(data) != "content" || err != nil {
				t.Errorf("content %q, %v", data, err)
			}
		}
		return nil
	})
	if err != nil || !slices.Equal(names, []string{"usr", "usr/bin", "usr/bin/x"}) {
		t.Errorf("%q, %v", names, err)
	}
}

func TestDamagedDeb(t *testing.T) {
	deb := makeDeb(t, map[string]string{"DEBIAN/control": control, "usr/bin/x": "content"})
	data, err := os.ReadFile(deb)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(deb, data[:len(data)-20], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := ReadData(t.Context(), deb, func(*tar.Header, io.Reader) error { return nil }); err == nil {
		t.Error("a truncated package was read without complaint")
	}
}
