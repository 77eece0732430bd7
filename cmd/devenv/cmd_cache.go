package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"devenv/cache"
	"devenv/layers"
)

func (u *ui) cacheCommand() *cli.Command {
	return &cli.Command{
		Name:        "cache",
		Usage:       "look after what devenv keeps on disk",
		UsageText:   "devenv cache info|gc|verify|clear",
		Description: examples("devenv cache info            where it is and what it takes", "devenv cache gc --dry-run    what no project on this machine uses any more", "devenv cache verify          find damage and mend it"),
		Subcommands: []*cli.Command{
			{Name: "info", Usage: "say where the cache is and what it takes", UsageText: "devenv cache info", Action: u.cacheInfo,
				Description: examples("devenv cache info", "devenv --json cache info     for scripts")},
			{Name: "gc", Usage: "remove what no project on this machine uses any more", UsageText: "devenv cache gc [--dry-run]", Action: u.cacheGC,
				Description: examples("devenv cache gc", "devenv cache gc --dry-run    only say what would go"),
				Flags:       []cli.Flag{&cli.BoolFlag{Name: "dry-run", Aliases: []string{"n"}, Usage: "remove nothing, say what would go"}}},
			{Name: "verify", Usage: "check every layer and tree, and remove what is damaged: it is made again when it is needed", UsageText: "devenv cache verify [--dry-run]", Action: u.cacheVerify,
				Description: examples("devenv cache verify", "devenv cache verify -n       exit 1 if something is damaged, and leave it"),
				Flags:       []cli.Flag{&cli.BoolFlag{Name: "dry-run", Aliases: []string{"n"}, Usage: "remove nothing, say what is damaged"}}},
			{Name: "clear", Usage: "remove everything that no running environment holds", UsageText: "devenv cache clear", Action: u.cacheClear,
				Description: examples("devenv cache clear           what is needed again is fetched and built again")},
		},
		Action: func(c *cli.Context) error {
			return misuse("cache does what?").hint("devenv cache info, gc, verify or clear")
		},
	}
}

func openCache() (*cache.Cache, error) { return cache.Open(cache.Dir(os.Getenv)) }

func (u *ui) cacheInfo(c *cli.Context) error {
	if err := none(c); err != nil {
		return err
	}
	k, err := openCache()
	if err != nil {
		return err
	}
	uses, err := k.Uses()
	if err != nil {
		return err
	}
	kinds, total := k.Usage()
	type row struct {
		Kind    string `json:"kind"`
		Entries int    `json:"entries"`
		Size    int64  `json:"size"`
	}
	v := struct {
		Dir      string   `json:"dir"`
		Size     int64    `json:"size"`
		Kinds    []row    `json:"kinds"`
		Projects []string `json:"projects"`
	}{Dir: k.Dir(), Size: total, Projects: []string{}}
	for _, u := range kinds {
		v.Kinds = append(v.Kinds, row{string(u.Kind), u.Entries, u.Size})
	}
	for _, use := range uses {
		v.Projects = append(v.Projects, use.Project)
	}
	return u.value(v, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s\n", v.Dir, cache.Size(v.Size))
		table(w, func(w io.Writer) {
			for _, r := range v.Kinds {
				fmt.Fprintf(w, "  %s\t%d\t%s\n", r.Kind, r.Entries, cache.Size(r.Size))
			}
		})
		fmt.Fprintf(w, "used by %d projects\n", len(v.Projects))
		for _, p := range v.Projects {
			fmt.Fprintf(w, "  %s\n", p)
		}
	})
}

func (u *ui) cacheGC(c *cli.Context) error {
	if err := none(c); err != nil {
		return err
	}
	return u.collect(c.Context, c.Bool("dry-run"))
}

// collect runs gc and says what it did.
func (u *ui) collect(ctx context.Context, dry bool) error {
	k, err := openCache()
	if err != nil {
		return err
	}
	store, err := layers.Open(k)
	if err != nil {
		return err
	}
	if err := store.Settle(); err != nil {
		return err
	}
	report, err := k.GC(ctx, cache.GCOptions{DryRun: dry, Layers: store.GC})
	if err != nil {
		return err
	}
	type row struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
		Size int64  `json:"size"`
	}
	rows := func(list []cache.Removed) []row {
		out := []row{}
		for _, r := range list {
			out = append(out, row{string(r.Kind), r.Name, r.Size})
		}
		return out
	}
	v := map[string]any{"removed": rows(report.Removed), "busy": rows(report.Busy), "forgotten": list(report.Gone), "freed": report.Freed, "dry_run": dry}
	return u.value(v, func(w io.Writer) {
		for _, r := range report.Removed {
			u.detail("%s %s: %s", r.Kind, r.Name, cache.Size(r.Size))
		}
		for _, p := range report.Gone {
			fmt.Fprintf(w, "forgot %s, which is no more\n", p)
		}
		if len(report.Busy) > 0 {
			fmt.Fprintf(w, "left %d that running environments hold\n", len(report.Busy))
		}
		verb := "removed"
		if dry {
			verb = "would remove"
		}
		fmt.Fprintf(w, "%s %d: %s\n", verb, len(report.Removed), cache.Size(report.Freed))
	})
}

func (u *ui) cacheClear(c *cli.Context) error {
	if err := none(c); err != nil {
		return err
	}
	k, err := openCache()
	if err != nil {
		return err
	}
	uses, err := k.Uses()
	if err != nil {
		return err
	}
	for _, use := range uses {
		if err := k.ForgetUse(use.Project); err != nil {
			return err
		}
	}
	return u.collect(c.Context, false)
}

func (u *ui) cacheVerify(c *cli.Context) error {
	if err := none(c); err != nil {
		return err
	}
	k, err := openCache()
	if err != nil {
		return err
	}
	store, err := layers.Open(k)
	if err != nil {
		return err
	}
	type damage struct {
		Layer   string `json:"layer,omitempty"`
		Tree    string `json:"tree,omitempty"`
		Package string `json:"package,omitempty"`
		Path    string `json:"path"`
		Problem string `json:"problem"`
	}
	found := []damage{}
	var trees, ids []string
	note := func(list []*layers.DamageError) bool {
		for _, d := range list {
			found = append(found, damage{d.Layer, d.Tree, d.Package, d.Path, d.Problem})
		}
		return len(list) > 0
	}
	all, err := store.List()
	if err != nil {
		return err
	}
	for _, id := range all {
		list, err := store.Verify(c.Context, id)
		if errors.Is(err, layers.ErrNoLayer) {
			continue
		}
		if err != nil {
			return err
		}
		if note(list) {
			ids = append(ids, id)
		}
	}
	known, err := store.Trees()
	if err != nil {
		return err
	}
	for _, id := range known {
		list, err := store.VerifyTree(c.Context, id)
		if err != nil {
			return err
		}
		damaged := note(list)
		// A tree shares its files with the layers that it is made of.
		spec, err := store.TreeSpec(id)
		damaged = damaged || err != nil || slices.ContainsFunc(spec.Layers, func(l string) bool { return slices.Contains(ids, l) })
		if damaged {
			trees = append(trees, id)
		}
	}
	if !c.Bool("dry-run") {
		for _, id := range trees {
			if err := cache.RemoveAll(k.Tree(id)); err != nil {
				return err
			}
		}
		if err := store.Delete(c.Context, ids...); err != nil {
			return err
		}
	}
	err = u.value(found, func(w io.Writer) {
		for _, d := range found {
			fmt.Fprintf(w, "%s: /%s %s\n", d.Package, d.Path, d.Problem)
		}
		fmt.Fprintf(w, "checked %d layers and %d trees; %d and %d damaged\n", len(all), len(known), len(ids), len(trees))
	})
	if err == nil && len(found) > 0 && c.Bool("dry-run") {
		return &failure{code: 1}
	}
	return err
}
