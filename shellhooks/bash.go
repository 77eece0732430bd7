package shellhooks

// bash: bash(1), INVOCATION. The first shell reads bashrc in place of
// ~/.bashrc, which that one reads itself. Others are reached through
// /etc/bash.bashrc, which Arch's bash reads before the user's, and which leaves
// a prompt command behind.
type bash struct{}

func (bash) Name() string { return "bash" }

func (bash) Start(path string, s Session) Start {
	return s.start(path, "--rcfile", s.etc()+"/"+here+"bashrc")
}

func (bash) Hook(self ...string) string { return posixSyntax.hook("hook.bash", self) }

func (bash) Export(d Diff) string { return posixSyntax.export(d) }

func (bash) Fresh(files []Watched, stamps string) (string, error) {
	return posixSyntax.fresh(files, stamps)
}
