package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

func (u *ui) doctorCommand() *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "check what this host allows, the cache, the mirrors, the keyring and the clock",
		UsageText: "devenv doctor",
		Description: examples(
			"devenv doctor           each line ok, warn or fail, with what to do",
			"devenv --json doctor    for scripts; the exit code is 1 if anything fails"),
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return misuse("doctor takes no arguments")
			}
			d := new(doctor)
			d.examine(c.Context)
			if err := u.value(d.findings, func(w io.Writer) { d.print(u, w) }); err != nil {
				return err
			}
			if d.failed() {
				return &failure{code: 1}
			}
			return nil
		},
	}
}

// doctor gathers findings.
type doctor struct {
	findings    []finding
	there, here time.Time // a mirror's clock, and this one's at that moment
}

// finding is one line.
type finding struct {
	Name   string `json:"name"`
	Status status `json:"status"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

type status string

const (
	statusOK   status = "ok"
	statusWarn status = "warn" // devenv works, but not as well as it could
	statusFail status = "fail" // something of devenv cannot work
)

func (d *doctor) ok(name, format string, args ...any) {
	d.findings = append(d.findings, finding{name, statusOK, fmt.Sprintf(format, args...), ""})
}

func (d *doctor) warn(name, remedy, format string, args ...any) {
	d.findings = append(d.findings, finding{name, statusWarn, fmt.Sprintf(format, args...), remedy})
}

func (d *doctor) fail(name, remedy, format string, args ...any) {
	d.findings = append(d.findings, finding{name, statusFail, fmt.Sprintf(format, args...), remedy})
}

func (d *doctor) failed() bool {
	for _, f := range d.findings {
		if f.Status == statusFail {
			return true
		}
	}
	return false
}

// examine goes from what everything needs to what only some things do. What
// cannot be looked at because of an earlier failure is left out.
func (d *doctor) examine(ctx context.Context) {
	d.kernel()
	c := d.cache()
	if c != nil {
		d.abilities(ctx, c)
	}
	p := d.project()
	if p == nil || c == nil {
		return
	}
	d.mirrors(ctx, p)
	d.clock()
	d.keyring(ctx, p)
}

func (d *doctor) print(u *ui, w io.Writer) {
	for _, f := range d.findings {
		mark := fmt.Sprintf("%-5s", f.Status)
		switch f.Status {
		case statusFail:
			mark = u.red(mark)
		case statusWarn:
			mark = u.bold(mark)
		}
		fmt.Fprintf(w, "%s %-11s %s\n", mark, f.Name, strings.ReplaceAll(f.Text, "\n", "\n"+strings.Repeat(" ", 18)))
		if f.Remedy != "" {
			fmt.Fprintf(w, "%17s %s %s\n", "", u.bold("hint:"), f.Remedy)
		}
	}
}
