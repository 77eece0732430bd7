package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"devenv/cmd/devenv-mirror/mirror"
	"devenv/cmd/devenv-mirror/table"
)

func fromDebian() *cli.Command {
	return &cli.Command{
		Name:      "from-debian",
		Usage:     "make a mirror out of Debian's packages, fetched by the host's apt",
		ArgsUsage: "DIR",
		Description: `Works on Debian and Ubuntu, as root or not, where apt-get update has run. It takes
   some minutes the first time and seconds when there is nothing new.

   devenv-mirror from-debian /srv/mirror
   devenv-mirror from-debian ./mirror --set demo
   devenv-mirror from-debian ./mirror --only zlib,jq --days 2`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "only", Usage: "`PACKAGES`, separated by commas, and what they need, instead of all"},
			&cli.StringFlag{Name: "set", Usage: "a named `SET` of packages: base, or demo for the toolchains of the examples"},
			&cli.IntFlag{Name: "days", Usage: "how many `DAYS` the archive has, counted from the newest", Value: 4},
			&cli.IntFlag{Name: "jobs", Usage: "`PACKAGES` converted at the same time", Value: runtime.NumCPU()},
			&cli.IntFlag{Name: "level", Usage: "compress with zstd(1) at this `LEVEL`, 1 to 22 (Arch's build servers: 20), not as fast as can be"},
		},
		Action: runFromDebian,
	}
}

func runFromDebian(c *cli.Context) error {
	dir, err := onlyArgument(c, "DIR")
	if err != nil {
		return err
	}
	if c.Int("days") < 1 || c.Int("jobs") < 1 {
		return usageError{"--days and --jobs want a number above 0"}
	}
	if level := c.Int("level"); level < 0 || level > 22 {
		return usageError{fmt.Sprintf("--level wants a number from 1 to 22, or 0 for what is fastest, and got %d", level)}
	}
	t, err := table.Load()
	if err != nil {
		return err
	}
	names, err := packagesAsked(t, c.String("only"), c.String("set"))
	if err != nil {
		return err
	}
	start := time.Now()
	log := func(format string, args ...any) {
		fmt.Fprintf(c.App.ErrWriter, "%6.1f s  %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
	}
	err = mirror.FromDebian(c.Context, mirror.Options{
		Dir: dir, Table: t, Names: names, Days: c.Int("days"), Jobs: c.Int("jobs"), Level: c.Int("level"), Log: log,
	})
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	log("the mirror is ready: DEVENV_MIRROR=%s", dir)
	return nil
}

// packagesAsked is the union of --only and --set; nil for everything.
func packagesAsked(t *table.Table, only, set string) ([]string, error) {
	var names []string
	if only != "" {
		names = strings.Split(only, ",")
	}
	if set == "" {
		return names, nil
	}
	if t.Sets[set] == nil {
		return nil, usageError{fmt.Sprintf("no set %q; there are %s", set, strings.Join(slices.Sorted(maps.Keys(t.Sets)), ", "))}
	}
	return append(names, t.Sets[set]...), nil
}
