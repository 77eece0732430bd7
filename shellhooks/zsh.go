package shellhooks

// zsh: zsh(1), STARTUP/SHUTDOWN FILES. ZDOTDIR names a directory with start-up
// files of ours that read the user's. /etc/zsh/zshenv sets it, which every zsh
// reads first; where there is no /etc of the environment's, the start does.
type zsh struct{}

func (zsh) Name() string { return "zsh" }

func (zsh) Start(path string, s Session) Start {
	st := s.start(path)
	if s.Native {
		st.Env = append(st.Env, KV{"ZDOTDIR", s.etc() + "/" + here + "zsh"})
	}
	return st
}

func (zsh) Hook(self ...string) string { return posixSyntax.hook("hook.zsh", self) }

func (zsh) Export(d Diff) string { return posixSyntax.export(d) }

func (zsh) Fresh(files []Watched, stamps string) (string, error) {
	return posixSyntax.fresh(files, stamps)
}
