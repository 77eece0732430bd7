package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/apex/log"
	"github.com/apex/log/handlers/discard"
	"github.com/opencontainers/go-digest"
	ispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/opencontainers/umoci"
	"github.com/opencontainers/umoci/mutate"
	"github.com/opencontainers/umoci/oci/casext"
	"github.com/opencontainers/umoci/oci/casext/blobcompress"

	"devenv/layers"
)

// Image is an environment to export.
type Image struct {
	Tag     string // the reference in the layout: "latest"
	Arch    string // in Arch's words: "x86_64"
	Env     []string
	Cmd     []string
	Created time.Time
	Layers  []Layer
}

// Layer is one layer of an image, the lowest first.
type Layer struct {
	Dir     string
	Files   []layers.File // what Dir holds; nil: whatever is there
	Comment string        // for the image's history
}

// Export writes an image into a new layout directory at path.
func Export(ctx context.Context, path string, img Image) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists already\nhint: remove it, or name another directory", path)
	}
	quiet()
	tmp, err := os.MkdirTemp(filepath.Dir(path), ".devenv-export-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	layout := filepath.Join(tmp, "layout")
	engine, err := umoci.CreateLayout(layout)
	if err != nil {
		return fmt.Errorf("making an image layout: %w", err)
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	if err := write(ctx, engine, img); err != nil {
		return err
	}
	if err := engine.Clean(ctx); err != nil {
		return err
	}
	return os.Rename(layout, path)
}

// quiet keeps umoci's own log, which says each step, off standard error: what
// fails is in the errors.
var quiet = sync.OnceFunc(func() { log.SetHandler(discard.New()) })

func write(ctx context.Context, engine casext.Engine, img Image) error {
	if err := umoci.NewImage(engine, img.Tag, &img.Created); err != nil {
		return err
	}
	found, err := engine.ResolveReference(ctx, img.Tag)
	if err != nil || len(found) != 1 {
		return fmt.Errorf("the new image is not in its layout: %w", errors.Join(err, os.ErrNotExist))
	}
	m, err := mutate.New(engine, found[0])
	if err != nil {
		return err
	}
	config := ispec.ImageConfig{Env: img.Env, Cmd: img.Cmd, WorkingDir: "/"}
	meta := mutate.Meta{Created: img.Created, Architecture: goarch(img.Arch), OS: "linux"}
	if err := m.Set(ctx, config, meta, nil, &ispec.History{Created: &img.Created, CreatedBy: "devenv export", EmptyLayer: true}); err != nil {
		return err
	}
	for _, l := range img.Layers {
		if err := add(ctx, m, l, img.Created); err != nil {
			return fmt.Errorf("writing the layer of %s: %w", l.Comment, err)
		}
	}
	done, err := m.Commit(ctx)
	if err != nil {
		return err
	}
	return engine.UpdateReference(ctx, img.Tag, done.Root())
}

// add streams a layer into the image: it is never whole in memory or on disk.
func add(ctx context.Context, m *mutate.Mutator, l Layer, created time.Time) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(changeset(ctx, w, l)) }()
	defer r.Close()
	history := &ispec.History{Created: &created, CreatedBy: "devenv export", Comment: l.Comment}
	_, err := m.Add(ctx, ispec.MediaTypeImageLayer, r, history, blobcompress.Zstd, nil)
	return err
}

// goarch is an architecture's name in OCI images.
func goarch(arch string) string {
	switch arch {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	case "armv7h":
		return "arm"
	case "i686":
		return "386"
	}
	return arch
}

// Digest is the digest of a layout's image, for people.
func Digest(ctx context.Context, path, tag string) (digest.Digest, error) {
	engine, err := umoci.OpenLayout(path)
	if err != nil {
		return "", err
	}
	defer engine.Close()
	found, err := engine.ResolveReference(ctx, tag)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("%s has no image %s", path, tag)
	}
	return found[0].Root().Digest, nil
}
