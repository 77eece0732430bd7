package elf

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// stack makes an overlay of two directories: what a package brought, and what
// set-up has made over it.
func stack(t *testing.T) (o *Overlay, upper string) {
	t.Helper()
	dir := t.TempDir()
	lower, upper := filepath.Join(dir, "lower"), filepath.Join(dir, "upper")
	for name, text := range map[string]string{
		"lower/usr/lib/libz.so.1.3":            "z",
		"lower/usr/lib/gone.so":                "",
		"lower/usr/bin/sh":                     "",
		"lower/etc/ld.so.conf":                 "include /etc/ld.so.conf.d/*.conf\n",
		"lower/etc/ld.so.conf.d/a.conf":        "/usr/lib/a\n",
		"upper/etc/ld.so.conf.d/b.conf":        "/opt/b/lib\n",
		"upper/usr/lib/made.so":                "",
		"upper/etc/ld.so.conf.d/not-conf.text": "/never\n",
	} {
		at := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(
		os.Symlink("usr/bin", filepath.Join(lower, "bin")),
		os.Symlink("/usr/lib", filepath.Join(lower, "lib")),
		os.Symlink("libz.so.1.3", filepath.Join(upper, "usr/lib/libz.so.1")),
		os.Symlink("../../../lib/made.so", filepath.Join(upper, "usr/lib/up.so")),
		os.Symlink("loop", filepath.Join(upper, "loop")),
	)
	if err != nil {
		t.Fatal(err)
	}
	return NewOverlay(upper, lower), upper
}

func TestOverlayLooksThroughAll(t *testing.T) {
	o, upper := stack(t)
	whiteout := unix.Mknod(filepath.Join(upper, "usr/lib/gone.so"), unix.S_IFCHR, 0) == nil
	for _, c := range []struct{ path, want string }{
		{"/bin/sh", "usr/bin/sh"},
		{"lib/libz.so.1", "usr/lib/libz.so.1.3"}, // a link of set-up to a package's file, by a package's link
		{"/lib/made.so", "usr/lib/made.so"},
		{"/usr/lib/up.so", "usr/lib/made.so"}, // ".." ends at the root
		{"/usr/lib/../bin/sh", "usr/bin/sh"},
		{"/", "."},
		{"/loop", ""},
		{"/usr/lib/none", ""},
		{"/usr/bin/sh/none", ""},
	} {
		if got, ok := o.Lookup(c.path); got != c.want || ok != (c.want != "") {
			t.Errorf("%s is %q, %v; want %q", c.path, got, ok, c.want)
		}
	}
	if _, ok := o.Lookup("/usr/lib/gone.so"); ok == whiteout {
		t.Errorf("a file that set-up has removed (%v) is there: %v", whiteout, ok)
	}
}

func TestOverlayConf(t *testing.T) {
	o, _ := stack(t)
	dirs, err := ReadConf(o)
	if want := []string{"usr/lib/a", "opt/b/lib"}; err != nil || !slices.Equal(dirs, want) {
		t.Errorf("directories %q, %v; want %q", dirs, err, want)
	}
}
