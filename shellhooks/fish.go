package shellhooks

// fish: fish(1), "--init-command" comes after the user's configuration. Other
// fishes are reached through /etc/fish/conf.d.
type fish struct{}

func (fish) Name() string { return "fish" }

func (fish) Start(path string, s Session) Start {
	return s.start(path, "--init-command", "source "+quoteFish(s.etc()+"/"+here+"config.fish"))
}

func (fish) Hook(self ...string) string { return fishSyntax.hook("hook.fish", self) }

func (fish) Export(d Diff) string { return fishSyntax.export(d) }

func (fish) Fresh(files []Watched, stamps string) (string, error) {
	return fishSyntax.fresh(files, stamps)
}
