package shellhooks

import "path"

// sh stands for the shells that read the file named by ENV when they are
// interactive (POSIX.1, sh, ENVIRONMENT VARIABLES): dash, busybox, the Korn
// shells, and any shell that is called sh. They have no prompt command, so
// their hook is a function named cd.
type sh struct{}

func (sh) Name() string { return "sh" }

func (sh) Start(shell string, s Session) Start {
	if path.Base(shell) == "busybox" {
		return s.start(shell, "sh")
	}
	return s.start(shell)
}

func (sh) Hook(self ...string) string { return posixSyntax.hook("hook.sh", self) }

func (sh) Export(d Diff) string { return posixSyntax.export(d) }

func (sh) Fresh(files []Watched, stamps string) (string, error) {
	return posixSyntax.fresh(files, stamps)
}
