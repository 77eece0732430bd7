package oci

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"golang.org/x/sys/unix"

	"devenv/layers"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestExport reads the image with the library that registries' clients use.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	pkg, upper := dir+"/pkg", dir+"/upper"
	must(t, os.MkdirAll(pkg+"/usr/bin", 0o755))
	must(t, os.WriteFile(pkg+"/usr/bin/tool", []byte("tool"), 0o755))
	must(t, os.Link(pkg+"/usr/bin/tool", pkg+"/usr/bin/again"))
	must(t, os.Symlink("usr/bin", pkg+"/bin"))
	must(t, os.MkdirAll(upper+"/etc/new", 0o755))
	must(t, os.WriteFile(upper+"/etc/conf", []byte("x"), 0o644))
	gone := os.Getuid() == 0
	if gone {
		must(t, unix.Mknod(upper+"/etc/gone", unix.S_IFCHR, 0))
		must(t, unix.Setxattr(upper+"/etc/new", "trusted.overlay.opaque", []byte("y"), 0))
	}
	img := Image{Tag: "latest", Arch: "x86_64", Env: []string{"PATH=/usr/bin"}, Cmd: []string{"/bin/sh"}, Created: time.Unix(1700000000, 0).UTC(), Layers: []Layer{
		{Dir: pkg, Comment: "tool 1-1", Files: []layers.File{
			{Path: "bin", Kind: layers.Symlink, Link: "usr/bin"},
			{Path: "usr", Kind: layers.Directory, Mode: 0o755},
			{Path: "usr/bin", Kind: layers.Directory, Mode: 0o755},
			{Path: "usr/bin/again", Mode: 0o4755, Link: "usr/bin/tool"},
			{Path: "usr/bin/tool", Mode: 0o4755, Size: 4},
		}},
		{Dir: upper, Comment: "set-up"},
	}}
	for _, name := range []string{"/one", "/two"} {
		must(t, Export(context.Background(), dir+name, img))
	}
	first, err := Digest(context.Background(), dir+"/one", "latest")
	must(t, err)
	second, err := Digest(context.Background(), dir+"/two", "latest")
	must(t, err)
	if first != second {
		t.Error("the same environment gives another image")
	}
	if err := Export(context.Background(), dir+"/one", img); err == nil {
		t.Error("an existing directory is written to")
	}
	index, err := layout.ImageIndexFromPath(dir + "/one")
	must(t, err)
	must(t, validate.Index(index, validate.Fast)) // else it takes every layer for gzip
	list, err := index.IndexManifest()
	must(t, err)
	image, err := index.Image(list.Manifests[0].Digest)
	must(t, err)
	config, err := image.ConfigFile()
	must(t, err)
	if config.Architecture != "amd64" || !slices.Equal(config.Config.Env, img.Env) {
		t.Errorf("config %+v", config)
	}
	all, err := image.Layers()
	must(t, err)
	var got []string
	for _, l := range all {
		packed, err := l.Uncompressed()
		must(t, err)
		sum := sha256.New()
		r := io.TeeReader(packed, sum)
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			if h.Uid != 0 || h.Gid != 0 {
				t.Errorf("%s belongs to %d:%d", h.Name, h.Uid, h.Gid)
			}
			got = append(got, string(h.Typeflag)+" "+h.Name+" "+h.Linkname)
		}
		_, err = io.Copy(io.Discard, r)
		must(t, err)
		id, err := l.DiffID()
		must(t, err)
		if got := fmt.Sprintf("sha256:%x", sum.Sum(nil)); got != id.String() {
			t.Errorf("diff id %s, content %s", id, got)
		}
	}
	want := []string{"2 bin usr/bin", "5 usr/ ", "5 usr/bin/ ", "0 usr/bin/tool ", "1 usr/bin/again usr/bin/tool", "5 etc/ ", "0 etc/conf "}
	if gone {
		want = append(want, "0 etc/.wh.gone ", "5 etc/new/ ", "0 etc/new/.wh..wh..opq ")
	} else {
		want = append(want, "5 etc/new/ ")
	}
	slices.Sort(got[5:])
	slices.Sort(want[5:])
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	left, err := filepath.Glob(dir + "/.devenv-export-*")
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
