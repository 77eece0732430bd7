// Command devenv-mirror makes and serves local mirrors of Arch packages: test
// equipment, and an aid where Arch's own servers cannot be reached.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app := &cli.App{
		Name:            "devenv-mirror",
		Usage:           "make and serve a local mirror of Arch packages",
		HideHelpCommand: true,
		Commands:        []*cli.Command{fromDebian()},
	}
	if err := app.RunContext(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "devenv-mirror:", err)
		os.Exit(1)
	}
}
