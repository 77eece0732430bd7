package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"devenv/layers/oci"
)

func (u *ui) exportCommand() *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write the environment as an OCI image",
		UsageText: "devenv export [--tag TAG] DIR",
		Description: examples(
			"devenv export image                        an OCI image layout in the new directory image",
			"devenv export image && podman run -it oci:image:latest",
			"devenv export image && skopeo copy oci:image:latest docker://registry.example/tools"),
		Flags: append(buildFlags(), &cli.StringFlag{Name: "tag", Value: "latest", Usage: "the image's `TAG` in the layout"}),
		Action: func(c *cli.Context) error {
			dir, err := one(c, "directory")
			if err != nil {
				return err
			}
			if dir, err = filepath.Abs(dir); err != nil {
				return err
			}
			p, built, err := u.ready(c)
			if err != nil {
				return err
			}
			defer built.Release()
			l, err := p.ReadLock()
			if err != nil {
				return err
			}
			if err := p.Export(c.Context, built, l, dir, c.String("tag")); err != nil {
				return err
			}
			digest, err := oci.Digest(c.Context, dir, c.String("tag"))
			if err != nil {
				return err
			}
			u.settle()
			return u.value(map[string]string{"layout": dir, "tag": c.String("tag"), "digest": digest.String()}, func(w io.Writer) { fmt.Fprintln(w, digest) })
		},
	}
}
