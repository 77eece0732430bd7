package main

import "github.com/urfave/cli/v2"

// moreCommands are those that people use less often than every day.
func (u *ui) moreCommands() []*cli.Command {
	return append(u.shellCommands(u.exportEnv),
		u.shellCommand(), u.doctorCommand(), u.initCommand(), u.addCommand(), u.removeCommand(), u.updateCommand(),
		u.versionsCommand(), u.outdatedCommand(), u.diffCommand(),
		u.searchCommand(), u.infoCommand(), u.whyCommand(), u.treeCommand(), u.filesCommand(), u.ownsCommand(), u.showCommand(),
		u.checkCommand(), u.cacheCommand(), u.exportCommand(), u.helpCommand(),
	)
}
