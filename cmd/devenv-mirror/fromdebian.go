package main

import (
	"fmt"
	"os"
	"runtime"
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
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "only", Usage: "these packages and what they need, instead of all", Value: ""},
			&cli.StringFlag{Name: "set", Usage: "a named set of packages: base or demo"},
			&cli.IntFlag{Name: "days", Usage: "how many days the archive has", Value: 4},
			&cli.IntFlag{Name: "jobs", Usage: "packages converted at the same time", Value: runtime.NumCPU()},
		},
		Action: runFromDebian,
	}
}

func runFromDebian(c *cli.Context) error {
	if c.NArg() != 1 {
		return fmt.Errorf("from-debian takes one directory, got %d arguments; flags come before it", c.NArg())
	}
	t, err := table.Load()
	if err != nil {
		return err
	}
	var names []string
	if only := c.String("only"); only != "" {
		names = strings.Split(only, ",")
	}
	if set := c.String("set"); set != "" {
		if t.Sets[set] == nil {
			return fmt.Errorf("no set %s in the table", set)
		}
		names = append(names, t.Sets[set]...)
	}
	start := time.Now()
	log := func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%6.1f s  %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
	}
	err = mirror.FromDebian(c.Context, mirror.Options{
		Dir: c.Args().First(), Names: names, Days: c.Int("days"), Jobs: c.Int("jobs"), Log: log,
	})
	if err != nil {
		return err
	}
	log("mirror in %s is ready", c.Args().First())
	return nil
}
