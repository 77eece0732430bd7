package main

import "github.com/urfave/cli/v2"

// moreCommands are those that people use less often than every day.
func (u *ui) moreCommands() []*cli.Command {
	return []*cli.Command{u.updateCommand()}
}
