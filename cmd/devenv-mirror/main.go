// Command devenv-mirror makes and serves local mirrors of Arch packages: test
// equipment, and an aid where Arch's own servers cannot be reached.
//
// Packages come from Debian's, by the table in package table; what a mirror
// consists of says package mirror. It may use the product's readers; nothing
// of the product may use it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// run is the whole program; it returns the exit code: 1 failed, 2 misuse.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	app := &cli.App{
		Name:  "devenv-mirror",
		Usage: "make and serve a local mirror of Arch packages",
		Description: `A mirror is a directory: DEVENV_MIRROR=DIR makes devenv use it for everything.

   devenv-mirror from-debian /srv/mirror
   DEVENV_MIRROR=/srv/mirror devenv run -- make`,
		HideHelpCommand: true,
		Writer:          stdout,
		ErrWriter:       stderr,
		ExitErrHandler:  func(*cli.Context, error) {}, // errors are printed here, once
		OnUsageError:    onUsageError,
		Action:          unknownCommand,
		Commands:        []*cli.Command{fromDebian(), serve()},
	}
	for _, c := range app.Commands {
		c.OnUsageError = onUsageError
	}
	err := app.RunContext(ctx, flagsFirst(app, args))
	if err == nil {
		return 0
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted; what was made is kept, run it again to go on")
	}
	fmt.Fprintln(stderr, "devenv-mirror:", err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

func onUsageError(_ *cli.Context, err error, _ bool) error { return usageError{err.Error()} }

func unknownCommand(c *cli.Context) error {
	if c.NArg() == 0 {
		return cli.ShowAppHelp(c)
	}
	return usageError{fmt.Sprintf("no command %q; there are from-debian and serve", c.Args().First())}
}
